/** What the cluster says of its own load: recorded answers of a CrateDB read into numbers, and columns that are missing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type TelemetryStatement,
  TELEMETRY_STATEMENTS,
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

function statement(name: TelemetryStatement['name']): TelemetryStatement {
  const found = TELEMETRY_STATEMENTS.find((each) => each.name === name);
  assert.ok(found);
  return found;
}

test('the statements are those that a CrateDB has answered', () => {
  for (const each of TELEMETRY_STATEMENTS)
    assert.equal(telemetrySql(each, new Set()), recorded(each.name).stmt);
});

test('a recorded answer about nodes gives CPU by cores, heap, the write pool and the disk', () => {
  const [reading] = readNodes(recorded('nodes').rows ?? []);
  assert.deepEqual(reading, {
    node: { name: 'n1', version: '6.4.3', cores: 2, heapMaxBytes: 536_870_912 },
    sample: {
      // 3 % of two cores.
      cpuPercent: 6,
      load1: 20.02,
      heapUsedBytes: 49_716_344,
      heapMaxBytes: 536_870_912,
      writeActive: 0,
      writeQueue: 0,
      writeRejected: 0,
      diskUsedBytes: 188_095_086_592,
      diskTotalBytes: 270_553_174_016,
    },
  });
});

test('recorded counts of INSERTs, translog and health are read', () => {
  assert.deepEqual(readInserts(recorded('inserts').rows ?? []), { total: 14, durationMs: 67_354 });
  assert.equal(readTranslog(recorded('shards').rows ?? []), 3_839_948);
  assert.equal(readHealth(recorded('health').rows ?? []), 'GREEN');
});

test('what a node does not tell, or tells as -1, is null and never 0', () => {
  const nothing = readNodes([['n2', null, 4, -1, null, null, null, null, null, null, null, -1, 'much']]);
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
  assert.equal(readInserts([[null, null]]), null);
  assert.equal(readInserts([]), null);
  assert.equal(readTranslog([]), null);
  assert.equal(readHealth([['PURPLE']]), null);
});

test('a column that this version does not have is known by its error, and NULL stands in its place', () => {
  const nodes = statement('nodes');
  const failure = (message: string, code = 4043): Parameters<typeof missingColumn>[1] => ({
    ok: false,
    class: 'statement',
    code,
    message,
    handedOver: true,
  });
  assert.equal(
    missingColumn(nodes, failure("ColumnUnknownException[Column load['1'] unknown]")),
    "load['1']",
  );
  assert.equal(
    missingColumn(nodes, failure('ColumnUnknownException[Column os_info unknown]')),
    "os_info['available_processors']",
  );
  const { error } = recorded('missing sub-column of a known object');
  assert.equal(missingColumn(nodes, failure(error?.message ?? '', error?.code)), null, 'nobody asked for it');
  assert.equal(missingColumn(nodes, failure("Relation 'sys.nodes' unknown", 4041)), null);
  assert.match(
    telemetrySql(nodes, new Set(["load['1']"])),
    /process\['cpu'\]\['percent'\], NULL, heap\['used'\]/,
  );
  assert.match(
    telemetrySql(statement('inserts'), new Set(['sum_of_durations'])),
    /^SELECT sum\(total_count\), NULL FROM sys\.jobs_metrics/,
  );
});
