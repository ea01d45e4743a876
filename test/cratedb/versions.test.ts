/**
 * What CrateDB's versions answer to the same request, and the states its rows must get. Each line is a cell of the
 * table: the bytes as that version sends them, for a bulk of three rows unless it says otherwise.
 * Sources: release notes 4.2.0, 5.10.0, 5.10.11, 6.0.0, 6.1.0, 6.2.0, 6.4.0 and 6.4.3; what 6.4.3 did when tried.
 */
import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import type { AttemptOutcome } from '../../src/cratedb/outcome.ts';
import { describeTable, mayInsert, privileges } from '../../src/cratedb/introspect.ts';
import { countRun } from '../../src/cratedb/statements.ts';
import { bulkHabits, oldestOf } from '../../src/cratedb/version.ts';
import { BODY, clientOf, deadOrigin, httpServer, insertOf, summary } from './support.ts';
import { accessTo } from '../support/access.ts';

/** Versions on both sides of every change, in order. */
const ALL = [
  ...['4.8.4', '5.9.12', '5.10.0', '5.10.10', '5.10.11', '6.0.0', '6.0.3', '6.1.2'],
  ...['6.2.0', '6.3.1', '6.4.2', '6.4.3', '6.5.0-SNAPSHOT'],
] as const;
type Version = (typeof ALL)[number];

