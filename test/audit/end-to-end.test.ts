/**
 * Client, audit and generator against the sandbox, whose side of the wire was written separately: whatever goes
 * wrong on the way, the rows that are held to be stored in the end are exactly those that the server has.
 */
import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { COUNT_TIMES, verifyByCount } from '../../src/audit/count.ts';
import { type UnknownBatch, resolveUnknown } from '../../src/audit/resolve.ts';
import { type OfferedBatch, type RowVerification, verifyRows } from '../../src/audit/verify-rows.ts';
import { systemClock } from '../../src/base/clock.ts';
import { type CrateClient, createClient } from '../../src/cratedb/client.ts';
import {
  describeTable,
  isKeyed,
  runDdl,
  runningInserts,
  serverFacts,
  shardState,
} from '../../src/cratedb/introspect.ts';
import type { AttemptOutcome } from '../../src/cratedb/outcome.ts';
import { countRun, deleteRun, refresh } from '../../src/cratedb/statements.ts';
import { createBatchBodies } from '../../src/rows/batch-body.ts';
import { createTableSql, insertForm } from '../../src/rows/ddl.ts';
import type { RowPlan } from '../../src/rows/row-format.ts';
import { makeRowPlan } from '../../src/rows/row-plan.ts';
import { buildPools } from '../../src/rows/pools.ts';
import { presetSchema } from '../../src/rows/presets.ts';
import { createReferenceGenerator } from '../../src/rows/reference/reference-generator.ts';
import type { TableSchema } from '../../src/rows/schema.ts';
import { faults, sandboxFor } from '../support/sandbox.ts';
import { accessTo } from '../support/access.ts';

const TABLE = { schema: 'crategen', table: 'records' } as const;
const BATCH_SIZE = 50;
const BATCHES = 16;

function records(): TableSchema {
  const schema = presetSchema('records');
  assert.ok(schema !== null);
  return schema;
}

async function rowPlan(): Promise<RowPlan> {
  const schema = records();
  return makeRowPlan(
    schema,
    { seed: 7, runId: 'r', timeOriginMs: 1_700_000_000_000 },
    await buildPools(schema),
  );
}

interface Bench {
  readonly client: CrateClient;
  readonly plan: RowPlan;
  readonly keyed: boolean;
  readonly timeoutMs: number;
}

/** Faults that only a deadline ends; for all others it is far away, however slow this host is. */
const SILENT = /silence|drip|wrong-length|endless/;

async function benchOf(
  t: TestContext,
  plan: RowPlan,
  keyed: boolean,
  faultTexts: readonly string[],
): Promise<Bench> {
  const sandbox = await sandboxFor(t, { faults: faults(...faultTexts) });
  const client = createClient(accessTo(sandbox.url), { connectionsPerNode: 4 });
  t.after(() => client.destroy());
  const ddl = createTableSql(records(), {
    table: TABLE,
    key: keyed,
    shards: 4,
    replicas: null,
    ifNotExists: false,
  });
  assert.deepEqual(await runDdl(client, ddl), { ok: true, value: 1 });
  return { client, plan, keyed, timeoutMs: faultTexts.some((fault) => SILENT.test(fault)) ? 1_000 : 20_000 };
}

interface Sent {
  readonly batch: number;
  readonly outcome: AttemptOutcome;
}

/** Sends every batch once, four at a time. */
async function sendAll({ client, plan, keyed, timeoutMs }: Bench): Promise<readonly Sent[]> {
  const conflictColumns = keyed ? ['run_id', 'seq'] : null;
  const form = insertForm(records(), TABLE, { conflictColumns, path: 'bulk-args' });
  const sent: Sent[] = [];
  let next = 0;
  const slot = async (): Promise<void> => {
    const [body] = createBatchBodies(form, createReferenceGenerator(plan), BATCH_SIZE, 1);
    assert.ok(body);
    while (next < BATCHES) {
      const batch = next;
      next += 1;
      const request = {
        rows: BATCH_SIZE,
        keyed,
        form,
        contentEncoding: null,
        timeoutMs,
        signal: null,
        onHandedOver: () => {},
      };
      sent.push({
        batch,
        outcome: await client.insert(0, body.write(batch * BATCH_SIZE, BATCH_SIZE), request),
      });
    }
  };
  await Promise.all([slot(), slot(), slot(), slot()]);
  return sent.toSorted((a, b) => a.batch - b.batch);
}

