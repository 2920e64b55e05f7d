'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { createDevice, createModule, open, registry, freshId } = require('./hub');

// Devices whose ids share a beginning that no other test uses.
async function createFleet(count) {
  const prefix = freshId('fleet');
  const ids = [];
  for (let i = 0; i < count; i++) {
    const { id } = await createDevice(`${prefix}-${String.fromCharCode(97 + i)}`);
    await registry.updateTwin(id, { tags: { floor: i, fleet: prefix } }, '*');
    ids.push(id);
  }
  return { prefix, ids };
}

// All pages of a query, as the SDK gives them.
async function pages(text, size, method = 'next') {
  const query = registry.createQuery(text, size);
  const all = [];
  while (query.hasMoreResults) {
    // Without an argument next() of the promise form asks for the first page again.
    const { result } = await query[method](query.continuationToken);
    all.push(result);
    assert.ok(all.length < 100, 'the query does not end');
  }
  return all;
}

test('query: nextAsTwin gives twins that can be updated', async () => {
  const { prefix, ids } = await createFleet(2);
  const [page] = await pages(`SELECT * FROM devices WHERE tags.fleet = '${prefix}'`, undefined, 'nextAsTwin');
  assert.deepEqual(page.map((twin) => twin.deviceId), ids);
  assert.equal(page[1].tags.floor, 1);
  assert.equal(page[1].properties.desired.$version, 1);
  await page[1].update({ tags: { floor: 7 } });
  const [again] = await pages(`SELECT tags.floor AS floor FROM devices WHERE deviceId = '${ids[1]}'`);
  assert.deepEqual(again, [{ floor: 7 }]);
});

test('query: pages of the size that was asked for, and an end', async () => {
  const { prefix, ids } = await createFleet(5);
  const all = await pages(`SELECT deviceId FROM devices WHERE STARTSWITH(deviceId, '${prefix}')`, 2);
  assert.deepEqual(all.map((page) => page.length), [2, 2, 1]);
  assert.deepEqual(all.flat().map((row) => row.deviceId), ids);
  assert.deepEqual((await pages(`SELECT * FROM devices WHERE deviceId IN ['${ids[0]}', '${ids[4]}']`, 2, 'nextAsTwin')).map((page) => page.length), [2]);
  assert.deepEqual(await pages(`SELECT * FROM devices WHERE deviceId = '${prefix}'`), [[]]);
});

test('query: conditions, projections and groups', async () => {
  const { prefix, ids } = await createFleet(4);
  const where = `tags.fleet = '${prefix}'`;
  const rows = async (text) => (await pages(text)).flat();
  assert.deepEqual(await rows(`SELECT deviceId AS id, tags.floor FROM devices WHERE ${where} AND tags.floor >= 2`), [{ id: ids[2], floor: 2 }, { id: ids[3], floor: 3 }]);
  assert.deepEqual(await rows(`SELECT COUNT() AS n, AVG(tags.floor) AS mean FROM devices WHERE ${where}`), [{ n: 4, mean: 1.5 }]);
  assert.deepEqual(await rows(`SELECT status, COUNT() AS n FROM devices WHERE ${where} GROUP BY status`), [{ status: 'enabled', n: 4 }]);
});

test('query: a connected device is connected at once', async (t) => {
  const { id, connectionString } = await createDevice();
  const connected = async () => (await pages(`SELECT deviceId FROM devices WHERE deviceId = '${id}' AND connectionState = 'Connected'`)).flat().length;
  assert.equal(await connected(), 0);
  await open(t, connectionString);
  assert.equal(await connected(), 1);
});

test('query: modules of a device', async () => {
  const { id } = await createDevice();
  const { moduleId } = await createModule(id);
  const [page] = await pages(`SELECT * FROM devices.modules WHERE deviceId = '${id}'`, undefined, 'nextAsTwin');
  assert.deepEqual(page.map((twin) => [twin.deviceId, twin.moduleId]), [[id, moduleId]]);
});

test('query: what is wrong is an ArgumentError', async () => {
  await assert.rejects(registry.createQuery('SELECT * FROM devices WHERE').next(), (error) => error.name === 'ArgumentError');
});
