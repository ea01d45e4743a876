/** The same rows whatever way they are sent: bodies of every path, by both generators, against the rows themselves. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { rowsThatFit } from '../../src/rows/batch-body.ts';
import { insertForm } from '../../src/rows/ddl.ts';
import { emitColumnModule } from '../../src/rows/fast/column-emitter.ts';
import { emitRowModule } from '../../src/rows/fast/row-emitter.ts';
import { type ModuleShape, USUAL_SHAPE } from '../../src/rows/fast/row-loop.ts';
import {
  type InsertForm,
  MAX_VALUES_ROWS,
  bulkForm,
  pathProblems,
  statementOf,
} from '../../src/rows/insert-form.ts';
import { type RowPlan, MAX_ROWS } from '../../src/rows/row-format.ts';
import { type RowSource, bracketsOf, openRowSource } from '../../src/rows/row-source.ts';
import { anyPlan } from './arbitrary-plan.ts';
import { planOf, preset, rowsOf } from './support.ts';

const TABLE = { schema: 'doc', table: 'Zürich' };

function formFor(path: 'unnest' | 'values', plan: RowPlan): InsertForm {
  const columns = plan.columns.length;
  return { path, table: TABLE, head: 'INSERT INTO "ü" ', row: '(?)', tail: ' DO NOTHING', columns };
}

function fastSource(plan: RowPlan, form: InsertForm, shape: ModuleShape = USUAL_SHAPE): RowSource {
  return form.path === 'unnest'
    ? { kind: 'columns', module: emitColumnModule(plan, shape) }
    : { kind: 'module', module: emitRowModule(plan, shape, bracketsOf(form)) };
}

interface Batch {
  readonly first: number;
  readonly rows: number;
}

/** The bodies of these batches, written one after another into one slot. */
async function bodiesOf(source: RowSource, form: InsertForm, batches: readonly Batch[]): Promise<string[]> {
  const maxRows = Math.max(...batches.map(({ rows }) => rows));
  const [body] = (await openRowSource(source, form)).createBodies(maxRows, 2);
  assert.ok(body);
  return batches.map(({ first, rows }) => Buffer.from(body.write(first, rows)).toString('utf8'));
}

const anyBatch = (most: number): fc.Arbitrary<Batch> =>
  fc.record({
    first: fc.oneof(fc.nat(100), fc.integer({ min: 0, max: MAX_ROWS - most })),
    rows: fc.integer({ min: 1, max: most }),
  });

const transposed = (rows: readonly (readonly unknown[])[]): unknown[][] =>
  (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]));

for (const path of ['unnest', 'values'] as const) {
  describe(`bodies for ${path}`, () => {
    it('are the same by either generator, for any plan, rows and cut of a row into functions', async () => {
      const batches = fc.array(anyBatch(MAX_VALUES_ROWS), { minLength: 1, maxLength: 3 });
      const plans = anyPlan.filter(({ columns }) => columns.length > 0);
      await fc.assert(
        fc.asyncProperty(plans, batches, fc.nat(1), async (plan, wanted, inParts) => {
          const form = formFor(path, plan);
          const shape = inParts === 1 ? { minColumnsInParts: 0, maxPartBytes: 200 } : USUAL_SHAPE;
          const plain = await bodiesOf({ kind: 'plan', plan }, form, wanted);
          assert.deepEqual(await bodiesOf(fastSource(plan, form, shape), form, wanted), plain);
        }),
        { numRuns: 100 },
      );
    });

    it('are one statement with all values of the rows, in large batches of the presets', async () => {
      for (const name of ['records', 'metrics', 'everything']) {
        const plan = await planOf(preset(name));
        const form = formFor(path, plan);
        const rows = path === 'unnest' ? 1000 : MAX_VALUES_ROWS;
        const wanted = [
          { first: 0, rows },
          { first: 4_999_500, rows },
          { first: 7, rows: 1 },
        ];
        const bodies = await bodiesOf(fastSource(plan, form), form, wanted);
        assert.deepEqual(bodies, await bodiesOf({ kind: 'plan', plan }, form, wanted));
        bodies.forEach((body, index) => {
          const { first = 0, rows: count = 0 } = wanted[index] ?? {};
          const request = JSON.parse(body) as { stmt: string; args: unknown[] };
          const values = rowsOf(plan, first, count);
          assert.equal(request.stmt, statementOf(form, count));
          assert.deepEqual(request.args, path === 'unnest' ? transposed(values) : values.flat());
        });
      }
    });
  });
}

describe('the statement', () => {
  it('of values has a list of placeholders for each row, and keeps the key at the end', () => {
    const form = insertForm(preset('records'), TABLE, { path: 'values', conflictColumns: ['run_id', 'seq'] });
    const row = '(?,?,?,?,?,?,?,?,?)';
    assert.ok(
      statementOf(form, 3).endsWith(` VALUES ${row},${row},${row} ON CONFLICT ("run_id","seq") DO NOTHING`),
    );
    assert.equal(rowsThatFit(form, 100, 16 * 2 ** 20), MAX_VALUES_ROWS);
  });

  it('of unnest names points as such, since it would take them for numbers', () => {
    const form = insertForm(preset('everything'), TABLE, { path: 'unnest', conflictColumns: null });
    assert.match(statementOf(form), / \(SELECT \* FROM UNNEST\(\?(,\?)*,\?::ARRAY\(GEO_POINT\)(,\?)*\)\)$/);
    assert.equal(statementOf(form, 5), statementOf(form));
  });

  it('of pg numbers its parameters and knows those that need a form of their own', () => {
    const form = insertForm(preset('everything'), TABLE, { path: 'pg', conflictColumns: ['run_id', 'seq'] });
    assert.match(statementOf(form), / VALUES \(\$1,\$2,.*,\$38\) ON CONFLICT \("run_id","seq"\) DO NOTHING$/);
    assert.ok(form.path === 'pg');
    assert.equal(form.parameters.filter((parameter) => parameter === 'point').length, 1);
    assert.equal(form.parameters.filter((parameter) => parameter === 'array').length, 7);
    assert.equal(form.parameters.filter((parameter) => parameter === 'pointArray').length, 1);
  });

  it('that is whole already stays as it is', () => {
    assert.equal(statementOf(bulkForm('INSERT …'), 7), 'INSERT …');
  });
});

describe('what a path cannot carry', () => {
  const problemsOf = (name: string, path: InsertForm['path']): string[] =>
    pathProblems(preset(name), insertForm(preset(name), TABLE, { path, conflictColumns: ['run_id', 'seq'] }));

  it('is named column by column for unnest', () => {
    const told = problemsOf('everything', 'unnest');
    assert.equal(told.length, 9);
    assert.match(told[0] ?? '', /^--insert-path unnest: cannot carry the column vector_value, a vector/);
    assert.match(told[1] ?? '', /ignored_object, objects of free form/);
    assert.match(told[2] ?? '', /integers, an array/);
    assert.deepEqual(problemsOf('records', 'unnest'), []);
    assert.deepEqual(problemsOf('metrics', 'unnest'), []);
  });

  it('is nothing in the presets for the others', () => {
    for (const path of ['bulk-args', 'values', 'pg'] as const)
      assert.deepEqual(problemsOf('everything', path), []);
  });

  it('is a statement longer than the server takes', () => {
    const form = { ...bulkForm('x'), path: 'values', table: TABLE, row: '?'.repeat(30_000) } as const;
    assert.match(
      pathProblems(preset('records'), form)[0] ?? '',
      /a statement of 300010 characters, and the server takes 262144/,
    );
  });
});
