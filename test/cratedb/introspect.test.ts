import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../src/base/clock.ts';
import type { CrateClient } from '../../src/cratedb/client.ts';
import {
  clockSkew,
  describeTable,
  isKeyed,
  privileges,
  runDdl,
  runningInserts,
  serverFacts,
  shardState,
} from '../../src/cratedb/introspect.ts';
import {
  countDistinct,
  countPerBatch,
  countRun,
  countTable,
  deleteRun,
  lastRow,
  listRows,
  readRows,
  refresh,
} from '../../src/cratedb/statements.ts';
import { versionAtLeast } from '../../src/cratedb/version.ts';
import { clientOf, deadOrigin, httpServer } from './support.ts';
import { accessTo } from '../support/access.ts';

const TABLE = { schema: 'crategen', table: 'a"b' } as const;

interface Sent {
  readonly stmt: string;
  readonly args?: readonly unknown[];
}

type Line = readonly unknown[];

/** A server that answers `GET /` as 6.4.3 and each statement with the rows `answer` has for it; null is a 404. */
async function scripted(
  t: TestContext,
  answer: (sent: Sent) => readonly Line[] | number | null,
): Promise<{ client: CrateClient; sent: Sent[]; origin: string }> {
  const sent: Sent[] = [];
  const origin = await httpServer(t, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      if (request.method === 'GET')
        return response.end('{"ok":true,"name":"n1","cluster_name":"c","version":{"number":"6.4.3"}}');
      const body = JSON.parse(Buffer.concat(pieces).toString()) as Sent;
      sent.push(body);
      const rows = answer(body);
      if (rows === null)
        return response
          .writeHead(404)
          .end('{"error":{"message":"SchemaUnknownException[Schema \'sys\' unknown]","code":4045}}');
      if (typeof rows === 'number')
        return response.end(JSON.stringify({ cols: [], rows: [[]], rowcount: rows, duration: 1 }));
      const cols = (rows[0] ?? []).map((_value, index) => `c${index}`);
      return response.end(JSON.stringify({ cols, rows, rowcount: rows.length, duration: 1 }));
    });
  });
  return { client: clientOf(t, accessTo(origin)), sent, origin };
}

describe('server facts', () => {
  test('They name the version, the cluster and all its nodes.', async (t) => {
    const { client } = await scripted(t, () => [
      ['n1', '10.0.0.1:4200', '6.4.3', ['data', 'master_eligible'], 5432],
      ['n2', null, null, null, 0],
    ]);
    const facts = await serverFacts(client);
    assert.ok(facts.ok);
    assert.deepEqual(
      [facts.value.kind, facts.value.version, facts.value.clusterName],
      ['cratedb', '6.4.3', 'c'],
    );
    assert.deepEqual(facts.value.clusterNodes, {
      ok: true,
      value: [
        {
          name: 'n1',
          address: '10.0.0.1:4200',
          version: '6.4.3',
          roles: ['data', 'master_eligible'],
          pgPort: 5432,
        },
        { name: 'n2', address: null, version: null, roles: null, pgPort: null },
      ],
    });
  });

  test('A user who may not see the nodes still learns the version, and why not.', async (t) => {
    const { client } = await scripted(t, () => null);
    const facts = await serverFacts(client);
    assert.ok(facts.ok && !facts.value.clusterNodes.ok);
    assert.equal(facts.value.clusterNodes.code, 4045);
  });

  test('One node that lets us in is enough; the oldest version and a sandbox among them count.', async (t) => {
    const { origin } = await scripted(t, () => []);
    const old = await httpServer(t, (_request, response) =>
      response.end(
        '{"name":"o","cluster_name":"c","version":{"number":"6.2.1"},"crategen":{"kind":"sandbox"}}',
      ),
    );
    const facts = await serverFacts(clientOf(t, accessTo(await deadOrigin(t), origin, old)));
    assert.ok(facts.ok);
    assert.deepEqual([facts.value.version, facts.value.kind], ['6.2.1', 'sandbox']);
    assert.deepEqual(
      facts.value.greetings.map(({ greeting }) => greeting.ok),
      [false, true, true],
    );
  });

  test('When nobody lets us in, what a node said is told before that another is gone.', async (t) => {
    const locked = await httpServer(t, (_request, response) => response.writeHead(401).end('no entry'));
    const facts = await serverFacts(clientOf(t, accessTo(await deadOrigin(t), locked)));
    assert.deepEqual(!facts.ok && [facts.class, facts.message], ['unauthorized', 'HTTP 401: no entry']);
  });
});

