/** What the cluster says of its own load: recorded answers of a CrateDB read into numbers, and what versions differ in. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { CrateClient } from '../../src/cratedb/client.ts';
import {
  type TelemetryAnswers,
  type TelemetryQuestion,
  TELEMETRY_QUESTIONS,
  answersTogether,
  askTelemetry,
  harmfulColumns,
  insertsBetween,
  missingColumn,
  readHealth,
  readInserts,
  readNodes,
  readTranslog,
  telemetrySql,
} from '../../src/cratedb/telemetry.ts';

interface Recorded {
  readonly name: string;
  readonly stmt: string;
  readonly args: readonly unknown[];
  readonly rows?: readonly (readonly unknown[])[];
  readonly error?: { readonly code: number; readonly message: string };
}

const { answers } = JSON.parse(
  readFileSync(new URL('../fixtures/telemetry.json', import.meta.url), 'utf8'),
) as { readonly answers: readonly Recorded[] };

function recorded(name: string): Recorded {
  const found = answers.find((answer) => answer.name === name);
  assert.ok(found, `${name} was recorded`);
  return found;
}

function question(name: TelemetryQuestion['name']): TelemetryQuestion {
  const found = TELEMETRY_QUESTIONS.find((each) => each.name === name);
  assert.ok(found);
  return found;
}

/** What comes of the recorded answer when these questions are asked. */
async function asked(
  name: string,
  questions: readonly TelemetryQuestion[],
  without: ReadonlySet<string> = new Set(),
): Promise<TelemetryAnswers> {
  const { stmt, args, rows = [] } = recorded(name);
  const client: Pick<CrateClient, 'query'> = {
    query: (statement, given) => {
      assert.equal(statement, stmt);
      assert.deepEqual(given, args);
      return Promise.resolve({ ok: true, columns: [], rows, rowcount: rows.length, durationMs: 1 });
    },
  };
  const answer = await askTelemetry(
    client as CrateClient,
    questions,
    { schema: 'crategen', table: 'records' },
    { without },
  );
  assert.ok(answer.ok);
  return answer.value;
}

const NODE_ID = '65P-rgkWQ46U7nK_TRVS5g';

test('the questions are those that a CrateDB has answered, one by one and as one', async () => {
  for (const each of TELEMETRY_QUESTIONS) {
    const one = await asked(each.name, [each]);
    assert.deepEqual([...one.keys()], [each.name]);
  }
  const all = await asked('all as one', TELEMETRY_QUESTIONS);
  assert.deepEqual([...all.keys()], ['nodes', 'inserts', 'shards', 'health']);
});

test('a recorded answer about nodes gives CPU by cores, heap, the write pool and the disk', () => {
  const [reading] = readNodes(recorded('nodes').rows ?? []);
  assert.deepEqual(reading, {
    id: NODE_ID,
    node: { name: 'versions', version: '6.4.3', cores: 2, heapMaxBytes: 536_870_912 },
    sample: {
      // 11 % of two cores.
      cpuPercent: 22,
      load1: 21.67,
      heapUsedBytes: 79_621_312,
      heapMaxBytes: 536_870_912,
      writeActive: 2,
      writeQueue: 14,
      writeRejected: 0,
      diskUsedBytes: 188_414_312_448,
      diskTotalBytes: 270_553_174_016,
    },
  });
});

test('recorded counts of INSERTs, translog and health are read', () => {
  assert.deepEqual(
    readInserts(recorded('inserts').rows ?? []),
    new Map([[NODE_ID, { total: 68, durationMs: 38_104 }]]),
  );
  assert.equal(readTranslog(recorded('shards').rows ?? []), 6_197_950);
  assert.equal(readHealth(recorded('health').rows ?? []), 'GREEN');
  assert.equal(readInserts(recorded('inserts, with stats.enabled = false').rows ?? []).size, 0);
});

test('all as one says the same as the questions one by one', async () => {
  const all = await asked('all as one', TELEMETRY_QUESTIONS);
  assert.deepEqual(
    readInserts(all.get('inserts') ?? []),
    new Map([[NODE_ID, { total: 57, durationMs: 26_274 }]]),
  );
  assert.equal(readTranslog(all.get('shards') ?? []), 5_069_822);
  assert.equal(readHealth(all.get('health') ?? []), 'GREEN');
  const [reading] = readNodes(all.get('nodes') ?? []);
  assert.equal(reading?.sample.load1, 19.2);
  assert.equal(reading?.sample.diskTotalBytes, 270_553_174_016);
  const withoutLoad = await asked(
    'all as one, without the load',
    TELEMETRY_QUESTIONS,
    new Set(["load['1']"]),
  );
  assert.equal(readNodes(withoutLoad.get('nodes') ?? [])[0]?.sample.load1, null);
});

/**
 * `process['cpu']['percent']` of a CrateDB 6.4.3 with two cores that took INSERTs of three clients, and what
 * /proc/PID/stat counted between the same two answers, in percent of one core.
 */
