'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { createDevice, open, next, desired, api, eventsOf, report, registry, host, Client, Message, Mqtt, ca } = require('./hub');

test('telemetry: sendEvent resolves and the message is in the event stream with its properties', async (t) => {
  const device = await createDevice();
  const client = await open(t, device.connectionString);
  const message = new Message(JSON.stringify({ temperature: 21.5 }));
  message.messageId = 'm-1';
  message.correlationId = 'c-1';
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  message.properties.add('a b', 'x&y=z');
  await client.sendEvent(message);
  const [event] = await eventsOf(device.id);
  assert.deepEqual(event.body, { temperature: 21.5 });
  assert.deepEqual(event.properties, { 'a b': 'x&y=z' });
  assert.equal(event.systemProperties['message-id'], 'm-1');
  assert.equal(event.systemProperties['correlation-id'], 'c-1');
  assert.equal(event.systemProperties['content-type'], 'application/json');
  assert.equal(event.annotations['iothub-connection-device-id'], device.id);
  assert.equal(event.annotations['iothub-connection-auth-generation-id'], device.identity.generationId);
});

test('telemetry: sendEventBatch stores every message in order', async (t) => {
  const device = await createDevice();
  const client = await open(t, device.connectionString);
  await Promise.all(Array.from({ length: 20 }, (_, i) => client.sendEvent(new Message(String(i)))));
  assert.deepEqual((await eventsOf(device.id)).map((event) => event.body), Array.from({ length: 20 }, (_, i) => String(i)));
});

test('twin: the device reads it, reports, and the service sees what was reported', async (t) => {
  const device = await createDevice();
  const client = await open(t, device.connectionString);
  const twin = await client.getTwin();
  assert.equal(twin.properties.desired.$version, 1);
  await report(twin, { firmware: { version: '1.2.3' }, uptime: 4 });
  const { responseBody } = await registry.getTwin(device.id);
  assert.equal(responseBody.properties.reported.firmware.version, '1.2.3');
  assert.equal(responseBody.properties.reported.uptime, 4);
  assert.equal(responseBody.properties.reported.$version, 2);
});

test('twin: a desired update reaches the connected device, a null removes the property', async (t) => {
  const device = await createDevice();
  const client = await open(t, device.connectionString);
  const twin = await client.getTwin();
  await desired(twin, 1); // the SDK replays the current ones when the listener is added, and subscribes
  await report(twin, { listening: true }); // answered behind the subscription
  let delta = desired(twin, 2);
  await registry.updateTwin(device.id, { properties: { desired: { interval: 30, mode: 'eco' } } }, '*');
  assert.deepEqual(await delta, { interval: 30, mode: 'eco', $version: 2 });
  delta = desired(twin, 3);
  await registry.updateTwin(device.id, { properties: { desired: { mode: null } } }, '*');
  await delta; // the SDK hands over its merged copy
  assert.deepEqual({ ...twin.properties.desired }, { interval: 30, $version: 3 });
});

test('twin: a reported patch that breaks a limit is an error at the device and changes nothing', async (t) => {
  const device = await createDevice();
  const client = await open(t, device.connectionString);
  const twin = await client.getTwin();
  await assert.rejects(report(twin, { 'a.b': 1 }), /reported/);
  const { responseBody } = await registry.getTwin(device.id);
  assert.equal(responseBody.properties.reported.$version, 1);
});

test('cloud-to-device: a queued message arrives with its properties and is settled', async (t) => {
  const device = await createDevice();
  const sent = await api('POST', `/devices/${device.id}/messages/deviceBound?api-version=2021-04-12`, 'hello', {
    'iothub-messageid': 'c2d-1', 'iothub-correlationid': 'corr', 'iothub-contenttype': 'text/plain', 'iothub-app-color': 'dark blue', 'iothub-ack': 'full',
  });
  assert.equal(sent.status, 204);
  const client = await open(t, device.connectionString);
  const [message] = await next(client, 'message', 'cloud-to-device message');
  await client.complete(message);
  assert.equal(message.getData().toString(), 'hello');
  assert.equal(message.messageId, 'c2d-1');
  assert.equal(message.correlationId, 'corr');
  assert.equal(message.contentType, 'text/plain');
  assert.equal(message.properties.getValue('color'), 'dark blue');
  const emptied = async () => (await registry.get(device.id)).responseBody.cloudToDeviceMessageCount;
  const deadline = Date.now() + 30000;
  while ((await emptied()) !== 0) assert.ok(Date.now() < deadline, 'the message is still queued');
});

test('gateway: a dotted host name in the tokens works through another address', async (t) => {
  const device = await createDevice();
  const key = device.identity.authentication.symmetricKey.primaryKey;
  const client = await open(t, `HostName=hub.local.test;DeviceId=${device.id};SharedAccessKey=${key};GatewayHostName=${host}`);
  await client.sendEvent(new Message('through the gateway'));
  assert.equal((await eventsOf(device.id)).length, 1);
});

test('model id: it stands on the twin', async (t) => {
  const device = await createDevice();
  const client = Client.fromConnectionString(device.connectionString, Mqtt);
  await client.setOptions({ ca, modelId: 'dtmi:com:example:Thermostat;1' });
  await client.open();
  t.after(() => client.close());
  const { responseBody } = await registry.getTwin(device.id);
  assert.equal(responseBody.modelId, 'dtmi:com:example:Thermostat;1');
});

test('a wrong key is UnauthorizedError, and the refusal book says which check failed', async () => {
  const device = await createDevice();
  const client = Client.fromConnectionString(`HostName=${host};DeviceId=${device.id};SharedAccessKey=${Buffer.alloc(32, 1).toString('base64')}`, Mqtt);
  await client.setOptions({ ca });
  await assert.rejects(client.open(), (error) => error.name === 'UnauthorizedError');
  const { body } = await api('GET', `/_nearhub/refusals?id=${device.id}`);
  const [refusal] = JSON.parse(body);
  assert.equal(refusal.check, 'SAS signature');
  assert.equal(refusal.answer, 'CONNACK 5');
});
