/** Decision 16 as a table: which targets look like production, and what is said before one is touched. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TargetSurvey, productionSigns, touchLines } from '../../src/coordinator/target-survey.ts';
import type { TableState } from '../../src/cratedb/introspect.ts';
import type { TablePlan } from '../../src/plan/run-plan.ts';
import { PLAN } from './support.ts';

const FRESH: TargetSurvey = { isThisHost: false, nodes: 3, tables: [], others: [] };
const OURS = { name: 'crategen.records', rows: 5_000_000, hasRunIds: true };
const THEIRS = { name: 'doc.orders', rows: 12_345, hasRunIds: false };
const big = { name: 'doc.big', rows: 2_000_000, replicas: '0-1' };
const copied = { name: 'doc.copied', rows: 7, replicas: '1' };

test('a fresh cluster of any size never looks like production', () => {
  assert.deepEqual(productionSigns(FRESH), []);
  assert.deepEqual(productionSigns({ ...FRESH, nodes: null }), []);
  assert.deepEqual(productionSigns({ ...FRESH, tables: [OURS] }), []);
});

test("this host is this user's own, whatever is on it", () => {
  const full = { isThisHost: true, nodes: 3, tables: [THEIRS], others: [big, copied] };
  assert.deepEqual(productionSigns(full), []);
});

test('rows of somebody else in the table to be filled are a sign, also when they cannot be counted', () => {
  assert.deepEqual(productionSigns({ ...FRESH, tables: [THEIRS] }), [
    "doc.orders holds 12,345 rows that are not crategen's",
  ]);
  assert.deepEqual(productionSigns({ ...FRESH, tables: [{ ...THEIRS, rows: null }] }), [
    "doc.orders holds rows that are not crategen's",
  ]);
  assert.deepEqual(productionSigns({ ...FRESH, tables: [{ ...THEIRS, rows: 0 }] }), []);
});

test('much of somebody else is a sign; a little only when it is kept in copies on several nodes', () => {
  assert.deepEqual(productionSigns({ ...FRESH, nodes: 1, others: [big] }), [
    'other tables (doc.big) hold 2,000,000 rows',
  ]);
  assert.deepEqual(productionSigns({ ...FRESH, others: [copied] }), [
    'other tables (doc.copied) are kept in copies on 3 nodes',
  ]);
  assert.deepEqual(productionSigns({ ...FRESH, nodes: 1, others: [copied] }), []);
  assert.deepEqual(productionSigns({ ...FRESH, others: [{ ...copied, replicas: '0-1' }] }), []);
  const many = Array.from({ length: 5 }, (_, at) => ({ ...big, name: `doc.t${at}` }));
  assert.deepEqual(productionSigns({ ...FRESH, others: many }), [
    'other tables (doc.t0, doc.t1, doc.t2 and 2 more) hold 10,000,000 rows',
  ]);
});

test('what will be touched is said with its name, its rows and its shape', () => {
  const there: TableState = {
    exists: true,
    columns: [],
    primaryKey: [],
    partitionedBy: [],
    shards: 4,
    replicas: '0-1',
    problems: [],
  };
  const lines = (plan: TablePlan, table: TableState, rows: number | null): readonly string[] =>
    touchLines(plan, table, rows).map(({ message }) => message);
  const columns = PLAN.table.schema.columns.length;
  assert.deepEqual(lines(PLAN.table, { exists: false }, null), [
    `creates the table crategen.records: ${columns} columns, primary key (run_id, seq), otherwise the server's defaults`,
  ]);
  assert.deepEqual(lines(PLAN.table, there, 1), [
    'inserts into the table crategen.records that is there with its 1 row (4 shards, replicas 0-1)',
  ]);
  const again = { ...PLAN.table, recreate: true, key: false, shards: 6, replicas: '1' };
  assert.deepEqual(lines(again, there, null), [
    'drops the table crategen.records with its rows, as --recreate says',
    `creates the table crategen.records: ${columns} columns, no primary key, 6 shards, replicas 1`,
  ]);
});