const CPU_SEEN: readonly (readonly [told: number, kernel: number])[] = [
  [24, 49],
  [35, 69],
  [32, 64],
  [40, 80],
  [31, 62],
  [29, 60],
  [24, 48],
  [28, 56],
  [0, 2],
  [3, 7],
];

test("the server's percent are of all its cores since the answer before, cut to whole ones", () => {
  for (const [told, kernel] of CPU_SEEN) {
    const [reading] = readNodes([['id', 'n', '6.4.3', 2, told]]);
    const cpuPercent = reading?.sample.cpuPercent ?? Number.NaN;
    assert.ok(Math.abs(cpuPercent - kernel) <= 2, `${cpuPercent} % told and ${kernel} % counted`);
  }
});

test('what a node does not tell, or tells as -1, is null and never 0', () => {
  const nothing = readNodes([['i', 'n2', null, 4, -1, null, null, null, null, null, null, null, -1, 'much']]);
  assert.deepEqual(nothing[0]?.sample, {
    cpuPercent: null,
    load1: null,
    heapUsedBytes: null,
    heapMaxBytes: null,
    writeActive: null,
    writeQueue: null,
    writeRejected: null,
    diskUsedBytes: null,
    diskTotalBytes: null,
  });
  assert.equal(readInserts([['i', null, null]]).size, 0);
  assert.equal(readTranslog([]), null);
  assert.equal(readHealth([[7]]), null);
  assert.equal(readHealth([]), null);
  assert.deepEqual(
    [1, 2, 3].map((severity) => readHealth([[severity]])),
    ['GREEN', 'YELLOW', 'RED'],
  );
});

describe('INSERTs between two answers', () => {
  const counts = (...nodes: readonly (readonly [string, number, number])[]) => readInserts(nodes);

  test('are summed over the nodes that are in both.', () => {
    const before = counts(['a', 10, 100], ['b', 5, 50], ['gone', 7, 7]);
    const after = counts(['a', 14, 120], ['b', 6, 51]);
    assert.deepEqual(insertsBetween(before, after), { total: 5, durationMs: 21 });
  });

  test('leave out a node that came or came back, whose count is of a longer time.', () => {
    assert.deepEqual(insertsBetween(counts(['a', 1, 1]), counts(['a', 2, 3], ['back', 9000, 9000])), {
      total: 1,
      durationMs: 2,
    });
  });

  test('leave out a node that began anew, and are unknown without any other.', () => {
    assert.deepEqual(insertsBetween(counts(['a', 9, 9], ['b', 1, 1]), counts(['a', 2, 2], ['b', 2, 2])), {
      total: 1,
      durationMs: 1,
    });
    assert.equal(insertsBetween(counts(['a', 9, 9]), counts(['a', 2, 2])), null);
    assert.equal(insertsBetween(counts(), counts(['a', 2, 2])), null);
  });
});

describe('versions of CrateDB', () => {
  test('that leave a file open at each look at the load are not asked for it.', () => {
    for (const version of ['4.6.8', '4.7.0', '4.8.3', '5.0.0', '5.0.1'])
      assert.deepEqual(
        harmfulColumns(version).map(({ column }) => column),
        ["load['1']"],
        version,
      );
    for (const version of ['4.5.5', '4.8.4', '5.0.2', '5.5.4', '5.10.16', '6.4.3', '6.5.0-SNAPSHOT'])
      assert.deepEqual(harmfulColumns(version), [], version);
  });

  test('before the one it was tried on, and unknown ones, are asked one question after the other.', () => {
    for (const version of [null, '4.8.0', '5.10.16', '6.4.2']) assert.equal(answersTogether(version), false);
    for (const version of ['6.4.3', '6.5.0', '10.0.0']) assert.equal(answersTogether(version), true);
  });

  test('that lack a column say which, and NULL stands in its place.', () => {
    const nodes = question('nodes');
    const failure = (message: string, code = 4043): Parameters<typeof missingColumn>[1] => ({
      ok: false,
      class: 'statement',
      code,
      message,
      handedOver: true,
    });
    const unknown = (column: string): string | null =>
      missingColumn(nodes, failure(`ColumnUnknownException[Column ${column} unknown]`));
    assert.equal(unknown("load['1']"), "load['1']");
    assert.equal(unknown('os_info'), "os_info['available_processors']");
    for (const name of ['a column that no version has', 'a column of no object']) {
      const { error } = recorded(name);
      assert.equal(
        missingColumn(nodes, failure(error?.message ?? '', error?.code)),
        null,
        'nobody asked for it',
      );
    }
    assert.equal(missingColumn(nodes, failure("Relation 'sys.nodes' unknown", 4041)), null);
    assert.match(
      telemetrySql([nodes], new Set(["load['1']"])),
      /process\['cpu'\]\['percent'\], NULL, heap\['used'\]/,
    );
    assert.match(
      telemetrySql([question('inserts')], new Set(['sum_of_durations'])),
      /^SELECT node\['id'\], total_count, NULL FROM sys\.jobs_metrics/,
    );
  });
});