function between(first: Version, last: Version): readonly Version[] {
  return ALL.slice(ALL.indexOf(first), ALL.indexOf(last) + 1);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The outcome of one bulk to a server of that version. */
async function insertTo(
  t: TestContext,
  version: string,
  { status, text }: Answer,
  facts: { readonly rows: number; readonly keyed: boolean },
): Promise<AttemptOutcome> {
  const origin = await httpServer(t, (request, response) => {
    if (request.method === 'GET') return response.end(greeting(version));
    return response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  });
  const client = clientOf(t, accessTo(origin));
  assert.ok((await client.greet(0)).ok);
  return await client.insert(0, BODY, insertOf(facts));
}

const greeting = (version: string): string =>
  JSON.stringify({ ok: true, status: 200, name: 'n', cluster_name: 'c', version: { number: version } });
const results = (...rows: readonly unknown[]): Answer => ({
  status: 200,
  text: JSON.stringify({ cols: [], duration: 1.5, results: rows }),
});
const whole = (status: number, code: number, message: string): Answer => ({
  status,
  text: JSON.stringify({ error: { message, code } }),
});
const row = (code: number, message: string): unknown => ({ rowcount: -2, error: { code, message } });

const ONE = { rowcount: 1 };
/** A failure before 5.10: nothing says which. */
const BARE = { rowcount: -2 };
const DUPLICATE = 'DuplicateKeyException[A document with the same primary key exists already]';
const NO_CAST = 'SQLParseException[Cannot cast value `abc` to type `integer`]';
const CHECK = 'SQLParseException[Failed CONSTRAINT positive CHECK ("x" > 0) for values: [-1]]';
const FULL_DISK =
  'ClusterBlockException[Table or partition preparation failed: blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];]';
const NO_SHARD = 'UnavailableShardsException[[t][3] primary shard is not active Timeout: [1m]]';
const QUEUE =
  'EsRejectedExecutionException[rejected execution of org.elasticsearch.x on EsThreadPoolExecutor[write]]';
const KILLED = 'JobKilledException[Job killed. by user]';
const NO_MASTER_OLD = 'MasterNotDiscoveredException[null]';
const NOT_RECOVERED_OLD =
  'ClusterBlockException[blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];]';

interface Cell {
  readonly what: string;
  readonly versions: readonly Version[];
  readonly answer: Answer;
  readonly rows?: number;
  /** Without a key and with one, where they differ. */
  readonly plain: string;
  readonly keyed?: string;
  /** Halves of the request are worth trying. */
  readonly divisible?: true;
}

const CELLS: readonly Cell[] = [
  {
    what: 'every row is stored',
    versions: ALL,
    answer: results(ONE, ONE, ONE),
    plain: '3/0/0/0 good',
  },
  // --- a failing row, told by itself
  {
    what: 'a duplicate key, without a word',
    versions: between('4.8.4', '5.9.12'),
    answer: results(ONE, BARE, ONE),
    plain: '2/0/0/1 good unexplained',
  },
  {
    what: 'a duplicate key',
    versions: between('5.10.0', '6.5.0-SNAPSHOT'),
    answer: results(ONE, row(4091, DUPLICATE), ONE),
    plain: '2/1/0/0 good duplicateKey',
    keyed: '3/0/0/0 good',
  },
  {
    what: 'the one row of a bulk is a duplicate',
    versions: between('4.8.4', '5.10.10'),
    rows: 1,
    answer: whole(409, 4091, DUPLICATE),
    plain: '0/1/0/0 good duplicateKey',
    keyed: '1/0/0/0 good',
  },
  {
    what: 'the one row of a bulk is a duplicate',
    versions: between('5.10.11', '6.5.0-SNAPSHOT'),
    rows: 1,
    answer: results(row(4091, DUPLICATE)),
    plain: '0/1/0/0 good duplicateKey',
    keyed: '1/0/0/0 good',
  },
  {
    what: 'the one row of a bulk breaks a CHECK',
    versions: between('4.8.4', '5.10.10'),
    rows: 1,
    answer: whole(400, 4000, CHECK),
    plain: '0/1/0/0 good constraint',
    divisible: true,
  },
  // --- one row that fails on the node that was asked
  {
    what: 'one row cannot be cast: all of them, without a word',
    versions: between('4.8.4', '5.9.12'),
    answer: results(BARE, BARE, BARE),
    plain: '0/0/0/3 good unexplained',
  },
  {
    what: 'one row cannot be cast: all of them, each with its error',
    versions: between('5.10.0', '5.10.10'),
    answer: results(row(4000, NO_CAST), row(4000, NO_CAST), row(4000, NO_CAST)),
    plain: '0/3/0/0 good invalidValue',
    divisible: true,
  },
  {
    what: 'one row cannot be cast: the request',
    versions: between('5.10.11', '6.5.0-SNAPSHOT'),
    answer: whole(400, 4000, NO_CAST),
    plain: '0/3/0/0 good invalidValue',
    divisible: true,
  },
  {
    what: 'one row breaks a CHECK: all of them, each with its error',
    versions: between('5.10.0', '5.10.10'),
    answer: results(row(4000, CHECK), row(4000, CHECK), row(4000, CHECK)),
    plain: '0/3/0/0 good constraint',
    divisible: true,
  },
  {
    what: 'one row breaks a CHECK: the request',
    versions: between('5.10.11', '6.0.3'),
    answer: whole(400, 4000, CHECK),
    plain: '0/3/0/0 good constraint',
    divisible: true,
  },
  {
    what: 'one row breaks a CHECK: that row',
    versions: between('6.1.2', '6.5.0-SNAPSHOT'),
    answer: results(ONE, row(4000, CHECK), ONE),
    plain: '2/1/0/0 good constraint',
  },
  {
    what: 'every row breaks a CHECK by itself',
    versions: between('6.1.2', '6.5.0-SNAPSHOT'),
    answer: results(row(4000, CHECK), row(4000, CHECK), row(4000, CHECK)),
    plain: '0/3/0/0 good constraint',
  },
  // --- a shard that is blocked, gone or busy
  {
    what: 'a shard fails, without a word',
    versions: between('4.8.4', '5.9.12'),
    answer: results(ONE, BARE, BARE),
    plain: '1/0/0/2 good unexplained',
  },
  {
    what: 'a shard is blocked: the request, though others may be written',
    versions: between('5.10.0', '6.1.2'),
    answer: whole(500, 5000, FULL_DISK),
    plain: '0/0/0/3 blocked blocked',
  },
  {
    what: 'a shard is blocked: the request, though others may be written',
    versions: between('6.2.0', '6.4.2'),
    answer: whole(403, 4037, FULL_DISK),
    plain: '0/0/0/3 blocked blocked',
  },
  {
    what: 'a shard is blocked: its rows',
    versions: between('6.4.3', '6.5.0-SNAPSHOT'),
    answer: results(ONE, row(4037, FULL_DISK), row(4037, FULL_DISK)),
    plain: '1/0/2/0 good blocked',
  },
  {
    what: 'the whole table is blocked: no row is written',
    versions: between('6.4.3', '6.5.0-SNAPSHOT'),
    answer: whole(403, 4037, FULL_DISK),
    plain: '0/0/3/0 blocked blocked',
  },
  {
    what: 'a shard has no primary: the request, though others may be written',
    versions: between('5.10.0', '6.1.2'),
    answer: whole(500, 5000, NO_SHARD),
    plain: '0/0/0/3 troubled shardUnavailable',
  },
  {
    what: 'a shard has no primary: the request, though others may be written',
    versions: between('6.2.0', '6.4.2'),
    answer: whole(500, 5002, NO_SHARD),
    plain: '0/0/0/3 troubled shardUnavailable',
  },
  {
    what: 'a shard has no primary: its rows',
    versions: between('6.4.3', '6.5.0-SNAPSHOT'),
    answer: results(ONE, row(5002, NO_SHARD), ONE),
    plain: '2/0/0/1 good shardUnavailable',
  },
  {
    what: "a shard's queue is full: the request, though others may be written",
    versions: between('5.10.0', '6.4.2'),
    answer: whole(500, 5000, QUEUE),
    plain: '0/0/0/3 overloaded queueFull',
  },
  {
    what: "a shard's queue is full: its rows",
    versions: between('6.4.3', '6.5.0-SNAPSHOT'),
    answer: results(ONE, ONE, row(5000, QUEUE)),
    plain: '2/0/1/0 good queueFull',
  },
  // --- codes that changed
  {
    what: 'the statement was killed',
    versions: between('4.8.4', '6.1.2'),
    answer: whole(503, 5030, KILLED),
    plain: '0/0/0/3 troubled killed',
  },
  {
    what: 'the statement was killed: the rest of the rows',
    versions: between('6.2.0', '6.5.0-SNAPSHOT'),
    answer: results(ONE, row(5005, KILLED), row(5005, KILLED)),
    plain: '1/0/0/2 good killed',
  },
  {
    what: 'there is no master',
    versions: between('4.8.4', '6.1.2'),
    answer: whole(500, 5000, NO_MASTER_OLD),
    plain: '0/0/0/3 unreachable noMaster',
  },
  {
    what: 'there is no master, and other shards may be written',
    versions: between('6.2.0', '6.4.2'),
    answer: whole(503, 5031, NO_MASTER_OLD),
    plain: '0/0/0/3 unreachable noMaster',
  },
  {
    what: 'there is no master, and no row is written',
    versions: between('6.4.3', '6.5.0-SNAPSHOT'),
    answer: whole(503, 5031, NO_MASTER_OLD),
    plain: '0/0/3/0 unreachable noMaster',
  },
  {
    what: 'the node has just started',
    versions: between('4.8.4', '6.1.2'),
    answer: whole(500, 5000, NOT_RECOVERED_OLD),
    plain: '0/0/0/3 unreachable noMaster',
  },
  {
    what: 'the node is read-only',
    versions: ALL,
    answer: whole(403, 4031, 'ReadOnlyException[Only read operations allowed on this node]'),
    plain: '0/0/3/0 troubled readOnlyNode',
  },
  {
    what: 'the table is closed or write-protected',
    versions: ALL,
    answer: whole(
      400,
      4007,
      'OperationOnInaccessibleRelationException[The relation "t" doesn\'t support INSERT]',
    ),
    plain: '0/0/3/0 blocked blocked',
  },
];

describe('bulk replies of all versions', { concurrency: true }, () => {
  for (const { what, versions, answer, rows = 3, plain, keyed = plain, divisible } of CELLS) {
    test(`${versions[0]} to ${versions.at(-1)}: ${what}.`, async (t) => {
      for (const version of versions) {
        for (const [isKeyed, expected] of [
          [false, plain],
          [true, keyed],
        ] as const) {
          const outcome = await insertTo(t, version, answer, { rows, keyed: isKeyed });
          assert.equal(summary(outcome), expected, `${version}, ${isKeyed ? 'keyed' : 'no key'}`);
          assert.equal(outcome.refusedWhole, divisible === true, version);
        }
      }
    });
  }

  test('Every version has its cells, and no version two answers to the same thing.', () => {
    for (const version of ALL) {
      const own = CELLS.filter((cell) => cell.versions.includes(version));
      assert.ok(own.length >= 8, version);
      const answers = own.map(({ answer, rows = 3 }) => `${rows} ${answer.status} ${answer.text}`);
      assert.equal(new Set(answers).size, answers.length, version);
    }
  });

  test('The version of the node that answered counts, and the oldest one where it has said none.', async (t) => {
    const blocked = whole(403, 4037, FULL_DISK);
    const serverOf = (version: string | null): Promise<string> =>
      httpServer(t, (request, response) => {
        if (request.method !== 'GET') return response.writeHead(blocked.status).end(blocked.text);
        return version === null ? response.writeHead(503).end() : response.end(greeting(version));
      });
    const nodes = [await serverOf('6.4.3'), await serverOf('6.4.2'), await serverOf(null)];
    const client = clientOf(t, accessTo(...nodes));
    const unknown = async (node: number): Promise<number> =>
      (await client.insert(node, BODY, insertOf())).rows.unknown;
    // Nobody has said anything yet: nothing good is believed.
    assert.equal(await unknown(0), 3);
    await client.greet(0);
    await client.greet(2);
    assert.deepEqual([await unknown(0), await unknown(1), await unknown(2)], [0, 0, 0]);
    await client.greet(1);
    assert.deepEqual([await unknown(0), await unknown(1), await unknown(2)], [0, 3, 3]);
    assert.equal((await clientOf(t, accessTo(await deadOrigin(t))).greet(0)).ok, false);
  });

  test('Versions are compared by number, and what is none has no good habits.', () => {
    assert.deepEqual(oldestOf(['6.10.0', '6.9.1', '6.9.10']), '6.9.1');
    assert.equal(oldestOf([]), null);
    for (const version of [null, '', 'six', '5.9.99', '6.4.2', '5.10.11'])
      assert.deepEqual(bulkHabits(version), { wholeErrorsAreWhole: false, oneRowFailsAll: false });
    for (const version of ['6.4.3', '6.4.10', '6.5.0-SNAPSHOT', '10.0.0'])
      assert.equal(bulkHabits(version).wholeErrorsAreWhole, true);
  });
});

const TABLE = { schema: 's', table: 't' };

/** A server that answers each statement by the first pattern that fits it. */
async function answering(
  t: TestContext,
  answers: readonly (readonly [RegExp, unknown])[],
): ReturnType<typeof httpServer> {
  return await httpServer(t, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const text = Buffer.concat(pieces).toString();
      const found = answers.find(([pattern]) => pattern.test(text));
      if (found !== undefined) return response.end(JSON.stringify(found[1]));
      return response.writeHead(404).end('{"error":{"message":"UnknownFunction[x]","code":4047}}');
    });
  });
}

