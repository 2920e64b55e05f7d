'use strict';
// IoT Plug and Play end to end: a temperature controller with a thermostat as a component, and the service's digital twin client.
const test = require('node:test');
const assert = require('node:assert/strict');
const { DigitalTwinClient, IoTHubTokenCredentials } = require('azure-iothub');
const { createDevice, eventsOf, report, service, registry, ca, Client, Message, Mqtt } = require('./hub');

const MODEL = 'dtmi:com:example:TemperatureController;2';
const digitalTwins = new DigitalTwinClient(new IoTHubTokenCredentials(service));

const etagOf = (twin) => twin._response.headers.get('etag');

// The promise form of the SDK's update gives nothing; the callback's last argument is the response.
const update = (id, patch) => new Promise((resolve, reject) => {
  digitalTwins.updateDigitalTwin(id, patch, (error, result, response) => (error ? reject(error) : resolve(response)));
});

async function openController(t, device) {
  const client = Client.fromConnectionString(device.connectionString, Mqtt);
  await client.setOptions({ ca, modelId: MODEL });
  await client.open();
  t.after(() => client.close().catch(() => {}));
  return client;
}

test('digital twin: the model id of the device and what its component reports', async (t) => {
  const device = await createDevice();
  const client = await openController(t, device);
  await report(await client.getTwin(), { serialNumber: 'alpha', thermostat1: { __t: 'c', maxTempSinceLastReboot: 38.7 } });
  const twin = await digitalTwins.getDigitalTwin(device.id);
  assert.equal(twin.$dtId, device.id);
  assert.equal(twin.$metadata.$model, MODEL);
  assert.equal(twin.serialNumber, 'alpha');
  assert.equal(twin.thermostat1.maxTempSinceLastReboot, 38.7);
  assert.ok(!Number.isNaN(Date.parse(twin.thermostat1.$metadata.maxTempSinceLastReboot.lastUpdateTime)));
  assert.equal(etagOf(twin), '"AAAAAAAAAAE="');
});

test('digital twin: a writable property goes to the device, and its acknowledgement comes back', async (t) => {
  const device = await createDevice();
  const client = await openController(t, device);
  const twin = await client.getTwin();
  await report(twin, { thermostat1: { __t: 'c', maxTempSinceLastReboot: 20 } });
  // As the SDK's samples: the handler acknowledges by the version that came.
  const acknowledged = new Promise((resolve, reject) => {
    twin.on('properties.desired', (delta) => {
      if (!delta.thermostat1) return;
      assert.equal(delta.thermostat1.__t, 'c');
      report(twin, { thermostat1: { __t: 'c', targetTemperature: { value: delta.thermostat1.targetTemperature, ac: 200, av: delta.$version, ad: 'done' } } }).then(resolve, reject);
    });
  });
  await report(twin, { listening: true }); // answered behind the subscription
  const response = await update(device.id, [{ op: 'add', path: '/thermostat1/targetTemperature', value: 21.5 }]);
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('etag'), '"AAAAAAAAAAI="');
  assert.equal(response.headers.get('location'), `/digitaltwins/${device.id}`);
  await acknowledged;
  const { thermostat1 } = await digitalTwins.getDigitalTwin(device.id);
  assert.equal(thermostat1.targetTemperature, 21.5);
  const { lastUpdateTime, ...known } = thermostat1.$metadata.targetTemperature;
  assert.deepEqual(known, { desiredValue: 21.5, desiredVersion: 2, ackVersion: 2, ackCode: 200, ackDescription: 'done' });
  assert.ok(!Number.isNaN(Date.parse(lastUpdateTime)));
});

test('digital twin: components are added, replaced and removed under the etag that was read', async () => {
  const device = await createDevice();
  await assert.rejects(digitalTwins.updateDigitalTwin(device.id, [{ op: 'replace', path: '/thermostat1', value: { targetTemperature: 1, $metadata: {} } }]),
    (error) => error.statusCode === 400 && error.response.headers.get('iothub-errorcode') === 'InvalidDigitalTwinPatchPath');
  const eTag = etagOf(await digitalTwins.getDigitalTwin(device.id));
  const add = [{ op: 'add', path: '/thermostat1', value: { targetTemperature: 100, $metadata: {} } }];
  await digitalTwins.updateDigitalTwin(device.id, add, eTag);
  await assert.rejects(digitalTwins.updateDigitalTwin(device.id, add, eTag), (error) => error.statusCode === 412);
  await digitalTwins.updateDigitalTwin(device.id, [{ op: 'replace', path: '/thermostat1', value: { mode: 'eco', $metadata: {} } }]);
  const { responseBody } = await registry.getTwin(device.id);
  assert.deepEqual(responseBody.properties.desired.thermostat1, { __t: 'c', mode: 'eco' });
  await digitalTwins.updateDigitalTwin(device.id, [{ op: 'remove', path: '/thermostat1' }]);
  assert.equal((await digitalTwins.getDigitalTwin(device.id)).thermostat1, undefined);
});

test('digital twin: commands of the device and of a component', async (t) => {
  const device = await createDevice();
  const client = await openController(t, device);
  client.onDeviceMethod('reboot', (request, response) => response.send(200, { delay: request.payload }, () => {}));
  client.onDeviceMethod('thermostat1*getMaxMinReport', (request, response) => response.send(201, { since: request.payload, maxTemp: 38.7 }, () => {}));
  await report(await client.getTwin(), { listening: true });
  const patience = { connectTimeoutInSeconds: 20, responseTimeoutInSeconds: 30 };
  const reboot = await digitalTwins.invokeCommand(device.id, 'reboot', 5, patience);
  assert.deepEqual(reboot.body, { delay: 5 });
  assert.equal(reboot.xMsCommandStatuscode, 200);
  assert.match(reboot.xMsRequestId, /^[0-9a-f-]{36}$/);
  const minMax = await digitalTwins.invokeComponentCommand(device.id, 'thermostat1', 'getMaxMinReport', '2026-01-01T00:00:00Z', patience);
  assert.deepEqual(minMax.body, { since: '2026-01-01T00:00:00Z', maxTemp: 38.7 });
  assert.equal(minMax.xMsCommandStatuscode, 201);
});

test('digital twin: a command to a device that is offline, and to one that does not exist', async () => {
  const device = await createDevice();
  await assert.rejects(digitalTwins.invokeCommand(device.id, 'reboot', 5),
    (error) => error.statusCode === 404 && error.response.headers.get('iothub-errorcode') === 'DeviceNotOnline');
  await assert.rejects(digitalTwins.invokeComponentCommand('no-such-device', 'thermostat1', 'x', 1),
    (error) => error.statusCode === 404 && error.response.headers.get('iothub-errorcode') === 'DeviceNotFound');
  await assert.rejects(digitalTwins.getDigitalTwin('no-such-device'), (error) => error.statusCode === 404);
});

test('digital twin: telemetry of a component names it, and the model', async (t) => {
  const device = await createDevice();
  const client = await openController(t, device);
  const message = new Message(JSON.stringify({ temperature: 21.5 }));
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  message.properties.add('$.sub', 'thermostat1');
  await client.sendEvent(message);
  const [event] = await eventsOf(device.id);
  assert.deepEqual(event.body, { temperature: 21.5 });
  assert.deepEqual(event.properties, {});
  assert.equal(event.annotations['dt-dataschema'], MODEL);
  assert.equal(event.annotations['dt-subject'], 'thermostat1');
});
