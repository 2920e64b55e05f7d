'use strict';
const test = require('node:test');
const assert = require('node:assert/strict');
const { registry, freshId } = require('./hub');

async function createEdge(more = {}) {
  const id = freshId('edge');
  return (await registry.create({ deviceId: id, capabilities: { iotEdge: true }, ...more })).responseBody;
}

test('edge: an edge device has a scope, and its modules and their twins', async () => {
  const edge = await createEdge();
  assert.equal(edge.capabilities.iotEdge, true);
  assert.equal(edge.deviceScope, `ms-azure-iot-edge://${edge.deviceId}-${edge.generationId}`);
  const { responseBody: modules } = await registry.getModulesOnDevice(edge.deviceId);
  assert.deepEqual(modules.map((module) => module.moduleId).sort(), ['$edgeAgent', '$edgeHub']);
  assert.equal((await registry.getModuleTwin(edge.deviceId, '$edgeAgent')).responseBody.moduleId, '$edgeAgent');
  // As a tool sends a whole document back.
  assert.equal((await registry.update({ ...edge, statusReason: 'seen' })).responseBody.statusReason, 'seen');
});

test('edge: a leaf is placed below an edge device, by its scope', async () => {
  const edge = await createEdge();
  const { responseBody: leaf } = await registry.create({ deviceId: freshId('leaf'), deviceScope: edge.deviceScope, parentScopes: [edge.deviceScope] });
  assert.equal(leaf.deviceScope, edge.deviceScope);
  assert.deepEqual(leaf.parentScopes, [edge.deviceScope]);
  assert.deepEqual((await registry.getTwin(leaf.deviceId)).responseBody.parentScopes, [edge.deviceScope]);
});

test('edge: edge devices stand above each other', async () => {
  const above = await createEdge();
  const below = await createEdge({ parentScopes: [above.deviceScope] });
  assert.deepEqual(below.parentScopes, [above.deviceScope]);
  assert.notEqual(below.deviceScope, above.deviceScope);
});

test('edge: an unknown scope is an error', async () => {
  await assert.rejects(registry.create({ deviceId: freshId('leaf'), deviceScope: 'ms-azure-iot-edge://nobody-1' }), (error) => error.name === 'ArgumentError');
});

test('edge: bulk creates edge devices too', async () => {
  const id = freshId('edge');
  const { responseBody } = await registry.addDevices([{ deviceId: id, capabilities: { iotEdge: true } }]);
  assert.equal(responseBody.isSuccessful, true);
});
