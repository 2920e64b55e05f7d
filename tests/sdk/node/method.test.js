'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { createDevice, createModule, open, serviceClient, ModuleClient } = require('./hub');

for (const payload of [null, '', 'a string', 42, true, {}, { nested: { list: [1, 2, 3] } }, ['x']]) {
  test(`method: the payload ${JSON.stringify(payload)} arrives as it was sent, and so does the answer`, async (t) => {
    const device = await createDevice();
    const client = await open(t, device.connectionString);
    client.onDeviceMethod('echo', (request, response) => {
      response.send(201, { got: request.payload }, (error) => assert.ifError(error));
    });
    const { result } = await serviceClient.invokeDeviceMethod(device.id, { methodName: 'echo', payload, responseTimeoutInSeconds: 30, connectTimeoutInSeconds: 20 });
    assert.deepEqual(result, { status: 201, payload: { got: payload } });
  });
}

test('method: twenty calls at once are each answered with their own payload', async (t) => {
  const device = await createDevice();
  const client = await open(t, device.connectionString);
  client.onDeviceMethod('double', (request, response) => response.send(200, request.payload * 2, () => {}));
  const calls = Array.from({ length: 20 }, (_, i) =>
    serviceClient.invokeDeviceMethod(device.id, { methodName: 'double', payload: i, responseTimeoutInSeconds: 30, connectTimeoutInSeconds: 20 }));
  assert.deepEqual((await Promise.all(calls)).map(({ result }) => result.payload), Array.from({ length: 20 }, (_, i) => i * 2));
});

test('method: an offline device is DeviceNotOnline, an unknown one DeviceNotFound', async () => {
  const device = await createDevice();
  await assert.rejects(serviceClient.invokeDeviceMethod(device.id, { methodName: 'x', payload: null }), (error) => {
    assert.equal(error.response.statusCode, 404);
    assert.equal(error.response.headers['iothub-errorcode'], 'DeviceNotOnline');
    assert.equal(JSON.parse(JSON.parse(error.responseBody).Message).errorCode, 404103);
    return true;
  });
  await assert.rejects(serviceClient.invokeDeviceMethod('no-such-device', { methodName: 'x', payload: null }), (error) => {
    assert.equal(error.response.headers['iothub-errorcode'], 'DeviceNotFound');
    return true;
  });
});

test('method: a device that does not answer in time is a gateway timeout', async (t) => {
  const device = await createDevice();
  const client = await open(t, device.connectionString);
  client.onDeviceMethod('silent', () => {});
  await assert.rejects(serviceClient.invokeDeviceMethod(device.id, { methodName: 'silent', payload: null, responseTimeoutInSeconds: 5, connectTimeoutInSeconds: 5 }),
    (error) => {
      assert.equal(error.name, 'GatewayTimeoutError');
      assert.equal(error.response.headers['iothub-errorcode'], 'GatewayTimeout');
      return true;
    });
});

test('method: a module answers its own calls', async (t) => {
  const device = await createDevice();
  const module = await createModule(device.id);
  const client = await open(t, module.connectionString, ModuleClient);
  client.onMethod('hello', (request, response) => response.send(200, { from: 'module' }, () => {}));
  const { result } = await serviceClient.invokeDeviceMethod(device.id, module.moduleId, { methodName: 'hello', payload: null, responseTimeoutInSeconds: 30, connectTimeoutInSeconds: 20 });
  assert.deepEqual(result, { status: 200, payload: { from: 'module' } });
});
