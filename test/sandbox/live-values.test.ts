/** Values that a live server was asked for beyond the recordings: most of them odd, over every column type. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { situationOf } from '../../src/sandbox/faults.ts';
import { Engine } from '../../src/sandbox/engine/engine.ts';
import { LoadMeter } from '../../src/sandbox/own-load.ts';
import { formatAnswer } from '../../src/sandbox/answers.ts';
import { SqlFailure } from '../../src/sandbox/failure.ts';
import { readPayload } from '../../src/sandbox/payload.ts';
import { Session } from '../../src/sandbox/engine/session.ts';
import { rowsText } from './recordings.ts';

/** The value as JSON, then what SELECT gives back, or the status (-2: that row only), code and message. */
type LiveCase =
  | readonly [value: string, readBack: string]
  | readonly [value: string, status: number, code: number, message: string];

interface LiveValues {
  readonly columns: Readonly<Record<string, readonly LiveCase[]>>;
}

/** A ring that touches itself, and an array text nested too deep: found out by rules that are not worth having here. */
const DIFFERENT: ReadonlySet<string> = new Set([
  'GEO_SHAPE {"type":"Polygon","coordinates":[[[0,0],[5,5],[10,0],[10,10],[5,5],[0,10],[0,0]]]}',
  'ARRAY(INTEGER) "{{1},{2}}"',
]);

const FLAGS = { types: false, errorTrace: false };
const file = join(import.meta.dirname, '..', 'fixtures', 'live-values.json');
const live = JSON.parse(readFileSync(file, 'utf8')) as LiveValues;

describe('values over bulk_args become what a live CrateDB 6.4.3 made of them', () => {
  for (const [type, cases] of Object.entries(live.columns)) {
    test(`${cases.length} values for ${type}`, () => {
      const engine = new Engine({
        ownLoad: () => new LoadMeter().read(),
        dataFile: null,
        maxMemoryBytes: null,
        address: () => '',
        nowMs: () => 0,
        situation: () => situationOf([], 0),
      });
      const session = new Session('crate', 'doc');
      const execute = (body: string): string =>
        formatAnswer(engine.execute({ ...readPayload(Buffer.from(body)), session }), FLAGS, 1);
      execute(JSON.stringify({ stmt: `CREATE TABLE t (id INTEGER PRIMARY KEY, v ${type})` }));
      cases.forEach((expected, id) => {
        if (DIFFERENT.has(`${type} ${expected[0]}`)) return;
        assert.deepEqual([expected[0], ...outcome(execute, expected[0], id)], expected);
      });
      engine.close();
    });
  }
});

function outcome(execute: (body: string) => string, value: string, id: number): readonly (string | number)[] {
  let results: {
    readonly results: readonly { readonly error?: { readonly code: number; readonly message: string } }[];
  };
  try {
    results = JSON.parse(
      execute(`{"stmt":"INSERT INTO t (id, v) VALUES (?, ?)","bulk_args":[[${id},${value}]]}`),
    ) as typeof results;
  } catch (error) {
    if (error instanceof SqlFailure) return [error.status, error.code, error.message];
    throw error;
  }
  const failure = results.results[0]?.error;
  if (failure !== undefined) return [-2, failure.code, failure.message];
  const rows = rowsText(execute(JSON.stringify({ stmt: `SELECT v FROM t WHERE id = ${id}` })));
  return [rows.slice(2, -2)];
}
