/** The line between coordinator and worker: only the protocol gets through, in order, and its end is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noNodeCounts } from '../../src/metrics/node-counts.ts';
import { emptySnapshot } from '../../src/metrics/snapshot.ts';
import { localLinks } from '../../src/protocol/link.ts';
import type { ReadUpMessage } from '../../src/protocol/messages.ts';
import { packSnapshot } from '../../src/protocol/packed-snapshot.ts';
import { parseDownMessage, parseUpMessage } from '../../src/protocol/parse-message.ts';

const sender = { workerIndex: 3, incarnation: 1 };
const good: readonly ReadUpMessage[] = [
  { type: 'ready', ...sender, protocolVersion: 1, pid: 42, nodeVersion: 'v24.0.0' },
  { type: 'progress', ...sender, snapshot: emptySnapshot(3) },
  {
    type: 'progress',
    ...sender,
    snapshot: {
      ...emptySnapshot(3),
      errors: [{ class: 'closed', code: null, rows: 5, batches: 1, example: 'x' }],
      nodes: [{ ...noNodeCounts(), requests: 2, outages: [{ fromMs: 15, toMs: null, why: 'refused' }] }],
      waiting: { cause: 'outage', detail: 'refused', sinceNs: 5n },
    },
  },
  { type: 'drained', ...sender, end: 'done', detail: '', snapshot: emptySnapshot(3) },
  { type: 'failed', ...sender, error: { name: 'Error', message: 'm' }, snapshot: emptySnapshot(3) },
  { type: 'batch', ...sender, line: 'batch 1' },
];

/** As its sender sends it. */
function sent(message: ReadUpMessage): object {
  return structuredClone(
    'snapshot' in message ? { ...message, snapshot: packSnapshot(message.snapshot) } : message,
  );
}

test('every message of the protocol is read as it was sent', () => {
  for (const message of good) assert.deepEqual(parseUpMessage(sent(message)), { ok: true, message });
});

test('anything else is refused with a reason, and never throws', () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true, withMap: true }),
      (value) => {
        for (const parse of [parseUpMessage, parseDownMessage]) {
          const parsed = parse(value);
          assert.equal(parsed.ok, false);
          assert.ok(!parsed.ok && parsed.why.length > 0);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

/** Paths of all fields of a message, so that each can be spoilt. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]));
}

function spoil(message: object, path: readonly string[], wrong: unknown): object {
  const copy: Record<string, unknown> = structuredClone(message) as Record<string, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1) ?? ''] = wrong;
  return copy;
}

test('one spoilt field makes a message refused', () => {
  const wrongs = [NaN, -1, 1.5, Infinity, 2 ** 53, {}, [], undefined, new Uint8Array(4)];
  for (const message of good.map(sent)) {
    assert.equal(parseUpMessage({ ...message, stranger: 1 }).ok, false);
    for (const path of pathsOf(message)) {
      for (const wrong of wrongs) {
        const said = `${path.join('.')} = ${JSON.stringify(wrong)} of ${JSON.stringify(message)}`;
        assert.equal(parseUpMessage(spoil(message, path, wrong)).ok, false, said);
      }
    }
  }
});

test('a message with strangers or a changed prototype is refused and pollutes nothing', () => {
  const polluted: unknown = JSON.parse(
    '{"type":"batch","workerIndex":0,"incarnation":0,"line":"x","__proto__":{"polluted":true}}',
  );
  assert.equal(parseUpMessage(polluted).ok, false);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  assert.equal(parseUpMessage({ type: 'constructor' }).ok, false);
  assert.equal(parseUpMessage({ type: '__proto__' }).ok, false);
});

test('a local line delivers copies in order, also what was sent before anybody listened, and tells its end once', async () => {
  const { parent, child } = localLinks<{ n: number; inner: { list: number[] } }, { n: number }>();
  const message = { n: 1, inner: { list: [1] } };
  await parent.send(message);
  message.inner.list.push(2);
  await parent.send({ ...message, n: 2 });
  const received: unknown[] = [];
  const closed = new Promise<void>((resolve) => child.onClose(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  child.onMessage((raw) => received.push(raw));
  parent.disconnect();
  parent.disconnect();
  await closed;
  assert.deepEqual(received, [
    { n: 1, inner: { list: [1] } },
    { n: 2, inner: { list: [1, 2] } },
  ]);
  await assert.rejects(child.send({ n: 3 }), /closed/);
});