function unknownOf({ batch, outcome }: Sent): UnknownBatch {
  const { acknowledged, unknown } = outcome.rows;
  // Long enough ago to believe the server that nothing runs any more.
  return {
    firstRow: batch * BATCH_SIZE,
    rows: BATCH_SIZE,
    acknowledged,
    unknown,
    lastByteAtMs: systemClock.monotonicMs() - 10_000,
  };
}

async function rowsOf(bench: Bench, batches: readonly OfferedBatch[]): Promise<RowVerification> {
  const compare = (_column: unknown, sent: unknown, got: unknown) =>
    isDeepStrictEqual(sent, got) ? 'equal' : 'different';
  const run = { plan: bench.plan, schema: records(), table: TABLE, runId: 'r', batches, share: null };
  const answer = await verifyRows(bench.client, run, { compare });
  assert.ok(answer.ok, answer.ok ? '' : answer.message);
  return answer.value;
}

const NONE = { rows: 0, seqs: [] };

/** Sends, resolves, counts and compares: nothing may stay unknown, be lost, doubled or too many. */
async function settles(bench: Bench): Promise<readonly Sent[]> {
  const sent = await sendAll(bench);
  const { client, keyed } = bench;
  const batches = sent.filter(({ outcome }) => outcome.rows.unknown > 0).map(unknownOf);
  const resolution = await resolveUnknown(
    client,
    { table: TABLE, runId: 'r', batchSize: BATCH_SIZE, batches },
    { clock: systemClock, budgetMs: 5_000 },
  );
  assert.equal(resolution.stillUnknown, 0, resolution.detail);
  const acknowledged =
    sent.reduce((sum, { outcome }) => sum + outcome.rows.acknowledged, 0) + resolution.stored;
  const rows = { table: TABLE, runId: 'r', range: null, share: null };
  const verification = await verifyByCount(
    client,
    { rows, acknowledged, unknown: 0, keyed },
    { clock: systemClock, ...COUNT_TIMES },
  );
  assert.equal(verification.verdict, 'match', verification.detail);
  const found = new Map(resolution.perBatch.map(({ firstRow, stored }) => [firstRow, stored]));
  const offered = sent.map(({ batch, outcome }) => {
    const firstRow = batch * BATCH_SIZE;
    return {
      firstRow,
      rows: BATCH_SIZE,
      acknowledged: outcome.rows.acknowledged + (found.get(firstRow) ?? 0),
    };
  });
  const { checked, lost, duplicated, altered, unexpected } = await rowsOf(bench, offered);
  assert.deepEqual(
    { checked, lost, duplicated, altered, unexpected },
    { checked: acknowledged, lost: NONE, duplicated: NONE, altered: NONE, unexpected: NONE },
  );
  return sent;
}

const FAULTS: readonly (readonly [fault: string, classes: string])[] = [
  ['reset:before-reply%40', 'closed'],
  ['reset:mid-request%40', 'closed'],
  ['reset:mid-headers%40', 'closed'],
  ['reset:mid-body%40', 'closed'],
  ['silence:stored%20', 'timeout'],
  ['silence:lost%20', 'timeout'],
  ['drip%20', 'timeout'],
  ['429%40', 'overloaded'],
  ['503%40', 'overloaded'],
  ['401%30', 'unauthorized'],
  ['redirect%30', 'redirect'],
  ['not-recovered%30', 'notRecovered'],
  ['overload:30%50', 'queueFull'],
  ['breaker:100%50', 'breaker'],
  ['bare:30%50', 'unexplained'],
  ['unavailable:30%50', 'shardUnavailable'],
  ['blocked:4037%30', 'blocked'],
  ['invalid-json%40', 'badReply'],
  ['wrong-results%40', 'badReply'],
  ['no-rowcount%40', 'badReply'],
  ['truncated%40', 'badReply|closed'],
  ['wrong-length%20', 'badReply|closed|timeout'],
  ['big-header%40', 'badReply'],
  ['endless%10', 'badReply|timeout'],
];

