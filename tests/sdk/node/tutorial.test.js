'use strict';
// The two programs of "Get started with IoT Hub module identity and module twin (Node.js)", with the host name of this hub and MQTT.
const test = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { service, host, freshId, registry, ca, next } = require('./hub');

test('tutorial: CreateIdentities makes a device with given keys and a module, and reads the module back', async () => {
  const { Registry } = require('azure-iothub');
  const owner = Registry.fromConnectionString(service);
  const deviceId = freshId('myFirstDevice');
  const moduleId = 'myFirstModule';
  const primaryKey = Buffer.from(crypto.randomUUID()).toString('base64');
  const secondaryKey = Buffer.from(crypto.randomUUID()).toString('base64');
  await new Promise((resolve, reject) => {
    owner.create({ deviceId, status: 'enabled', authentication: { type: 'sas', symmetricKey: { primaryKey, secondaryKey } } }, (error) => (error ? reject(error) : resolve()));
  });
  await new Promise((resolve, reject) => owner.addModule({ deviceId, moduleId }, (error) => (error ? reject(error) : resolve())));
  const found = await new Promise((resolve, reject) => owner.getModule(deviceId, moduleId, (error, module) => (error ? reject(error) : resolve(module))));
  assert.equal(found.deviceId, deviceId);
  assert.equal(found.moduleId, moduleId);
  assert.equal((await registry.get(deviceId)).responseBody.authentication.symmetricKey.primaryKey, primaryKey);

  const { ModuleClient } = require('azure-iot-device');
  const { Mqtt } = require('azure-iot-device-mqtt');
  const client = ModuleClient.fromConnectionString(
    `HostName=${host};DeviceId=${deviceId};ModuleId=${moduleId};SharedAccessKey=${found.authentication.symmetricKey.primaryKey}`, Mqtt);
  await client.setOptions({ ca });
  await client.open();
  const twin = await client.getTwin();
  assert.equal(twin.properties.reported.$version, 1);
  const desired = next(twin, 'properties.desired', 'desired properties');
  await new Promise((resolve, reject) => {
    twin.properties.reported.update({ updateTime: new Date().toString(), weather: { temperature: 72, humidity: 17 } }, (error) => (error ? reject(error) : resolve()));
  });
  await desired;
  await client.close();
  assert.equal((await registry.getModuleTwin(deviceId, moduleId)).responseBody.properties.reported.weather.humidity, 17);
});
