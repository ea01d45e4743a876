/**
 * Random schema files against a real CrateDB: it accepts every statement and stores every row. As many as
 * CRATEGEN_SCHEMAS says, with the seed CRATEGEN_SEED.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstRows } from '../../src/cli/schema-sample.ts';
import { parseSchemaText } from '../../src/plan/schema-file.ts';
import { createTableSql, insertStatement } from '../../src/rows/ddl.ts';
import { schemaFile } from '../plan/arbitrary-schema-file.ts';
import { bulkInsert, sql, tableFor } from './support.ts';
import { parseTableName } from '../../src/base/sql.ts';

const FILES = Number(process.env['CRATEGEN_SCHEMAS'] ?? 40);
const SEED = Number(process.env['CRATEGEN_SEED'] ?? 1);
const ROWS = 20;
const IDENTITY = { seed: 1, runId: 'live', timeOriginMs: Date.UTC(2026, 0, 1) };

test(
  `${FILES} random schema files are accepted, and every row is stored`,
  { timeout: 3_600_000 },
  async (context) => {
    const name = tableFor(context);
    const parsedName = parseTableName(name);
    assert.ok(parsedName.ok);
    const table = parsedName.name;
    for (const { text } of fc.sample(schemaFile, { numRuns: FILES, seed: SEED })) {
      const parsed = await parseSchemaText(text, 'random.yaml');
      assert.ok(parsed.ok, parsed.ok ? '' : `${text}\n${parsed.problems.join('\n')}`);
      const { schema } = parsed;
      await sql(
        createTableSql(schema, { table, key: true, shards: 1, replicas: '0', ifNotExists: false }),
      ).catch((error: unknown) => assert.fail(`${text}\n${String(error)}`));
      const rows = await firstRows(schema, IDENTITY, ROWS);
      const answer = await bulkInsert(insertStatement(schema, table, { conflictColumns: null }), rows);
      assert.ok(answer.stored === ROWS, `${text}\n${rows[0]}\n${answer.text.slice(0, 2000)}`);
      await sql(`DROP TABLE ${name}`);
    }
    context.diagnostic(`${FILES} files, ${FILES * ROWS} rows`);
  },
);
