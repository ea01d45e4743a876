/** Asking the server beside a run: the numbers on the run's time axis, and one line where they cannot be had. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { createServerWatch } from '../../src/coordinator/server-watch.ts';
import type { CrateClient } from '../../src/cratedb/client.ts';
import type { QueryReply } from '../../src/cratedb/query-reply.ts';
import { accessTo, clientOf } from '../cratedb/support.ts';
import { faults, sandboxFor } from '../e2e/support.ts';
import { type VirtualClock, createVirtualClock } from '../support/virtual-clock.ts';

const TABLE = { schema: 'crategen', table: 'records' };

interface Recorded {
  readonly name: string;
  readonly stmt: string;
  readonly rows?: readonly (readonly unknown[])[];
}

const { answers } = JSON.parse(
  readFileSync(new URL('../fixtures/telemetry.json', import.meta.url), 'utf8'),
) as { readonly answers: readonly Recorded[] };

/** A client that answers as recorded, after 100 ms, unless `instead` knows better; counts what is in the air. */
function recordedClient(
  clock: VirtualClock,
  instead: (statement: string, asked: number) => QueryReply | null = () => null,
): { readonly client: CrateClient; readonly asked: string[]; readonly most: () => number } {
  const asked: string[] = [];
  let [inAir, most] = [0, 0];
  const query: CrateClient['query'] = async (statement) => {
    asked.push(statement);
    most = Math.max(most, (inAir += 1));
    await clock.sleep(100);
    inAir -= 1;
    const own = instead(statement, asked.length);
    if (own !== null) return own;
    const rows = answers.find(({ stmt }) => stmt === statement)?.rows ?? [];
    return { ok: true, columns: [], rows, rowcount: rows.length, durationMs: 100 };
  };
  const unused = (): never => {
    throw new Error('only queries are asked');
  };
  return {
    client: {
      nodes: ['http://127.0.0.1:1'],
      query,
      insert: unused,
      root: unused,
      close: unused,
      destroy: unused,
    },
    asked,
    most: () => most,
  };
}

function watchFor(
  clock: VirtualClock,
  client: CrateClient,
  kind: 'cratedb' | 'discard' = 'cratedb',
): { readonly watch: ReturnType<typeof createServerWatch>; readonly notes: string[] } {
  const notes: string[] = [];
  const startMs = clock.monotonicMs();
  const watch = createServerWatch({
    client,
    clock,
    table: TABLE,
    kind,
    elapsedMs: () => clock.monotonicMs() - startMs,
    onNote: (message) => notes.push(message),
  });
  return { watch, notes };
}

async function runFor(
  clock: VirtualClock,
  watch: ReturnType<typeof createServerWatch>,
  ms: number,
): Promise<void> {
  const over = new AbortController();
  const running = watch.run(over.signal);
  await clock.runUntil(clock.sleep(ms), ms + 1);
  over.abort();
  await clock.runUntil(running, 10_000);
}

test('the server is asked every two seconds, one statement at a time, and its burden is told', async () => {
  const clock = createVirtualClock();
  const { client, asked, most } = recordedClient(clock);
  const { watch, notes } = watchFor(clock, client);
  await runFor(clock, watch, 5000);
  const { nodes, samples, overhead } = watch.telemetry();
  assert.deepEqual(
    samples.map(({ tMs }) => tMs),
    [100, 2100, 4100],
    'when sys.nodes had answered',
  );
  assert.deepEqual(nodes, [{ name: 'n1', version: '6.4.3', cores: 2, heapMaxBytes: 536_870_912 }]);
  assert.equal(samples[0]?.nodes[0]?.cpuPercent, 6);
  assert.equal(samples[0]?.health, 'GREEN');
  assert.equal(most(), 1);
  assert.deepEqual(overhead, { queries: 12, meanMs: 100 });
  assert.equal(asked.length, 12);
  assert.deepEqual(notes, []);
  assert.deepEqual(watch.view().latest, samples.at(-1));
});

