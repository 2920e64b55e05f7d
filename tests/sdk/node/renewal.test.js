'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { SharedAccessKeyAuthenticationProvider } = require('azure-iot-device');
const { createDevice, api, ca, serviceClient, next, Client, Mqtt } = require('./hub');

// The SDK disconnects, connects again with clean session 0 and subscribes to nothing: what was subscribed must still be.
test('token renewal: methods, desired properties and messages still arrive on the renewed connection', async (t) => {
  const device = await createDevice();
  const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString(device.connectionString, 6, 3);
  const client = Client.fromAuthenticationProvider(provider, Mqtt);
  await client.setOptions({ ca });
  await client.open();
  t.after(() => client.close());
  client.onDeviceMethod('ping', (request, response) => response.send(200, 'pong', () => {}));
  const twin = await client.getTwin();
  await next(twin, 'properties.desired', 'initial desired properties');
  const messages = [];
  client.on('message', (message) => {
    messages.push(message.getData().toString());
    client.emit('nearhub-test-message');
  });
  await serviceClient.invokeDeviceMethod(device.id, { methodName: 'ping', payload: null, connectTimeoutInSeconds: 20 });

  // Two renewals: the provider says when it has a new token.
  await next(provider, 'newTokenAvailable', 'first renewal');
  await next(provider, 'newTokenAvailable', 'second renewal');
  const { result } = await serviceClient.invokeDeviceMethod(device.id, { methodName: 'ping', payload: null, connectTimeoutInSeconds: 20 });
  assert.equal(result.payload, 'pong');

  const arrived = next(client, 'nearhub-test-message', 'message after the renewal');
  await api('POST', `/devices/${device.id}/messages/deviceBound?api-version=2021-04-12`, 'after renewal');
  await arrived;
  assert.deepEqual(messages, ['after renewal']);
});
