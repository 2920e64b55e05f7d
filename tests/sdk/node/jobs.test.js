'use strict';
// Import and export jobs against Azurite by a SAS URI, and against the hub's own folder.
const test = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const http = require('node:http');
const { spawn } = require('node:child_process');
const { createDevice, createModule, registry, freshId } = require('./hub');

// Published: every Azurite has them.
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

function accountSas(permissions) {
  const fields = { sv: '2019-12-12', ss: 'b', srt: 'co', sp: permissions, se: '2099-01-01T00:00:00Z', spr: 'https,http' };
  const text = [ACCOUNT, fields.sp, fields.ss, fields.srt, '', fields.se, '', fields.spr, fields.sv, ''].join('\n');
  const sig = crypto.createHmac('sha256', Buffer.from(KEY, 'base64')).update(text).digest('base64');
  return new URLSearchParams({ ...fields, sig }).toString();
}

function request(method, url, body = '', headers = {}) {
  return new Promise((resolve, reject) => {
    const call = http.request(url, { method, headers: { 'Content-Length': Buffer.byteLength(body), ...headers } }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

let azurite, endpoint;
test.before(async () => {
  assert.ok(process.env.NEARHUB_AZURITE, 'NEARHUB_AZURITE names no azurite-blob');
  azurite = spawn(process.execPath, [process.env.NEARHUB_AZURITE, '--inMemoryPersistence', '--blobHost', '127.0.0.1', '--blobPort', '0', '--disableTelemetry'],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  endpoint = await new Promise((resolve, reject) => {
    let text = '';
    azurite.stdout.on('data', (chunk) => {
      text += chunk;
      const found = text.match(/listens on (http:\/\/127\.0\.0\.1:\d+)/);
      if (found) resolve(found[1]);
    });
    azurite.on('exit', (code) => reject(new Error(`azurite ended with ${code}: ${text}`)));
  });
});
test.after(() => azurite.kill());

async function createContainer(permissions = 'rwdlac') {
  const name = freshId('container').toLowerCase();
  const { status } = await request('PUT', `${endpoint}/${ACCOUNT}/${name}?restype=container&${accountSas('rwdlac')}`);
  assert.equal(status, 201);
  return { name, uri: `${endpoint}/${ACCOUNT}/${name}?${accountSas(permissions)}` };
}

const blobUrl = (container, blob) => container.uri.replace('?', `/${blob}?`);

async function ended(job) {
  for (;;) {
    const now = await registry.getJob(job.jobId);
    if (['completed', 'failed', 'cancelled'].includes(now.status)) return now;
  }
}

test('jobs: an export to Azurite and an import from it make the same devices', async () => {
  const container = await createContainer();
  const { id, identity } = await createDevice();
  await createModule(id);
  await registry.updateTwin(id, { tags: { room: 'lab' }, properties: { desired: { interval: 1.5 } } }, '*');
  const exporting = await registry.exportDevicesToBlob(container.uri, false);
  assert.equal(exporting.type, 'export');
  assert.equal((await ended(exporting)).status, 'completed');
  const { body } = await request('GET', blobUrl(container, 'devices.txt'));
  const lines = body.trim().split('\n').map((line) => JSON.parse(line));
  const line = lines.find((entry) => entry.id === id && !entry.moduleId);
  assert.equal(line.authentication.symmetricKey.primaryKey, identity.authentication.symmetricKey.primaryKey);
  assert.equal(line.tags.room, 'lab');

  await registry.delete(id);
  const importing = await registry.importDevicesFromBlob(container.uri, container.uri);
  assert.equal((await ended(importing)).status, 'completed');
  assert.equal((await request('GET', blobUrl(container, 'importErrors.log'))).body, '');
  const { responseBody: again } = await registry.get(id);
  assert.deepEqual(again.authentication, identity.authentication);
  assert.equal((await registry.getTwin(id)).responseBody.properties.desired.interval, 1.5);
  assert.equal((await registry.getModulesOnDevice(id)).responseBody.length, 1);
});

test('jobs: a large blob goes in blocks', async () => {
  const container = await createContainer();
  const prefix = freshId('many');
  const padding = 'x'.repeat(3000);
  const lines = Array.from({ length: 3000 }, (_, i) => JSON.stringify({ id: `${prefix}-${i}`, tags: { padding } }));
  const put = await request('PUT', blobUrl(container, 'devices.txt'), lines.join('\n'), { 'x-ms-blob-type': 'BlockBlob' });
  assert.equal(put.status, 201);
  const importing = await registry.importDevicesFromBlob(container.uri, container.uri);
  assert.equal((await ended(importing)).status, 'completed');
  assert.equal((await registry.getTwin(`${prefix}-2999`)).responseBody.tags.padding, padding);
  const exporting = await registry.exportDevicesToBlob(container.uri, true);
  assert.equal((await ended(exporting)).status, 'completed');
  const { body } = await request('GET', blobUrl(container, 'devices.txt'));
  assert.ok(!body.startsWith('{'));
  assert.equal(body.split('\n').filter((line) => line.includes(`"id":"${prefix}-`)).length, 3000);
});

test('jobs: a container without the right to write is refused at once', async () => {
  const container = await createContainer('rl');
  await assert.rejects(registry.exportDevicesToBlob(container.uri, false), (error) => error.name === 'ArgumentError');
  await assert.rejects(registry.exportDevicesToBlob(container.uri.replace(container.name, 'nobody'), false), (error) => error.name === 'ArgumentError');
});

test('jobs: listed, unknown ones not found, ended ones not to be cancelled', async () => {
  const job = await registry.exportDevicesToBlobByIdentity('file:///by-identity', false);
  assert.equal((await ended(job)).status, 'completed');
  const { responseBody: jobs } = await registry.listJobs();
  assert.ok(jobs.some((listed) => listed.jobId === job.jobId));
  await assert.rejects(registry.getJob('nobody'), /not found/i);
  await assert.rejects(registry.cancelJob(job.jobId));
});
