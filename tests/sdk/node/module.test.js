'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { createDevice, createModule, open, desired, eventsOf, report, registry, ModuleClient, Message } = require('./hub');

test('module: a reported update is seen by the service, a desired update reaches the module', async (t) => {
  const device = await createDevice();
  const module = await createModule(device.id);
  const client = await open(t, module.connectionString, ModuleClient);
  const twin = await client.getTwin();
  assert.equal(twin.properties.desired.$version, 1);
  await report(twin, { updateTime: 'now', weather: { temperature: 72, humidity: 17 } });
  const { responseBody } = await registry.getModuleTwin(device.id, module.moduleId);
  assert.deepEqual(responseBody.properties.reported.weather, { temperature: 72, humidity: 17 });

  await desired(twin, 1); // the SDK replays the current ones when the listener is added, and subscribes
  await report(twin, { listening: true }); // answered behind the subscription
  const delta = desired(twin, 2);
  await registry.updateModuleTwin(device.id, module.moduleId, { properties: { desired: { rate: 5 } } }, '*');
  assert.deepEqual(await delta, { rate: 5, $version: 2 });
  assert.equal((await registry.getTwin(device.id)).responseBody.properties.desired.$version, 1, "the device's own twin is another one");
});

test('module: telemetry and an output event carry the module id and the output name', async (t) => {
  const device = await createDevice();
  const module = await createModule(device.id);
  const client = await open(t, module.connectionString, ModuleClient);
  await client.sendEvent(new Message('plain'));
  await client.sendOutputEvent('alerts', new Message('to an output'));
  const events = await eventsOf(device.id);
  assert.deepEqual(events.map((event) => event.body), ['plain', 'to an output']);
  assert.ok(events.every((event) => event.moduleId === module.moduleId));
  assert.equal(events[1].systemProperties['iothub-outputname'], 'alerts');
});

test('module and device of one name space are connected at the same time', async (t) => {
  const device = await createDevice();
  const module = await createModule(device.id);
  await open(t, device.connectionString);
  await open(t, module.connectionString, ModuleClient);
  assert.equal((await registry.get(device.id)).responseBody.connectionState, 'Connected');
  assert.equal((await registry.getModule(device.id, module.moduleId)).responseBody.connectionState, 'Connected');
});
