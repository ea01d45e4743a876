/**
 * Random schema files against a real CrateDB: it accepts every statement and stores every row. As many as
 * CRATEGEN_SCHEMAS says, with the seed CRATEGEN_SEED. A node with its data in memory takes ten a second; one that
 * waits for its disk, one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstRows } from '../../src/cli/schema/sample.ts';
import { parseSchemaText } from '../../src/plan/schema-file/schema-file.ts';
import { createTableSql, insertStatement } from '../../src/rows/ddl.ts';
import { schemaFile } from '../plan/schema-file/arbitrary-schema-file.ts';
import { bulkInsert, sql, tableFor } from './support.ts';
import { parseTableName } from '../../src/base/sql.ts';

const FILES = Number(process.env['CRATEGEN_SCHEMAS'] ?? 40);
const SEED = Number(process.env['CRATEGEN_SEED'] ?? 1);
/** Tables at a time: while the master makes one known, rows go into another. */
const LANES = 4;
const ROWS = 20;
const IDENTITY = { seed: 1, runId: 'live', timeOriginMs: Date.UTC(2026, 0, 1) };
/** What is wrong with one generator is wrong in many files. */
const SHOWN = 5;

test(
  `${FILES} random schema files are accepted, and every row is stored`,
  { timeout: 3_600_000 },
  async (context) => {
    const files = fc.sample(schemaFile, { numRuns: FILES, seed: SEED }).values();
    const failures: string[] = [];
    const lanes = Array.from({ length: LANES }, () => tableFor(context));
    await Promise.all(
      lanes.map(async (table) => {
        // One iterator for all: who is done takes the next.
        for (const { text } of files) {
          const why = await failureOf(text, table);
          if (why !== null) failures.push(`${why}\n${text}`);
        }
      }),
    );
    context.diagnostic(`seed ${SEED}: ${FILES} files, ${FILES * ROWS} rows, ${failures.length} failures`);
    assert.equal(failures.length, 0, failures.slice(0, SHOWN).join('\n'));
  },
);

/** Why the server does not hold the rows of a schema file, or null when it does. */
async function failureOf(text: string, name: string): Promise<string | null> {
  const [parsed, parsedName] = [await parseSchemaText(text, 'random.yaml'), parseTableName(name)];
  assert.ok(parsedName.ok);
  if (!parsed.ok) return parsed.problems.join('\n');
  const [{ schema }, table] = [parsed, parsedName.name];
  try {
    await sql(createTableSql(schema, { table, key: true, shards: 1, replicas: '0', ifNotExists: false }));
    const rows = await firstRows(schema, IDENTITY, ROWS);
    const answer = await bulkInsert(insertStatement(schema, table, { conflictColumns: null }), rows);
    return answer.stored === ROWS ? null : `${rows[0]}\n${answer.text.slice(0, 2000)}`;
  } catch (error) {
    return String(error);
  } finally {
    await sql(`DROP TABLE IF EXISTS ${name}`);
  }
}
