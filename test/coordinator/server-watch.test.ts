/** Asking the server beside a run: the numbers on the run's time axis, and one line where they cannot be had. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { TargetKind } from '../../src/base/target-kind.ts';
import { createServerWatch } from '../../src/coordinator/server-watch.ts';
import type { CrateClient } from '../../src/cratedb/client.ts';
import type { QueryReply } from '../../src/cratedb/query-reply.ts';
import { clientOf } from '../cratedb/support.ts';
import { accessTo } from '../support/access.ts';
import { faults, sandboxFor } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { type VirtualClock, createVirtualClock } from '../support/virtual-clock.ts';

const TABLE = { schema: 'crategen', table: 'records' };

interface Recorded {
  readonly name: string;
  readonly stmt: string;
  readonly rows?: readonly (readonly unknown[])[];
  readonly error?: { readonly code: number; readonly message: string };
}

/** A version that is asked all at once. */
const VERSION = '6.4.3';
/** One that is asked one question after the other. */
const OLD_VERSION = '6.4.2';
const NODE_ID = '65P-rgkWQ46U7nK_TRVS5g';

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
      greet: unused,
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
  version: string | null = VERSION,
  kind: TargetKind = 'cratedb',
): { readonly watch: ReturnType<typeof createServerWatch>; readonly notes: string[] } {
  const notes: string[] = [];
  const startMs = clock.monotonicMs();
  const watch = createServerWatch({
    client,
    clock,
    table: TABLE,
    user: 'app',
    kind,
    version,
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

const TIME_IS_UP: QueryReply = {
  ok: false,
  class: 'timeout',
  code: null,
  message: 'no complete reply within 4.0 s',
  handedOver: true,
};

test('the server is asked every two seconds, all in one statement, and its burden is told', async () => {
  const clock = createVirtualClock();
  const { client, asked, most } = recordedClient(clock);
  const { watch, notes } = watchFor(clock, client);
  await runFor(clock, watch, 5000);
  const { nodes, samples, overhead } = watch.telemetry();
  assert.deepEqual(
    samples.map(({ tMs }) => tMs),
    [100, 2100, 4100],
    'when it had answered',
  );
  assert.deepEqual(nodes, [{ name: 'versions', version: '6.4.3', cores: 2, heapMaxBytes: 536_870_912 }]);
  assert.equal(samples[0]?.nodes[0]?.load1, 19.2);
  assert.equal(samples[0]?.translogBytes, 5_069_822);
  assert.equal(samples[0]?.health, 'GREEN');
  assert.equal(most(), 1);
  assert.deepEqual(overhead, { queries: 3, meanMs: 100 });
  assert.equal(asked.length, 3);
  assert.deepEqual(notes, []);
  assert.deepEqual(watch.view().latest, samples.at(-1));
});

test('an older server is asked one question after the other, for the same', async () => {
  const clock = createVirtualClock();
  const { client, asked, most } = recordedClient(clock);
  const { watch, notes } = watchFor(clock, client, OLD_VERSION);
  await runFor(clock, watch, 3000);
  const { samples, overhead } = watch.telemetry();
  assert.deepEqual(
    samples.map(({ tMs, translogBytes, health }) => [tMs, translogBytes, health]),
    [
      [100, 6_197_950, 'GREEN'],
      [2100, 6_197_950, 'GREEN'],
    ],
    'when sys.nodes had answered',
  );
  assert.equal(samples[0]?.nodes[0]?.cpuPercent, 22);
  assert.equal(most(), 1);
  assert.equal(asked.length, 8);
  assert.deepEqual(overhead, { queries: 8, meanMs: 100 });
  assert.deepEqual(notes, []);
});

test('a target that discards is only asked for its own load', async () => {
  const clock = createVirtualClock();
  const { client, asked } = recordedClient(clock);
  const { watch, notes } = watchFor(clock, client, VERSION, 'discard');
  await runFor(clock, watch, 1000);
  assert.equal(asked.length, 1);
  assert.match(asked[0] ?? '', /FROM sys\.nodes$/);
  assert.equal(watch.telemetry().samples[0]?.nodes[0]?.cpuPercent, 22);
  assert.deepEqual(notes, []);
});

test('INSERTs are those between two answers, and a restarted node that counts anew gives none', async () => {
  const clock = createVirtualClock();
  const counts = [
    [NODE_ID, 1000, 50_000],
    [NODE_ID, 1100, 62_000],
    [NODE_ID, 5, 100],
    [NODE_ID, 25, 300],
  ];
  const { client } = recordedClient(clock, (statement) => {
    if (!statement.includes('sys.jobs_metrics')) return null;
    return { ok: true, columns: [], rows: [counts.shift() ?? []], rowcount: 1, durationMs: 1 };
  });
  const { watch } = watchFor(clock, client, OLD_VERSION);
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

test('nodes come, go and come back under another name: each keeps its number', async () => {
  const clock = createVirtualClock();
  const node = (id: string, name: string, version: string | null = '6.4.2'): readonly unknown[] =>
    version === null
      ? [id, name, ...Array<null>(12).fill(null)]
      : [id, name, version, 4, 10, 1, 2, 3, ['write'], [0], [0], [0], 1, 2];
  const rounds = [
    [node('b-id', 'b', null), node('a-id', 'a')],
    [node('a-id', 'a')],
    [node('c-id', 'c'), node('b-id', 'b'), node('a-id', 'a')],
    [node('b-id', 'b again', '6.4.3'), node('c-id', 'c')],
  ];
  const { client } = recordedClient(clock, (statement) => {
    if (!statement.includes('sys.nodes')) return null;
    const rows = rounds.shift() ?? [];
    return { ok: true, columns: [], rows, rowcount: rows.length, durationMs: 1 };
  });
  const { watch, notes } = watchFor(clock, client, OLD_VERSION);
  await runFor(clock, watch, 7000);
  const { nodes, samples } = watch.telemetry();
  assert.deepEqual(
    nodes.map(({ name, version, cores }) => [name, version, cores]),
    [
      ['a', '6.4.2', 4],
      ['b again', '6.4.3', 4],
      ['c', '6.4.2', 4],
    ],
  );
  assert.deepEqual(
    samples.map((sample) => sample.nodes.map((each) => [each.node, each.cpuPercent])),
    [
      [
        [0, 40],
        [1, null],
      ],
      [[0, 40]],
      [
        [0, 40],
        [1, 40],
        [2, 40],
      ],
      [
        [1, 40],
        [2, 40],
      ],
    ],
  );
  assert.deepEqual(notes, []);
});

test('a column that this version lacks is left out from then on, and said once', async () => {
  const clock = createVirtualClock();
  const { client, asked } = recordedClient(clock, (statement) => {
    if (!statement.includes("load['1']")) return null;
    const message = "ColumnUnknownException[Column load['1'] unknown]";
    return { ok: false, class: 'statement', code: 4043, message, handedOver: true };
  });
  const { watch, notes } = watchFor(clock, client);
  await runFor(clock, watch, 5000);
  const note = "load['1'] is not measured, because this version does not have it";
  assert.deepEqual(notes, [note]);
  assert.equal(watch.telemetry().note, note);
  assert.equal(asked.length, 1 + 4 + 2, 'all at once, each for itself, and twice all at once without it');
});

test('a load that would cost the server an open file each time is not asked for', async () => {
  const clock = createVirtualClock();
  const { client, asked } = recordedClient(clock);
  const { watch, notes } = watchFor(clock, client, '5.0.1');
  await runFor(clock, watch, 3000);
  assert.deepEqual(notes, [
    "load['1'] is not measured, because CrateDB 5.0.1 leaves a file open each time it is asked for it",
  ]);
  assert.ok(asked.every((statement) => !statement.includes("load['1']")));
});

test('a node of such a version among newer ones is noticed when it says so', async () => {
  const clock = createVirtualClock();
  const rows = [['i', 'old', '4.8.3', 2, 10, 1, 2, 3, ['write'], [0], [0], [0], 1, 2]];
  const { client, asked } = recordedClient(clock, (statement) =>
    statement.includes('sys.nodes') ? { ok: true, columns: [], rows, rowcount: 1, durationMs: 1 } : null,
  );
  const { watch, notes } = watchFor(clock, client, OLD_VERSION);
  await runFor(clock, watch, 3000);
  assert.equal(notes.length, 1);
  assert.equal(asked.filter((statement) => statement.includes("load['1']")).length, 1);
});

test('a server that does not answer in time costs a sample, no note and no second question at once', async () => {
  const clock = createVirtualClock();
  const { client, most } = recordedClient(clock, (statement, asked) =>
    statement.includes('sys.nodes') && asked === 1 ? TIME_IS_UP : null,
  );
  const { watch, notes } = watchFor(clock, client, OLD_VERSION);
  await runFor(clock, watch, 3000);
  assert.deepEqual(notes, []);
  assert.deepEqual(
    watch.telemetry().samples.map(({ nodes, health }) => [nodes.length, health]),
    [
      [0, 'GREEN'],
      [1, 'GREEN'],
    ],
  );
  assert.equal(most(), 1);
});

test('a question whose time is up is left out for five rounds, so that a node that hangs takes the others with it once', async () => {
  const clock = createVirtualClock();
  const { client, asked } = recordedClient(clock, (statement) =>
    statement.includes('sys.jobs_metrics') ? TIME_IS_UP : null,
  );
  const { watch, notes } = watchFor(clock, client);
  await runFor(clock, watch, 13_000);
  assert.equal(watch.telemetry().samples.length, 7);
  assert.deepEqual(
    asked.map((statement) => statement.match(/FROM sys\.\w+/g)?.length),
    [4, 1, 1, 1, 1, 3, 3, 3, 3, 3, 4, 1, 1, 1, 1],
  );
  assert.deepEqual(notes, ['sys.jobs_metrics has not answered (no complete reply within 4.0 s)']);
});

test('a server that has no time for all at once is asked one by one for five rounds', async () => {
  const clock = createVirtualClock();
  const { client, asked } = recordedClient(clock, (statement) =>
    statement.includes('UNION') ? TIME_IS_UP : null,
  );
  const { watch, notes } = watchFor(clock, client);
  await runFor(clock, watch, 13_000);
  assert.equal(watch.telemetry().samples.length, 7);
  assert.deepEqual(
    asked.map((statement) => statement.match(/FROM sys\.\w+/g)?.length),
    [4, ...Array<number>(24).fill(1), 4, 1, 1, 1, 1],
  );
  assert.deepEqual(notes, []);
});

test('asked one by one, a question is left out after the second time that its time is up', async () => {
  const clock = createVirtualClock();
  const { client, asked } = recordedClient(clock, (statement) =>
    statement.includes('sys.jobs_metrics') ? TIME_IS_UP : null,
  );
  const { watch, notes } = watchFor(clock, client, OLD_VERSION);
  await runFor(clock, watch, 15_000);
  assert.deepEqual(notes, ['sys.jobs_metrics has not answered (no complete reply within 4.0 s)']);
  assert.equal(watch.telemetry().samples.length, 8);
  assert.equal(asked.filter((statement) => statement.includes('sys.jobs_metrics')).length, 3);
});

test('what each question can answer and all together cannot is asked one by one from then on', async () => {
  const clock = createVirtualClock();
  const { client, asked } = recordedClient(clock, (statement) =>
    statement.includes('UNION')
      ? { ok: false, class: 'serverError', code: 5000, message: 'ClassCastException[…]', handedOver: true }
      : null,
  );
  const { watch, notes } = watchFor(clock, client);
  await runFor(clock, watch, 5000);
  assert.equal(asked.filter((statement) => statement.includes('UNION')).length, 1);
  assert.equal(watch.telemetry().samples.length, 3);
  assert.deepEqual(notes, []);
});

test('a server that nobody answers for is asked once a round', async () => {
  const clock = createVirtualClock();
  const { client, asked } = recordedClient(clock, () => ({
    ok: false,
    class: 'refused',
    code: null,
    message: 'http://127.0.0.1:1: connect ECONNREFUSED',
    handedOver: false,
  }));
  const { watch, notes } = watchFor(clock, client, OLD_VERSION);
  await runFor(clock, watch, 5000);
  assert.equal(asked.length, 3);
  assert.deepEqual(notes, ['sys.nodes has not answered (http://127.0.0.1:1: connect ECONNREFUSED)']);
});

test('a cluster whose statistics are switched off is said to count no INSERTs', async () => {
  const clock = createVirtualClock();
  const { client } = recordedClient(clock, (statement) =>
    statement.includes('sys.jobs_metrics')
      ? { ok: true, columns: [], rows: [], rowcount: 0, durationMs: 1 }
      : null,
  );
  const { watch, notes } = watchFor(clock, client, OLD_VERSION);
  await runFor(clock, watch, 9000);
  assert.deepEqual(notes, [
    'sys.jobs_metrics has counted no INSERT so far; with stats.enabled = false it never does',
  ]);
  assert.equal(watch.telemetry().samples.at(-1)?.insertsPerSecond, null);
});

test('the words of a CrateDB to a user without privileges end in one line that names the GRANT', async () => {
  const clock = createVirtualClock();
  const refusal = answers.find(({ name }) => name === 'nodes, by that user')?.error;
  const { client, asked } = recordedClient(clock, () => ({
    ok: false,
    class: 'notRecovered',
    code: refusal?.code ?? null,
    message: refusal?.message ?? '',
    handedOver: true,
  }));
  const { watch, notes } = watchFor(clock, client);
  await runFor(clock, watch, 5000);
  assert.deepEqual(notes, [
    'sys.nodes, sys.jobs_metrics, sys.shards, sys.health cannot be read (SchemaUnknownException[Schema \'sys\' unknown]): GRANT DQL ON SCHEMA "sys" TO "app" would let it',
  ]);
  assert.equal(asked.length, 1 + 4);
});

test('a user who may not read sys.* is told so in one line, and nothing is asked again', async (context) => {
  const { watch, notes, sandbox } = await watchOfSandbox(context, ['no-sys']);
  await watch.run(context.signal);
  assert.equal(notes.length, 1);
  assert.match(
    notes[0] ?? '',
    /^sys\.nodes, sys\.jobs_metrics, sys\.health cannot be read \(.+\): GRANT DQL ON SCHEMA "sys" TO "app" would let it$/,
  );
  assert.equal(sandbox.stats().requests, 3);
  assert.deepEqual(watch.telemetry().samples, []);
});

test('the sandbox tells its own CPU, heap and INSERTs, and of shards nothing', async (context) => {
  const { watch, over } = await watchOfSandbox(context, []);
  const running = watch.run(over.signal);
  await until(() => watch.view().latest !== null);
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
    user: 'app',
    kind: 'sandbox',
    version: VERSION,
    elapsedMs: () => 0,
    onNote: (message) => notes.push(message),
  });
  return { watch, notes, sandbox, over: new AbortController() };
}
