/** Random schema files: right ones become tables and rows, broken ones are told at the line that is broken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSchemaText } from '../../../src/plan/schema-file/schema-file.ts';
import { createTableSql } from '../../../src/rows/ddl.ts';
import { needsOf } from '../../../src/rows/pool-needs.ts';
import { schemaFile, spoiling } from './arbitrary-schema-file.ts';
import { planOf, rowsOf } from '../../rows/support.ts';
import { insertedColumns } from '../../../src/rows/schema.ts';

/** How many of each; the soak test of schema files takes 10,000. */
const RUNS = Number(process.env['CRATEGEN_SCHEMA_RUNS'] ?? 60);
const CREATED = {
  table: { schema: 's', table: 't' },
  key: true,
  shards: null,
  replicas: null,
  ifNotExists: true,
};

test('every schema file that is right becomes a statement and rows within their types', async () => {
  await fc.assert(
    fc.asyncProperty(schemaFile, async ({ text }) => {
      const parsed = await parseSchemaText(text, 'random.yaml');
      assert.ok(parsed.ok, parsed.ok ? '' : `${text}\n${parsed.problems.join('\n')}`);
      assert.match(createTableSql(parsed.schema, CREATED), /^CREATE TABLE IF NOT EXISTS/);
      assert.ok(needsOf(parsed.schema).pools.size >= 0);
    }),
    { numRuns: RUNS },
  );
});

test('the rows of a schema file are JSON, one value a column', async () => {
  await fc.assert(
    fc.asyncProperty(schemaFile, async ({ text }) => {
      const parsed = await parseSchemaText(text, 'random.yaml');
      if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
      const columns = insertedColumns(parsed.schema);
      for (const row of rowsOf(await planOf(parsed.schema), 0, 5)) assert.equal(row.length, columns.length);
    }),
    { numRuns: Math.ceil(RUNS / 10) },
  );
});

test('every schema file that is broken in a line has a problem there, and does not throw', async () => {
  await fc.assert(
    fc.asyncProperty(schemaFile, spoiling, fc.nat(), async (file, spoil, position) => {
      const lines = file.text.split('\n');
      const at = file.columnLines[position % file.columnLines.length] ?? 5;
      lines[at - 1] = spoil(lines[at - 1] ?? '');
      const parsed = await parseSchemaText(lines.join('\n'), 'random.yaml');
      assert.equal(parsed.ok, false);
      const places = parsed.ok
        ? []
        : parsed.problems.map((line) => Number(/^random\.yaml:(\d+):\d+: /.exec(line)?.[1]));
      // A bracket that is left open is noticed where the next line cannot follow.
      assert.ok(
        places.some((line) => line === at || line === at + 1),
        `${lines.join('\n')}\n${at}: ${places.join()}`,
      );
    }),
    { numRuns: RUNS },
  );
});

test('no text whatever makes the reader throw', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.json(),
        fc
          .tuple(schemaFile, fc.nat(), fc.nat(40), fc.string({ maxLength: 8 }))
          .map(([{ text }, from, length, put]) => {
            const start = from % text.length;
            return text.slice(0, start) + put + text.slice(start + length);
          }),
      ),
      async (text) => {
        const parsed = await parseSchemaText(text, 'random.yaml');
        const lines = parsed.ok ? [] : parsed.problems;
        for (const line of lines) assert.match(line, /^(random\.yaml:\d+:\d+: |… and \d+ more)/);
      },
    ),
    { numRuns: RUNS },
  );
});