const table = (cols: readonly string[], ...rows: readonly (readonly unknown[])[]): unknown => ({
  cols,
  rows,
  rowcount: rows.length,
  duration: 1,
});

describe('introspection of all versions', () => {
  test('is_nullable is boolean before 6.1 and YES or NO after; both are understood.', async (t) => {
    for (const [yes, no] of [
      [true, false],
      ['YES', 'NO'],
    ]) {
      const origin = await answering(t, [
        [/information_schema\.tables/, table(['a', 'b', 'c', 'd', 'e'], [null, 4, '0-1', false, {}])],
        [/key_column_usage/, table(['column_name'], ['run_id'])],
        [
          /information_schema\.columns/,
          table(
            ['column_name', 'data_type', 'is_generated', 'is_nullable'],
            ['run_id', 'text', 'NEVER', no],
            ['x', 'integer', 'NEVER', yes],
          ),
        ],
      ]);
      const answer = await describeTable(clientOf(t, accessTo(origin)), TABLE);
      assert.ok(answer.ok && answer.value.exists);
      assert.deepEqual(
        answer.value.columns.map((column) => [column.name, column.nullable]),
        [
          ['run_id', false],
          ['x', true],
        ],
      );
    }
  });

  test('A count is named count(*) before 6.0 and count after; it is read by its place.', async (t) => {
    for (const name of ['count(*)', 'count']) {
      const origin = await answering(t, [[/count\(\*\)/, table([name], [7])]]);
      const rows = { table: TABLE, runId: 'r', range: null, share: null };
      assert.deepEqual(await countRun(clientOf(t, accessTo(origin)), rows), { ok: true, value: 7 });
    }
  });

  test('Before 5.7 no function says what a user may do: nothing is known, and nothing refused.', async (t) => {
    const origin = await answering(t, [[/SELECT CURRENT_USER"/, table(['current_user'], ['me'])]]);
    const client = clientOf(t, accessTo(origin));
    assert.equal(await mayInsert(client, TABLE), null);
    assert.deepEqual(await privileges(client, TABLE), {
      user: 'me',
      createTable: null,
      insert: null,
      select: null,
    });
  });
});
