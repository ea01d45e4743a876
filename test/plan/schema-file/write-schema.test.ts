/** A schema written as a file and read back: the same schema, and where the format has no word for it, that is said. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseSchemaText } from '../../../src/plan/schema-file/schema-file.ts';
import { schemaFileText } from '../../../src/plan/schema-file/write-schema.ts';
import { NO_FACTS, fillTable } from '../../../src/rows/existing/fill.ts';
import { parseDdl } from '../../../src/rows/existing/parse-ddl.ts';
import { type ColumnFigures, shapesOf } from '../../../src/rows/existing/shape.ts';
import type { TableSchema } from '../../../src/rows/schema.ts';
import { bytesOf, planOf, tableOf } from '../../rows/support.ts';
import { schemaFile } from './arbitrary-schema-file.ts';

const TABLE = { schema: 'shop', table: 'people' };
const NOW = Date.UTC(2026, 0, 1);

const PEOPLE = `CREATE TABLE shop.people (
  id BIGINT, city TEXT DEFAULT 'nowhere', nick VARCHAR(12), age INTEGER, height REAL, wealth NUMERIC(20, 9),
  born TIMESTAMP WITH TIME ZONE, member BOOLEAN, addr IP, tags OBJECT(STRICT) AS (k TEXT, "1" TEXT), "2" TEXT, PRIMARY KEY (id)
)`;

function figures(path: string, facts: Partial<ColumnFigures>): ColumnFigures {
  return { path, nullShare: 0, distinct: 1, commonValues: [], commonShares: [], bounds: [], ...facts };
}

/** Skewed, null, of few and of many values: what ANALYZE or counting say of each type. */
function shaped(copyValues: boolean): TableSchema {
  const parsed = parseDdl(PEOPLE);
  assert.ok(parsed.ok);
  const ranks = Array.from({ length: 900 }, (_, rank) => 0.5 / (rank + 3) ** 1.2);
  const many = (value: (rank: number) => string): Partial<ColumnFigures> => ({
    distinct: 40_000,
    commonValues: ranks.map((_, rank) => value(rank)),
    commonShares: ranks,
  });
  const shapes = shapesOf(
    parsed.definition,
    [
      figures('city', {
        distinct: 3,
        commonValues: ['true', '12', 'a: {b}'],
        commonShares: [2 / 3, 2 / 9, 1 / 9],
      }),
      figures('nick', { ...many((rank) => `n${rank}`), nullShare: 1 / 7 }),
      figures('age', { ...many(String), bounds: ['-3', '5', '17', '90000'] }),
      figures('height', { ...many((rank) => String(rank / 7)), bounds: ['0.125', '1.5', '1.75', '3'] }),
      figures('wealth', { distinct: -1, bounds: ['-12.5', '0', '99999.123456789'] }),
      figures('born', { ...many((rank) => String(NOW + rank)), bounds: [String(NOW), '1799999999123'] }),
      figures('member', { distinct: 2, commonValues: ['t', 'f'], commonShares: [0.123456789, 0.8] }),
      figures('addr', { distinct: 2, commonValues: ['1.1.1.1', '::1'], commonShares: [0.7, 0.3] }),
      figures(
        "tags['k']",
        many((rank) => `key ${rank}`),
      ),
    ],
    { rows: 100_000, copyValues, taken: new Map() },
  );
  return fillTable(parsed.definition, { ...NO_FACTS, nowMs: NOW, shapes }).schema;
}

async function readBack(text: string): Promise<TableSchema> {
  const read = await parseSchemaText(text, 'people.yaml');
  assert.ok(read.ok, read.ok ? '' : `${text}\n${read.problems.join('\n')}`);
  return read.schema;
}

describe('a schema file that is written', () => {
  for (const copyValues of [false, true])
    it(`keeps the shape of every type${copyValues ? ', values too' : ''}, and makes the same bytes`, async () => {
      const schema = shaped(copyValues);
      const { text, lost } = await schemaFileText(schema, TABLE);
      assert.deepEqual(lost, []);
      const back = await readBack(text);
      assert.deepEqual(back, schema);
      assert.deepEqual(bytesOf(await planOf(back), 0, 300), bytesOf(await planOf(schema), 0, 300));
      assert.equal(/\bn17\b/.test(text), copyValues);
      assert.ok(text.split('\n').length < 80, 'a thousand ranks have one line');
    });

  it('may have no description, which is then not written', async () => {
    const { text } = await schemaFileText({ ...shaped(false), description: '' }, TABLE);
    assert.doesNotMatch(text, /description/);
    const read = await parseSchemaText(text, 'people.yaml');
    assert.equal(read.ok ? read.schema.description : read.problems.join(), '');
  });

  it('is read back as the schema of any file, or says which columns it cannot say', async () => {
    await fc.assert(
      fc.asyncProperty(schemaFile, async ({ text }) => {
        const parsed = await parseSchemaText(text, 'random.yaml');
        assert.ok(parsed.ok);
        const written = await schemaFileText(parsed.schema, parsed.table);
        const back = await readBack(written.text);
        const isKept = ({ name }: { name: string }): boolean => !written.lost.includes(name);
        assert.deepEqual(back.columns.filter(isKept), parsed.schema.columns.filter(isKept));
        assert.deepEqual({ ...back, columns: [] }, { ...parsed.schema, columns: [] });
        const unsaid = /series|reference/;
        for (const name of written.lost)
          assert.match(
            text.split('\n').find((line) => line.trimStart().startsWith(`${name}:`)) ?? text,
            unsaid,
          );
      }),
      { numRuns: 60 },
    );
  });

  it('adds the columns of the run by its word for them, wherever they stand', async () => {
    const schema = tableOf([
      { name: 'a', type: { kind: 'text' }, generator: { kind: 'uuid' } },
      { name: 'run_id', type: { kind: 'text' }, notNull: true, generator: { kind: 'runId' } },
      { name: 'seq', type: { kind: 'bigint' }, notNull: true, generator: { kind: 'seq' } },
    ]);
    const back = await readBack((await schemaFileText(schema, TABLE)).text);
    assert.deepEqual(
      back.columns.map(({ name }) => name),
      ['run_id', 'seq', 'a'],
    );
  });
});