test('INSERTs are those between two samples, and a restarted node that counts anew gives none', async () => {
  const clock = createVirtualClock();
  const counts = [
    [1000, 50_000],
    [1100, 62_000],
    [5, 100],
    [25, 300],
  ];
  const { client } = recordedClient(clock, (statement) => {
    if (!statement.includes('sys.jobs_metrics')) return null;
    return { ok: true, columns: [], rows: [counts.shift() ?? []], rowcount: 1, durationMs: 1 };
  });
  const { watch } = watchFor(clock, client);
  await runFor(clock, watch, 7000);
  assert.deepEqual(
    watch.telemetry().samples.map(({ insertsPerSecond, insertMeanMs }) => [insertsPerSecond, insertMeanMs]),
    [
      [null, null],
      [50, 120],
      [null, null],
      [10, 10],
    ],
  );
});

test('a column that this version lacks is left out from then on, and said once', async () => {
  const clock = createVirtualClock();
  const { client } = recordedClient(clock, (statement) => {
    if (!statement.includes("load['1']")) return null;
    const message = "ColumnUnknownException[Column load['1'] unknown]";
    return { ok: false, class: 'statement', code: 4043, message, handedOver: true };
  });
  const { watch, notes } = watchFor(clock, client);
  await runFor(clock, watch, 5000);
  assert.deepEqual(notes, ["this version has no load['1']"]);
  assert.equal(watch.telemetry().note, "this version has no load['1']");
});

test('a server that does not answer in time costs a sample, no note and no second question at once', async () => {
  const clock = createVirtualClock();
  const { client, most } = recordedClient(clock, (statement) =>
    statement.includes('sys.nodes')
      ? { ok: false, class: 'timeout', code: null, message: 'no reply', handedOver: true }
      : null,
  );
  const { watch, notes } = watchFor(clock, client);
  await runFor(clock, watch, 3000);
  assert.deepEqual(notes, []);
  assert.deepEqual(
    watch.telemetry().samples.map(({ nodes, health }) => [nodes.length, health]),
    [
      [0, 'GREEN'],
      [0, 'GREEN'],
    ],
  );
  assert.equal(most(), 1);
});

test('a user who may not read sys.* is told so in one line, and nothing is asked again', async (context) => {
  const { watch, notes, sandbox } = await watchOfSandbox(context, ['no-sys']);
  await watch.run(AbortSignal.timeout(10_000));
  assert.equal(notes.length, 1);
  assert.match(
    notes[0] ?? '',
    /^sys\.nodes, sys\.jobs_metrics, sys\.health cannot be read \(.+\): GRANT DQL ON SCHEMA sys would let it$/,
  );
  assert.equal(sandbox.stats().requests, 3);
  assert.deepEqual(watch.telemetry().samples, []);
});

test('the sandbox tells its own CPU, heap and INSERTs, and of shards nothing', async (context) => {
  const { watch, over } = await watchOfSandbox(context, []);
  const running = watch.run(over.signal);
  while (watch.view().latest === null) await new Promise((resolve) => setTimeout(resolve, 10));
  over.abort();
  await running;
  const { nodes, samples } = watch.telemetry();
  assert.deepEqual(
    nodes.map(({ name, cores }) => ({ name, cores })),
    [{ name: 'sandbox', cores: 1 }],
  );
  assert.ok((samples[0]?.nodes[0]?.heapUsedBytes ?? 0) > 1_000_000);
  assert.equal(samples[0]?.translogBytes, null);
});

async function watchOfSandbox(
  context: TestContext,
  faultTexts: readonly string[],
): Promise<{
  readonly watch: ReturnType<typeof createServerWatch>;
  readonly notes: string[];
  readonly sandbox: Awaited<ReturnType<typeof sandboxFor>>;
  readonly over: AbortController;
}> {
  const sandbox = await sandboxFor(context, { faults: faults(...faultTexts) });
  const notes: string[] = [];
  const watch = createServerWatch({
    client: clientOf(context, accessTo(sandbox.url)),
    clock: { ...createVirtualClock(), sleep: () => new Promise((resolve) => setTimeout(resolve, 10)) },
    table: TABLE,
    kind: 'sandbox',
    elapsedMs: () => 0,
    onNote: (message) => notes.push(message),
  });
  return { watch, notes, sandbox, over: new AbortController() };
}
