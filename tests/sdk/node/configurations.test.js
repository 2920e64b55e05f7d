'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { createDevice, createModule, open, registry, freshId, desired } = require('./hub');

const twinOf = async (id) => (await registry.getTwin(id)).responseBody;

// A device configuration for the devices of one fleet.
function chiller(fleet, more = {}) {
  return {
    id: freshId('chiller'),
    content: { deviceContent: { 'properties.desired.chiller-water': { temperature: 66, pressure: 28 } } },
    metrics: { queries: { waterSettingsPending: "SELECT deviceId FROM devices WHERE properties.reported.chillerWaterSettings.status='pending'" } },
    targetCondition: `tags.fleet='${fleet}'`,
    priority: 20,
    ...more,
  };
}

test('configurations: added, read, listed, updated and removed', async () => {
  const wanted = chiller(freshId('fleet'));
  const { responseBody: added } = await registry.addConfiguration(wanted);
  assert.equal(added.id, wanted.id);
  assert.equal(added.schemaVersion, '1.0'); // the SDK's
  assert.deepEqual(added.content, wanted.content);
  assert.deepEqual(added.metrics.queries, wanted.metrics.queries);
  assert.equal(added.priority, 20);

  const { responseBody: read } = await registry.getConfiguration(wanted.id);
  assert.equal(read.etag, added.etag);
  assert.deepEqual(read.systemMetrics.results, { targetedCount: 0, appliedCount: 0 });
  assert.ok((await registry.getConfigurations()).responseBody.some(({ id }) => id === wanted.id));

  const { responseBody: updated } = await registry.updateConfiguration({ ...read, priority: 30 });
  assert.equal(updated.priority, 30);
  await assert.rejects(registry.updateConfiguration({ ...read, priority: 31 }), (error) => error.name === 'InvalidEtagError');
  assert.equal((await registry.updateConfiguration({ ...read, priority: 32 }, true)).responseBody.priority, 32);
  await assert.rejects(registry.addConfiguration(wanted), (error) => error.name === 'DeviceAlreadyExistsError');
  await registry.removeConfiguration(wanted.id);
  await assert.rejects(registry.getConfiguration(wanted.id), (error) => error.responseBody === undefined || /Not found/.test(error.message));
});

test('configurations: applied to the devices that match, which hear of it', async (t) => {
  const fleet = freshId('fleet');
  const { id, connectionString } = await createDevice();
  const client = await open(t, connectionString);
  const twin = await client.getTwin();
  const came = desired(twin, 2);
  const wanted = chiller(fleet);
  await registry.addConfiguration(wanted);
  t.after(() => registry.removeConfiguration(wanted.id));
  assert.equal((await twinOf(id)).properties.desired['chiller-water'], undefined);
  await registry.updateTwin(id, { tags: { fleet } }, '*');
  assert.deepEqual((await came)['chiller-water'], { temperature: 66, pressure: 28 });
  assert.deepEqual((await twinOf(id)).configurations, { [wanted.id]: { status: 'Applied' } });
  const { responseBody } = await registry.getConfiguration(wanted.id);
  assert.deepEqual(responseBody.systemMetrics.results, { targetedCount: 1, appliedCount: 1 });
  assert.deepEqual(responseBody.metrics.results, { waterSettingsPending: 0 });
  // The texts of the metrics are queries for everybody.
  for (const text of Object.values(responseBody.systemMetrics.queries)) {
    const { result } = await registry.createQuery(text).next();
    assert.deepEqual(result, [{ deviceId: id }]);
  }
});

test('configurations: for modules, without a target too', async (t) => {
  const { id } = await createDevice();
  const { moduleId } = await createModule(id);
  const fleet = freshId('fleet');
  const wanted = { id: freshId('mods'), content: { moduleContent: { 'properties.desired.rate': 5 } }, targetCondition: '' };
  await registry.addConfiguration(wanted);
  t.after(() => registry.removeConfiguration(wanted.id));
  await registry.updateModuleTwin(id, moduleId, { tags: { fleet } }, '*');
  assert.equal((await registry.getModuleTwin(id, moduleId)).responseBody.properties.desired.rate, undefined);
  await registry.updateConfiguration({ ...wanted, targetCondition: `from devices.modules where tags.fleet = '${fleet}'` }, true);
  assert.equal((await registry.getModuleTwin(id, moduleId)).responseBody.properties.desired.rate, 5);
});

test('configurations: content is applied to an edge device once', async () => {
  const id = freshId('edge');
  await registry.create({ deviceId: id, capabilities: { iotEdge: true } });
  const content = {
    modulesContent: {
      $edgeAgent: { 'properties.desired': { schemaVersion: '1.0', runtime: { type: 'docker', settings: {} }, systemModules: {}, modules: { sensor: { version: '1.0' } } } },
      $edgeHub: { 'properties.desired': { schemaVersion: '1.0', routes: {}, storeAndForwardConfiguration: { timeToLiveSecs: 7200 } } },
    },
  };
  await registry.applyConfigurationContentOnDevice(id, content);
  const { responseBody: agent } = await registry.getModuleTwin(id, '$edgeAgent');
  assert.equal(agent.properties.desired.modules.sensor.version, '1.0');
  const { responseBody: hub } = await registry.getModuleTwin(id, '$edgeHub');
  assert.equal(hub.properties.desired.storeAndForwardConfiguration.timeToLiveSecs, 7200);
  const { id: leaf } = await createDevice();
  await assert.rejects(registry.applyConfigurationContentOnDevice(leaf, content), (error) => error.name === 'ArgumentError');
});

test('configurations: what is wrong is an argument error', async () => {
  for (const wrong of [{ id: 'Upper' }, { targetCondition: 'tags.a =' }, { content: {} }, { metrics: { queries: { m: 'SELECT' } } }]) {
    await assert.rejects(registry.addConfiguration(chiller('x', wrong)), (error) => error.name === 'ArgumentError');
  }
});