describe('tables', () => {
  const answers =
    (nullable: unknown, settings: unknown, closed = false) =>
    ({ stmt }: Sent): readonly Line[] => {
      if (stmt.includes('key_column_usage')) return [['run_id'], ['seq'], ['day']];
      if (stmt.includes('.columns')) {
        return [
          ['run_id', 'text', 'NEVER', nullable],
          ['tags', 'object', 'NEVER', 'YES'],
          ["tags['arch']", 'text', 'NEVER', 'YES'],
          ['day', 'timestamp with time zone', 'ALWAYS', 'YES'],
        ];
      }
      return [[['day'], 6, '0-1', closed, settings]];
    };

  test('Columns, key, partitions, shards and replicas are read, sub-columns left out.', async (t) => {
    const { client, sent } = await scripted(t, answers('NO', { blocks: { write: false } }));
    const state = await describeTable(client, TABLE);
    assert.deepEqual(state.ok && state.value, {
      exists: true,
      columns: [
        { name: 'run_id', type: 'text', generated: false, nullable: false },
        { name: 'tags', type: 'object', generated: false, nullable: true },
        { name: 'day', type: 'timestamp with time zone', generated: true, nullable: true },
      ],
      primaryKey: ['run_id', 'seq', 'day'],
      partitionedBy: ['day'],
      shards: 6,
      replicas: '0-1',
      problems: [],
    });
    assert.ok(sent.every(({ args }) => JSON.stringify(args) === '["crategen","a\\"b"]'));
  });

  test('Nullability is a text or a boolean, by version.', async (t) => {
    for (const [said, expected] of [
      ['NO', false],
      ['YES', true],
      [false, false],
      [true, true],
    ] as const) {
      const { client } = await scripted(t, answers(said, null));
      const state = await describeTable(client, TABLE);
      assert.equal(state.ok && state.value.exists && state.value.columns[0]?.nullable, expected);
    }
  });

  test('What keeps rows out is named.', async (t) => {
    const { client } = await scripted(
      t,
      answers('NO', { blocks: { write: true, read_only: true, read_only_allow_delete: true } }, true),
    );
    const state = await describeTable(client, TABLE);
    assert.deepEqual(
      state.ok && state.value.exists && state.value.problems.map((problem) => problem.slice(0, 40)),
      [
        'it is closed',
        'the setting blocks.write forbids writing',
        'the setting blocks.read_only forbids wri',
        'it is read-only since a disk is nearly f',
      ],
    );
  });

  test('A table that is not listed does not exist; a failure is no answer.', async (t) => {
    const { client } = await scripted(t, () => []);
    assert.deepEqual(await describeTable(client, TABLE), { ok: true, value: { exists: false } });
    const failing = await scripted(t, () => null);
    assert.equal((await describeTable(failing.client, TABLE)).ok, false);
  });

  test('A table is keyed when its key is run_id, seq and its partition columns, in any order, and nothing else.', () => {
    for (const [key, partitions, expected] of [
      [['run_id', 'seq'], [], true],
      [['seq', 'run_id'], [], true],
      [['run_id', 'seq', 'day'], ['day'], true],
      [['run_id', 'seq'], ['run_id'], true],
      [['run_id', 'seq', 'day'], [], false],
      [['run_id', 'seq', 'id'], ['day'], false],
      [['seq', 'day'], ['day'], false],
      [['run_id'], ['run_id', 'seq'], false],
      [[], [], false],
    ] as const) {
      assert.equal(isKeyed(key, partitions), expected, `${key.join()} by ${partitions.join()}`);
    }
  });
});

describe('the state of the server', () => {
  test('Shards are counted by what keeps a count from being whole.', async (t) => {
    const { client } = await scripted(t, () => [
      [true, 'STARTED', 2],
      [true, 'UNASSIGNED', 1],
      [false, 'UNASSIGNED', 3],
      [false, 'INITIALIZING', 2],
      [true, 'RELOCATING', 1],
    ]);
    assert.deepEqual(await shardState(client, TABLE), {
      missingPrimaries: 1,
      initializing: 2,
      relocating: 1,
    });
  });

  test('Without privileges shards and jobs are null, not good.', async (t) => {
    const { client } = await scripted(t, () => null);
    assert.deepEqual([await shardState(client, TABLE), await runningInserts(client, TABLE)], [null, null]);
    const empty = await scripted(t, () => []);
    assert.equal(await shardState(empty.client, TABLE), null);
  });

  test('INSERTs into this table count, those into others and jobs that stayed listed do not.', async (t) => {
    const now = 1_700_000_000_000;
    const insert = 'INSERT INTO "crategen"."a""b" ("run_id") VALUES (?)';
    const { client } = await scripted(t, () => [
      [now - 10, now, insert],
      [now - 299_000, now, insert],
      [now - 301_000, now, insert],
      [now, now, 'INSERT INTO "crategen"."a""b2" (x) VALUES (?)'],
      [now, now, null],
    ]);
    assert.equal(await runningInserts(client, TABLE), 2);
  });

  test('The skew of the clocks is within the round trip.', async (t) => {
    const { client } = await scripted(t, () => [[Date.now() + 5_000]]);
    const skew = await clockSkew(client, systemClock);
    assert.ok(skew.ok && Math.abs(skew.value.skewMs - 5_000) <= skew.value.uncertaintyMs + 2);
    const strange = await scripted(t, () => [['noon']]);
    assert.equal((await clockSkew(strange.client, systemClock)).ok, false);
  });

  test('Privileges are asked for by name; what an old server does not know is null.', async (t) => {
    const { client, sent } = await scripted(t, ({ stmt }) =>
      stmt.includes('CURRENT_USER,') ? [[stmt.includes('INSERT')]] : [['app']],
    );
    assert.deepEqual(await privileges(client, TABLE), {
      user: 'app',
      createTable: false,
      insert: true,
      select: false,
    });
    assert.ok(sent.some(({ args }) => args?.[0] === 'crategen.a"b'));
    const old = await scripted(t, () => null);
    assert.deepEqual(await privileges(old.client, TABLE), {
      user: null,
      createTable: null,
      insert: null,
      select: null,
    });
  });
});

