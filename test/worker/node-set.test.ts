/** Which node is chosen, when one rests and what brings it back, under a virtual clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeGreeting } from '../../src/cratedb/greeting.ts';
import type { AttemptOutcome, FailureClass } from '../../src/cratedb/outcome.ts';
import { type Lease, type NodeSet, createNodeSet } from '../../src/worker/node-set.ts';
import { type VirtualClock, createVirtualClock } from '../support/virtual-clock.ts';
import { outcomeOf } from './simulated-target.ts';

const WELL: NodeGreeting = { ok: true, kind: 'cratedb', version: '6.4.3', clusterName: 'c', name: 'n' };
const NEVER = new AbortController().signal;
const LIMIT_MS = 60_000;

interface Fixture {
  readonly clock: VirtualClock;
  readonly nodes: NodeSet;
  /** Node numbers that were greeted, in order. */
  readonly greeted: number[];
  /** `0 out`, `0 back`, in order. */
  readonly told: string[];
  readonly take: () => Promise<Lease>;
}

function fixture(nodeCount: number, greeting: (node: number) => NodeGreeting = () => WELL): Fixture {
  const clock = createVirtualClock();
  const [greeted, told]: [number[], string[]] = [[], []];
  const nodes = createNodeSet({
    nodeCount,
    firstNode: 0,
    clock,
    random: () => 0.5,
    greet: (node) => {
      greeted.push(node);
      return Promise.resolve(greeting(node));
    },
    onOutage: (node, why) => void told.push(`${node} ${why === null ? 'back' : 'out'}`),
  });
  const take = async (): Promise<Lease> => {
    const lease = await clock.runUntil(nodes.acquire(NEVER), LIMIT_MS);
    assert.ok(lease);
    return lease;
  };
  return { clock, nodes, greeted, told, take };
}

function outcomeAs(name: FailureClass | null, condition: AttemptOutcome['condition']): AttemptOutcome {
  const isGood = name === null;
  return outcomeOf(
    { acknowledged: isGood ? 1 : 0, rejected: 0, notStored: 0, unknown: isGood ? 0 : 1 },
    { condition, failures: isGood ? [] : [{ class: name, code: null, rows: 1, example: name }] },
  );
}

const GOOD = outcomeAs(null, 'good');
const CLOSED = outcomeAs('closed', 'troubled');
const REFUSED = outcomeAs('refused', 'unreachable');

test('nodes take turns, and one with requests that hang is passed over for those with fewer', async () => {
  const { nodes, take } = fixture(3);
  const first = [await take(), await take(), await take()];
  assert.deepEqual(
    first.map(({ node }) => node),
    [0, 1, 2],
  );
  // Node 0 hangs with its request; the others answer.
  for (let round = 0; round < 3; round += 1) {
    for (const lease of first.slice(1)) nodes.release(lease, GOOD);
    first.splice(1, 2, await take(), await take());
    assert.deepEqual(
      first.map(({ node }) => node),
      [0, 1, 2],
    );
  }
});

test('a node that closes every connection would be the least busy: after three in a row it rests', async () => {
  const { nodes, take, told, greeted } = fixture(2);
  for (let failures = 0; failures < 3;) {
    const lease = await take();
    nodes.release(lease, lease.node === 0 ? CLOSED : GOOD);
    if (lease.node === 0) failures += 1;
  }
  assert.deepEqual(told, ['0 out']);
  assert.deepEqual([(await take()).node, (await take()).node], [1, 1]);
  assert.deepEqual(greeted, []);
});

test('where no other node does well, failures in a row are no reason to rest', async () => {
  const { nodes, take, told } = fixture(1);
  for (let failures = 0; failures < 10; failures += 1) nodes.release(await take(), CLOSED);
  assert.deepEqual(told, []);
});

test('who let nobody in is greeted until it answers, and then tried by one request alone', async () => {
  let isBack = false;
  const silent: NodeGreeting = { ok: false, class: 'timeout', condition: 'troubled', message: '' };
  const { clock, nodes, take, told, greeted } = fixture(2, () => (isBack ? WELL : silent));
  nodes.release(await take(), REFUSED);
  const atOnce = async (): Promise<number[]> => {
    const leases = [await take(), await take(), await take()];
    leases.forEach((lease) => nodes.release(lease, GOOD));
    await clock.runUntil(clock.sleep(1300), LIMIT_MS);
    return leases.map(({ node }) => node);
  };
  for (let second = 0; second < 3; second += 1) assert.deepEqual(await atOnce(), [1, 1, 1]);
  assert.ok(greeted.length >= 2 && greeted.every((node) => node === 0), greeted.join());
  isBack = true;
  assert.deepEqual(
    (await atOnce()).toSorted((a, b) => a - b),
    [0, 1, 1],
  );
  assert.deepEqual(told, ['0 out', '0 back']);
});

test('a proxy that answers greetings with an error of its own keeps no node out', async () => {
  const odd: NodeGreeting = { ok: false, class: 'badReply', condition: 'troubled', message: 'HTTP 404' };
  const { nodes, take, told } = fixture(1, () => odd);
  nodes.release(await take(), REFUSED);
  nodes.release(await take(), GOOD);
  assert.deepEqual(told, ['0 out', '0 back']);
});

test('a request from before an outage that times out after it does not send the node to rest again', async () => {
  const { clock, nodes, take, told } = fixture(1);
  const [old, other] = [await take(), await take()];
  nodes.release(other, REFUSED);
  nodes.release(await take(), GOOD);
  await clock.runUntil(clock.sleep(10), LIMIT_MS);
  nodes.release(old, outcomeAs('timeout', 'troubled'));
  assert.deepEqual(told, ['0 out', '0 back']);
  assert.equal(nodes.waiting(), null);
});
