'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { X509AuthenticationProvider } = require('azure-iot-device');
const { make } = require('./certificates');
const { ca, host, registry, freshId, createDevice, desired, eventsOf, report, api, next, Client, ModuleClient, Message, Mqtt } = require('./hub');

// As simple_sample_device_x509.js does it.
async function openWith(t, deviceId, { cert, key }, extra = '') {
  const client = Client.fromConnectionString(`HostName=${host};DeviceId=${deviceId}${extra};x509=true`, Mqtt);
  await client.setOptions({ cert, key, ca, http: { receivePolicy: { interval: 10 } } });
  await client.open();
  t.after(() => client.close().catch(() => {}));
  return client;
}

async function createX509(authentication, deviceId = freshId('x509')) {
  const { responseBody } = await registry.create({ deviceId, authentication });
  assert.equal(responseBody.authentication.symmetricKey.primaryKey, null);
  return deviceId;
}

const registerRoot = async (root, name) => {
  const { status, body } = await api('PUT', `/_nearhub/certificates/${name}`, JSON.stringify({ properties: { certificate: root.chain, isVerified: true } }));
  assert.equal(status, 201, body);
};

test('x509: a self-signed device sends telemetry, works with its twin and receives', async (t) => {
  const device = make('anything');
  const id = await createX509({ type: 'selfSigned', x509Thumbprint: { primaryThumbprint: device.thumbprint('sha1').replaceAll(':', ''), secondaryThumbprint: null } });
  const client = await openWith(t, id, device);
  await client.sendEvent(new Message('by thumbprint'));
  const [event] = await eventsOf(id);
  assert.equal(event.body, 'by thumbprint');
  assert.deepEqual(JSON.parse(event.annotations['iothub-connection-auth-method']), { scope: 'device', type: 'x509Certificate', issuer: 'external', acceptingIpFilterRule: null });
  const twin = await client.getTwin();
  await report(twin, { firmware: '1.0' });
  await desired(twin, 1);
  await report(twin, { listening: true });
  const delta = desired(twin, 2);
  await registry.updateTwin(id, { properties: { desired: { interval: 7 } } }, '*');
  assert.equal((await delta).interval, 7);
  const { responseBody } = await registry.getTwin(id);
  assert.equal(responseBody.authenticationType, 'selfSigned');
  assert.equal(responseBody.x509Thumbprint.primaryThumbprint, device.thumbprint('sha1').replaceAll(':', ''));
});

test('x509: a CA-signed device with the full chain, EC and RSA, and its module', async (t) => {
  for (const key of ['ec', 'rsa']) {
    const root = make('mytestrootcert', { ca: true, key });
    const intermediate = make('intermediate', { ca: true, issuer: root, key });
    await registerRoot(root, `root-${key}`);
    const id = await createX509({ type: 'certificateAuthority' });
    const leaf = make(id, { issuer: intermediate, key });
    assert.ok(leaf.chain.endsWith('null'));
    const client = await openWith(t, id, { cert: leaf.chain.slice(0, -4), key: leaf.key });
    await client.sendEvent(new Message(key));
    assert.deepEqual((await eventsOf(id)).map((event) => event.body), [key]);

    await registry.addModule({ deviceId: id, moduleId: 'm1', authentication: { type: 'certificateAuthority' } });
    const module = make(`${id}/m1`, { issuer: intermediate, key });
    const x509 = { cert: module.chain.slice(0, -4), key: module.key };
    const moduleClient = ModuleClient.fromAuthenticationProvider(new X509AuthenticationProvider({ host, deviceId: id, moduleId: 'm1', x509 }), Mqtt);
    await moduleClient.setOptions({ ca });
    await moduleClient.open();
    t.after(() => moduleClient.close().catch(() => {}));
    await moduleClient.sendEvent(new Message('of the module'));
    assert.equal((await eventsOf(id)).at(-1).moduleId, 'm1');
  }
});

test('x509: a device with a key that says x509=true as well comes in by its token', async (t) => {
  const { id, identity } = await createDevice();
  const client = Client.fromConnectionString(`HostName=${host};DeviceId=${id};SharedAccessKey=${identity.authentication.symmetricKey.primaryKey};x509=true`, Mqtt);
  // The key comes first for the SDK, which then throws at a certificate among the options.
  await client.setOptions({ ca });
  await client.open();
  t.after(() => client.close().catch(() => {}));
  await client.sendEvent(new Message('by token'));
  const [event] = await eventsOf(id);
  assert.equal(JSON.parse(event.annotations['iothub-connection-auth-method']).type, 'sas');
});

test('x509: a certificate that is not registered is refused, and the hub says why', async (t) => {
  const id = await createX509({ type: 'selfSigned', x509Thumbprint: { primaryThumbprint: 'A'.repeat(40), secondaryThumbprint: 'B'.repeat(40) } });
  const stranger = make('stranger');
  const client = Client.fromConnectionString(`HostName=${host};DeviceId=${id};x509=true`, Mqtt);
  await client.setOptions({ cert: stranger.cert, key: stranger.key, ca });
  await assert.rejects(client.open(), { name: 'UnauthorizedError' });
  const [refusal] = JSON.parse((await api('GET', `/_nearhub/refusals?id=${id}`)).body);
  assert.equal(refusal.check, 'certificate');
  assert.match(refusal.received, new RegExp(stranger.thumbprint('sha1').replaceAll(':', ''), 'i'));
});

test('x509: the connection ends when its thumbprint is removed', async (t) => {
  const device = make('rolled');
  const id = await createX509({ type: 'selfSigned', x509Thumbprint: { primaryThumbprint: device.thumbprint('sha256').replaceAll(':', ''), secondaryThumbprint: null } });
  const client = await openWith(t, id, device);
  client.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
  const lost = next(client, 'disconnect', 'disconnect');
  const { responseBody } = await registry.get(id);
  await registry.update({ ...responseBody, authentication: { type: 'selfSigned', x509Thumbprint: { primaryThumbprint: 'C'.repeat(64), secondaryThumbprint: null } } });
  await lost;
});