describe('statements about rows', () => {
  const rows = { table: TABLE, runId: "r'1", range: null, share: null };

  test('Each is one statement with quoted names, whole numbers as text and the run id as an argument.', async (t) => {
    const { client, sent } = await scripted(t, ({ stmt }) =>
      /^(REFRESH|DELETE|DROP)/.test(stmt) ? 7 : [[3, 4]],
    );
    const range = { from: 10, to: 30 };
    const share = { batchSize: 100, workers: 8, from: 2, to: 4 };
    assert.deepEqual(await refresh(client, TABLE), { ok: true, value: 7 });
    assert.deepEqual(await countRun(client, { ...rows, range, share }), { ok: true, value: 3 });
    assert.deepEqual(await countRun(client, { ...rows, share: { ...share, from: 0, to: 8 } }), {
      ok: true,
      value: 3,
    });
    assert.deepEqual(await countTable(client, TABLE), { ok: true, value: 3 });
    assert.deepEqual(await lastRow(client, rows), { ok: true, value: 3 });
    assert.deepEqual(await countPerBatch(client, { ...rows, range }, 10), {
      ok: true,
      value: new Map([[3, 4]]),
    });
    assert.deepEqual(await listRows(client, rows, 5), { ok: true, value: [3] });
    assert.deepEqual(await readRows(client, rows, ['seq', '"x"'], 5), { ok: true, value: [[3, 4]] });
    assert.deepEqual(await deleteRun(client, TABLE, "r'1"), { ok: true, value: 7 });
    assert.deepEqual(await runDdl(client, 'DROP TABLE x'), { ok: true, value: 7 });
    const table = '"crategen"."a""b"';
    assert.deepEqual(
      sent.map(({ stmt }) => stmt),
      [
        `REFRESH TABLE ${table}`,
        `SELECT count(*) FROM ${table} WHERE run_id = ? AND seq >= 10 AND seq < 30 AND ((seq / 100) % 8) >= 2 AND ((seq / 100) % 8) < 4`,
        `SELECT count(*) FROM ${table} WHERE run_id = ?`,
        `SELECT count(*) FROM ${table}`,
        `SELECT max(seq) FROM ${table} WHERE run_id = ?`,
        `SELECT seq / 10 AS batch, count(DISTINCT seq) AS stored FROM ${table} WHERE run_id = ? AND seq >= 10 AND seq < 30 GROUP BY seq / 10 LIMIT 4`,
        `SELECT seq FROM ${table} WHERE run_id = ? ORDER BY seq LIMIT 5`,
        `SELECT seq, "x" FROM ${table} WHERE run_id = ? ORDER BY seq LIMIT 5`,
        `DELETE FROM ${table} WHERE run_id = ?`,
        'DROP TABLE x',
      ],
    );
    assert.ok(
      sent.every(({ stmt, args }) =>
        stmt.includes('?') ? JSON.stringify(args) === `["r'1"]` : args === undefined,
      ),
    );
  });

  test('Different rows are counted a million keys at a time.', async (t) => {
    const { client, sent } = await scripted(t, () => [[10]]);
    assert.deepEqual(await countDistinct(client, { ...rows, range: { from: 5, to: 2_000_006 } }), {
      ok: true,
      value: 30,
    });
    assert.deepEqual(
      sent.map(({ stmt }) => /seq >= (\d+) AND seq < (\d+)/.exec(stmt)?.slice(1)),
      [
        ['5', '1000005'],
        ['1000005', '2000005'],
        ['2000005', '2000006'],
      ],
    );
  });

  test('Answers of another shape are failures that quote them.', async (t) => {
    for (const answer of [[], [[null]], [['3']], [[1.5]], [[{}]]]) {
      const { client } = await scripted(t, () => answer);
      const counted = await countRun(client, rows);
      assert.match(counted.ok ? '' : counted.message, /^not an answer to SELECT count\(\*\)/);
    }
    const { client } = await scripted(t, () => [['x', 1]]);
    assert.equal((await countPerBatch(client, { ...rows, range: { from: 0, to: 10 } }, 10)).ok, false);
    assert.equal((await listRows(client, rows, 1)).ok, false);
    assert.equal((await lastRow(client, rows)).ok, false);
  });
});

test('Versions compare by their numbers.', () => {
  const version = fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 30 }), fc.nat({ max: 30 }));
  fc.assert(
    fc.property(version, version, (a, b) => {
      const later = a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
      assert.equal(versionAtLeast(a.join('.'), b.join('.')), later >= 0);
    }),
  );
  assert.equal(versionAtLeast('6.5.0-SNAPSHOT', '6.4.3'), true);
  assert.equal(versionAtLeast('six', '6.4.3'), false);
});