describe('against the sandbox', async () => {
  const plan = await rowPlan();

  for (const keyed of [true, false]) {
    const table = keyed ? 'a keyed table' : 'a table without a key';
    test(`Rows of ${table} are acknowledged, counted and the same.`, async (t) => {
      const sent = await settles(await benchOf(t, plan, keyed, []));
      assert.ok(sent.every(({ outcome }) => outcome.rows.acknowledged === BATCH_SIZE));
    });

    for (const [fault, classes] of FAULTS) {
      test(`With ${fault} the rows of ${table} are settled exactly.`, async (t) => {
        const sent = await settles(await benchOf(t, plan, keyed, [fault]));
        const met = new Set(sent.flatMap(({ outcome }) => outcome.failures.map((failure) => failure.class)));
        assert.ok(met.size > 0, 'the fault was met');
        assert.match([...met].join(), new RegExp(`^(${classes})(,(${classes}))*$`));
      });
    }
  }

  test('With own-duplicate a keyed table acknowledges rows that the server calls duplicates of its own first try.', async (t) => {
    const sent = await settles(await benchOf(t, plan, true, ['own-duplicate:30%50']));
    assert.ok(sent.every(({ outcome }) => outcome.rows.acknowledged === BATCH_SIZE));
  });

  test('A row that is deleted, changed or doubled by hand is found.', async (t) => {
    const bench = await benchOf(t, plan, false, []);
    const sent = await settles(bench);
    const by = (statement: string) => bench.client.query(statement, [], { timeoutMs: 5_000 });
    for (const statement of [
      'DELETE FROM crategen.records WHERE seq = 17',
      "UPDATE crategen.records SET city = 'elsewhere' WHERE seq = 99",
      "INSERT INTO crategen.records (run_id, seq, ts) VALUES ('r', 5, 0), ('r', 100000, 0)",
    ]) {
      const reply = await by(statement);
      assert.equal(reply.ok, true, statement);
    }
    const found = await rowsOf(
      bench,
      sent.map(({ batch }) => ({ firstRow: batch * BATCH_SIZE, rows: BATCH_SIZE, acknowledged: BATCH_SIZE })),
    );
    assert.deepEqual(
      [found.lost, found.duplicated, found.altered, found.unexpected],
      [
        { rows: 1, seqs: [17] },
        { rows: 1, seqs: [5] },
        { rows: 2, seqs: [5, 99] },
        { rows: 1, seqs: [100_000] },
      ],
    );
  });

  test('What is asked about the server and the table is answered.', async (t) => {
    const bench = await benchOf(t, plan, true, []);
    await sendAll(bench);
    const { client } = bench;
    const facts = await serverFacts(client);
    assert.deepEqual(facts.ok && [facts.value.kind, facts.value.version], ['sandbox', '6.4.3']);
    const table = await describeTable(client, TABLE);
    assert.ok(table.ok && table.value.exists);
    assert.equal(isKeyed(table.value.primaryKey, table.value.partitionedBy), true);
    assert.deepEqual(await shardState(client, TABLE), {
      missingPrimaries: 0,
      initializing: 0,
      relocating: 0,
    });
    assert.equal(await runningInserts(client, TABLE), 0);
    const half = { batchSize: BATCH_SIZE, workers: 4, from: 1, to: 3 };
    await refresh(client, TABLE);
    assert.deepEqual(await countRun(client, { table: TABLE, runId: 'r', range: null, share: half }), {
      ok: true,
      value: (BATCHES * BATCH_SIZE) / 2,
    });
    assert.deepEqual(await deleteRun(client, TABLE, 'r'), { ok: true, value: BATCHES * BATCH_SIZE });
  });
});
