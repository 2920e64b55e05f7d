'use strict';
// Scheduled jobs through the SDK's JobClient.
const test = require('node:test');
const assert = require('node:assert/strict');
const { JobClient } = require('azure-iothub');
const { createDevice, open, registry, service, serviceClient, freshId } = require('./hub');

const jobs = JobClient.fromConnectionString(service);

// Two devices with a tag that no other test uses.
async function createPair() {
  const name = freshId('pair');
  const devices = [await createDevice(`${name}-a`), await createDevice(`${name}-b`)];
  for (const { id } of devices) await registry.updateTwin(id, { tags: { pair: name } }, '*');
  return { condition: `tags.pair = '${name}'`, devices };
}

async function ended(jobId) {
  const deadline = Date.now() + 30000;
  for (;;) {
    const { jobStatus } = await jobs.getJob(jobId);
    if (['completed', 'failed', 'cancelled'].includes(jobStatus.status)) return jobStatus;
    assert.ok(Date.now() < deadline, `job ${jobId} did not end`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function rowsOf(jobId) {
  const query = registry.createQuery(`SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '${jobId}'`);
  const rows = [];
  while (query.hasMoreResults) rows.push(...(await query.next(query.continuationToken)).result);
  return rows;
}

test('scheduled jobs: a twin update reaches the devices that the condition finds', async () => {
  const { condition, devices } = await createPair();
  const jobId = freshId('job');
  const patch = { etag: '*', tags: { room: 'lab' }, properties: { desired: { interval: 30, old: null }, reported: {} } };
  const { jobStatus } = await jobs.scheduleTwinUpdate(jobId, condition, patch, new Date(), 60);
  assert.equal(jobStatus.status, 'queued');
  assert.equal(jobStatus.type, 'scheduleUpdateTwin');
  const end = await ended(jobId);
  assert.equal(end.status, 'completed');
  assert.deepEqual(end.deviceJobStatistics, { deviceCount: 2, failedCount: 0, succeededCount: 2, runningCount: 0, pendingCount: 0 });
  for (const { id } of devices) {
    const { responseBody: twin } = await registry.getTwin(id);
    assert.equal(twin.properties.desired.interval, 30);
    assert.equal(twin.tags.room, 'lab');
  }
  assert.deepEqual((await rowsOf(jobId)).map((row) => [row.deviceId, row.status]), devices.map(({ id }) => [id, 'completed']));
});

test('scheduled jobs: a method is called on those that are online, and its answer is a result', async (t) => {
  const { condition, devices } = await createPair();
  const client = await open(t, devices[0].connectionString);
  await new Promise((resolve) => {
    client.onDeviceMethod('reboot', (request, response) => response.send(200, { delayed: request.payload.delay }, (error) => assert.ifError(error)));
    // The SDK subscribes behind its caller's back: a call that waits for it shows that it is there.
    client.onDeviceMethod('ready', (request, response) => response.send(200, null, resolve));
    serviceClient.invokeDeviceMethod(devices[0].id, { methodName: 'ready', payload: null, responseTimeoutInSeconds: 30, connectTimeoutInSeconds: 20 });
  });
  const jobId = freshId('job');
  await jobs.scheduleDeviceMethod(jobId, condition, { methodName: 'reboot', payload: { delay: 5 }, responseTimeoutInSeconds: 30 }, new Date(), 60);
  const end = await ended(jobId);
  assert.equal(end.status, 'completed');
  assert.equal(end.deviceJobStatistics.succeededCount, 1);
  assert.equal(end.deviceJobStatistics.failedCount, 1);
  const [online, offline] = await rowsOf(jobId);
  assert.deepEqual(online.outcome.deviceMethodResponse, { status: 200, payload: { delayed: 5 } });
  assert.equal(offline.error.code, 'DeviceNotOnline');
});

test('scheduled jobs: one that is scheduled can be cancelled, and is listed', async () => {
  const { condition } = await createPair();
  const jobId = freshId('job');
  await jobs.scheduleTwinUpdate(jobId, condition, { etag: '*', tags: { never: true } }, new Date(Date.now() + 3600 * 1000), 60);
  assert.equal((await jobs.getJob(jobId)).jobStatus.status, 'scheduled');
  const listed = async (type, status) => {
    const query = jobs.createQuery(type, status, 2);
    const all = [];
    while (query.hasMoreResults) all.push(...(await query.next(query.continuationToken)).result);
    return all.some((job) => job.jobId === jobId);
  };
  assert.ok(await listed('scheduleUpdateTwin', 'scheduled'));
  assert.ok(await listed());
  assert.ok(!(await listed('scheduleDeviceMethod')));
  const { jobStatus } = await jobs.cancelJob(jobId);
  assert.equal(jobStatus.status, 'cancelled');
  assert.ok(await listed('scheduleUpdateTwin', 'cancelled'));
  await assert.rejects(jobs.cancelJob(jobId), (error) => error.response.statusCode === 405);
});

test('scheduled jobs: without a start time, over a whole query; a wrong one fails the job', async () => {
  const { devices } = await createPair();
  const good = freshId('job');
  await jobs.scheduleTwinUpdate(good, `SELECT * FROM devices WHERE deviceId = '${devices[0].id}'`, { etag: '*', tags: { a: 1 } });
  assert.equal((await ended(good)).deviceJobStatistics.succeededCount, 1);
  const wrong = freshId('job');
  await jobs.scheduleTwinUpdate(wrong, 'this is no condition', { etag: '*', tags: { a: 1 } });
  const end = await ended(wrong);
  assert.equal(end.status, 'failed');
  assert.match(end.failureReason, /queryCondition/);
});

test('scheduled jobs: an id is taken once, an unknown one is unknown', async () => {
  const jobId = freshId('job');
  await jobs.scheduleTwinUpdate(jobId, "deviceId = 'nobody'", { etag: '*', tags: { a: 1 } });
  await assert.rejects(jobs.scheduleTwinUpdate(jobId, "deviceId = 'nobody'", { etag: '*', tags: { a: 1 } }), (error) => error.response.statusCode === 409);
  assert.equal((await jobs.getJob(freshId('nobody'))).jobStatus.status, 'unknown');
  await assert.rejects(jobs.cancelJob(freshId('nobody')), (error) => error.response.statusCode === 404);
});
