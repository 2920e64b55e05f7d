'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { createDevice, createModule, registry, freshId } = require('./hub');

test('registry: a created device has keys, an etag, a generation id and the hub’s defaults', async () => {
  const { identity, id } = await createDevice();
  assert.equal(identity.deviceId, id);
  assert.equal(Buffer.from(identity.authentication.symmetricKey.primaryKey, 'base64').length, 32);
  assert.match(identity.generationId, /^\d{18}$/);
  assert.match(Buffer.from(identity.etag, 'base64').toString(), /^\d+$/);
  assert.equal(identity.status, 'enabled');
  assert.equal(identity.connectionState, 'Disconnected');
  assert.deepEqual((await registry.get(id)).responseBody.authentication, identity.authentication);
});

test('registry: creating twice is DeviceAlreadyExistsError', async () => {
  const { id } = await createDevice();
  await assert.rejects(registry.create({ deviceId: id }), (error) => error.name === 'DeviceAlreadyExistsError');
});

test('registry: an unknown device is DeviceNotFoundError', async () => {
  await assert.rejects(registry.get('nobody'), (error) => error.name === 'DeviceNotFoundError');
});

test('registry: update keeps given keys and changes the status, delete removes', async () => {
  const { id, identity } = await createDevice();
  const { responseBody } = await registry.update({ ...identity, status: 'disabled', statusReason: 'maintenance' });
  assert.equal(responseBody.status, 'disabled');
  assert.equal(responseBody.statusReason, 'maintenance');
  assert.equal(responseBody.authentication.symmetricKey.primaryKey, identity.authentication.symmetricKey.primaryKey);
  assert.notEqual(responseBody.etag, identity.etag);
  await registry.delete(id);
  await assert.rejects(registry.get(id), (error) => error.name === 'DeviceNotFoundError');
});

test('registry: list contains what was created', async () => {
  const { id } = await createDevice();
  const { responseBody } = await registry.list();
  assert.ok(responseBody.some((device) => device.deviceId === id));
});

test('registry: modules are added, listed, updated and removed', async () => {
  const { id } = await createDevice();
  const { moduleId, identity } = await createModule(id);
  assert.equal(identity.deviceId, id);
  const { responseBody: modules } = await registry.getModulesOnDevice(id);
  assert.deepEqual(modules.map((module) => module.moduleId), [moduleId]);
  await registry.updateModule({ ...identity, managedBy: 'somebody' }, true);
  assert.equal((await registry.getModule(id, moduleId)).responseBody.managedBy, 'somebody');
  await assert.rejects(registry.addModule({ deviceId: id, moduleId }), (error) => error.name === 'DeviceAlreadyExistsError');
  await registry.removeModule(id, moduleId);
  await assert.rejects(registry.getModule(id, moduleId), /Not found/i);
});

test('registry: ids with every legal character travel there and back', async () => {
  const id = freshId("odd-:.+%_#*?!(),=@;$'");
  await registry.create({ deviceId: id });
  assert.equal((await registry.get(id)).responseBody.deviceId, id);
  const { responseBody } = await registry.getTwin(id);
  assert.equal(responseBody.deviceId, id);
  await registry.delete(id);
});

test('twins: tags and desired are patched and replaced with etags, a stale etag is refused', async () => {
  const { id } = await createDevice();
  const { responseBody: twin } = await registry.getTwin(id);
  const { responseBody: patched } = await registry.updateTwin(id, { tags: { room: 'lab' }, properties: { desired: { a: 1, b: { c: 2 } } } }, twin.etag);
  assert.equal(patched.tags.room, 'lab');
  assert.equal(patched.version, 3);
  await assert.rejects(registry.updateTwin(id, { tags: { room: 'x' } }, twin.etag), (error) => error.name === 'InvalidEtagError');
  await patched.update({ properties: { desired: { b: null } } });
  assert.equal((await registry.getTwin(id)).responseBody.properties.desired.b, undefined);
});

test('registry: bulk add, update and remove, with an answer for every item that failed', async () => {
  const ids = [freshId('bulk'), freshId('bulk'), freshId('bulk')];
  let { responseBody } = await registry.addDevices(ids.map((deviceId) => ({ deviceId })));
  assert.equal(responseBody.isSuccessful, true);
  assert.deepEqual(responseBody.errors, []);

  ({ responseBody } = await registry.updateDevices(ids.map((deviceId) => ({ deviceId, status: 'disabled' })), true));
  assert.equal(responseBody.isSuccessful, true);
  assert.equal((await registry.get(ids[0])).responseBody.status, 'disabled');

  const stale = { deviceId: ids[0], etag: 'AAAA' };
  await assert.rejects(registry.removeDevices([stale, { deviceId: ids[1], etag: '*' }], false), (error) => {
    const body = JSON.parse(error.responseBody);
    return body.errors.length === 1 && body.errors[0].deviceId === ids[0] && body.errors[0].errorCode === 'PreconditionFailed';
  });
  ({ responseBody } = await registry.removeDevices([{ deviceId: ids[0] }, { deviceId: ids[2] }], true));
  assert.equal(responseBody.isSuccessful, true);
  for (const id of ids) await assert.rejects(registry.get(id), (error) => error.name === 'DeviceNotFoundError');
});

test('registry: statistics count devices', async () => {
  await createDevice();
  const { responseBody } = await registry.getRegistryStatistics();
  assert.ok(responseBody.totalDeviceCount >= 1);
  assert.equal(responseBody.enabledDeviceCount + responseBody.disabledDeviceCount, responseBody.totalDeviceCount);
});
