'use strict';
// What the tests share: the hub that with_hub.py started, clients for it, and waiting with a deadline.
const crypto = require('node:crypto');
const https = require('node:https');
const { once } = require('node:events');
const { Registry, Client: ServiceClient } = require('azure-iothub');
const { Client, ModuleClient, Message } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const fs = require('node:fs');

const ready = JSON.parse(process.env.NEARHUB_READY);
const ca = fs.readFileSync(ready.caFile, 'utf8');
const host = process.env.NEARHUB_HOST;
const service = ready.serviceConnectionString;
const registry = Registry.fromConnectionString(service);
const serviceClient = ServiceClient.fromConnectionString(service);

let counter = 0;
const freshId = (prefix) => `${prefix}-${process.pid}-${++counter}`;

// A device with keys made by the hub; its connection string.
async function createDevice(id = freshId('dev'), hostName = host) {
  const { responseBody } = await registry.create({ deviceId: id });
  return { id, identity: responseBody, connectionString: `HostName=${hostName};DeviceId=${id};SharedAccessKey=${responseBody.authentication.symmetricKey.primaryKey}` };
}

async function createModule(deviceId, moduleId = freshId('mod')) {
  await registry.addModule({ deviceId, moduleId });
  const { responseBody } = await registry.getModule(deviceId, moduleId);
  const key = responseBody.authentication.symmetricKey.primaryKey;
  return { moduleId, identity: responseBody, connectionString: `HostName=${host};DeviceId=${deviceId};ModuleId=${moduleId};SharedAccessKey=${key}` };
}

// Connected clients of a test, closed at its end.
async function open(t, connectionString, ClientClass = Client) {
  const client = ClientClass.fromConnectionString(connectionString, Mqtt);
  await client.setOptions({ ca });
  await client.open();
  t.after(() => client.close().catch(() => {}));
  return client;
}

// A promise of the next event, with a deadline that fails the test with words.
async function next(emitter, event, what = event, seconds = 30) {
  const abort = AbortSignal.timeout(seconds * 1000);
  try {
    return await once(emitter, event, { signal: abort });
  } catch (error) {
    if (abort.aborted) throw new Error(`no ${what} within ${seconds} s`);
    throw error;
  }
}

// The desired properties of that version. The SDK replays what it has to every listener that is added, and that may come before the news.
async function desired(twin, version) {
  const [delta] = await new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`no desired properties of version ${version} within 30 s`)), 30000);
    twin.on('properties.desired', (...given) => {
      if (given[0].$version !== version) return;
      clearTimeout(deadline);
      resolve(given);
    });
  });
  return delta;
}

function ownerToken() {
  const parts = Object.fromEntries(service.split(';').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]));
  const resource = encodeURIComponent(host);
  const expiry = Math.floor(Date.now() / 1000) + 3600;
  const signature = crypto.createHmac('sha256', Buffer.from(parts.SharedAccessKey, 'base64')).update(`${resource}\n${expiry}`).digest('base64');
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${parts.SharedAccessKeyName}`;
}

// The service API where the SDK would use AMQP.
function api(method, path, body = '', headers = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request({ host, method, path, ca, headers: { Authorization: ownerToken(), ...headers } }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

// All telemetry of a device so far, as the hub stored it.
async function eventsOf(device) {
  const { status, body } = await api('GET', `/_nearhub/events?since=start&follow=false&device=${encodeURIComponent(device)}`);
  if (status !== 200) throw new Error(`events: ${status} ${body}`);
  return body.split('\n').filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6)));
}

const report = (twin, patch) => new Promise((resolve, reject) => twin.properties.reported.update(patch, (error) => (error ? reject(error) : resolve())));

module.exports = { ready, ca, host, service, registry, serviceClient, freshId, createDevice, createModule, open, next, desired, api, eventsOf, report, Client, ModuleClient, Message, Mqtt };
