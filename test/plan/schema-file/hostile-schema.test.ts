/**
 * Text of a schema file or a statement that would like to be code: it is data in every generator and in every
 * statement, and comes out as it was given. Row 23 of the fault table.
 */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { parseConfigText } from '../../../src/plan/config-file.ts';
import { parseSchemaText } from '../../../src/plan/schema-file/schema-file.ts';
import { schemaFileText } from '../../../src/plan/schema-file/write-schema.ts';
import { createBatchBodies } from '../../../src/rows/batch-body.ts';
import { insertColumns, insertStatement } from '../../../src/rows/ddl.ts';
import { NO_FACTS, fillTable } from '../../../src/rows/existing/fill.ts';
import { parseDdl } from '../../../src/rows/existing/parse-ddl.ts';
import { bulkForm } from '../../../src/rows/insert-form.ts';
import { createReferenceGenerator } from '../../../src/rows/reference/reference-generator.ts';
import type { RowGenerator } from '../../../src/rows/row-generator.ts';
import type { TableSchema } from '../../../src/rows/schema.ts';
import { fastGeneratorOf, planOf } from '../../rows/support.ts';

const CALL = 'globalThis.canary = 1';
/** What ends a text, a comment, a template or a line in JavaScript, JSON, SQL and YAML, and what objects have anyway. */
const HOSTILE: readonly string[] = [
  CALL,
  `";${CALL};"`,
  `';${CALL};'`,
  `\`;${CALL};\``,
  `\${${CALL}}`,
  `{{${CALL}}}`,
  `"+(${CALL})+"`,
  `*/ ${CALL} /*`,
  `// \n${CALL}\r\n//`,
  `\u2028${CALL}\u2029`,
  `\\"; ${CALL}; //`,
  `\\u0022;${CALL}`,
  `(() => { ${CALL} })()`,
  `<script>${CALL}</script>`,
  `!!js/function '${CALL}'`,
  `'); ${CALL}; --`,
  '\\',
  '"',
  '\u0000\u0007\u001b[31m\u007f',
  '\ufeff🚀é',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
];

const anyHostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.tuple(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 6 })).map((parts) => parts.join('')),
);
/** Without what no column of CrateDB can be called. */
const anyHostileName = anyHostile
  .map((text) => text.replaceAll(/[.[\]\0]/g, '').replace(/^_+/, ''))
  .filter((name) => name !== '');
/** Of a pattern: braces stand for themselves when they are doubled. */
const asPattern = (text: string): string => text.replaceAll('{', '{{').replaceAll('}', '}}');
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const ROWS = 40;

function bodyBy(generator: RowGenerator, schema: TableSchema): Buffer {
  const form = bulkForm(insertStatement(schema, { schema: 'a', table: 'b' }, { conflictColumns: [] }));
  const [body] = createBatchBodies(form, generator, ROWS, 1);
  assert.ok(body);
  // The view that `write` returns, not the buffer as it was before.
  return Buffer.from(body.write(0, ROWS));
}

/** The rows of the one body that both generators write, and the statement in it. */
async function writtenBy(
  schema: TableSchema,
): Promise<{ readonly stmt: string; readonly bulk_args: readonly (readonly unknown[])[] }> {
  const plan = await planOf(schema);
  const [fast, reference] = [
    bodyBy(fastGeneratorOf(plan), schema),
    bodyBy(createReferenceGenerator(plan), schema),
  ];
  assert.equal(fast.toString('latin1'), reference.toString('latin1'));
  const request = JSON.parse(fast.toString('utf8')) as {
    readonly stmt: string;
    readonly bulk_args: readonly (readonly unknown[])[];
  };
  assert.equal(request.bulk_args.length, ROWS);
  return request;
}

async function schemaOf(text: string): Promise<TableSchema> {
  const parsed = await parseSchemaText(text, 'hostile.yaml');
  if (!parsed.ok) throw new Error(`${parsed.problems.join('\n')}\n${text}`);
  return parsed.schema;
}

function assertOneOf(value: unknown, expected: readonly unknown[]): void {
  assert.ok(expected.includes(value), JSON.stringify(value));
}

afterEach(() => {
  assert.equal(Reflect.get(globalThis, 'canary'), undefined, 'text of a user was run');
  assert.equal(Reflect.get({}, 'canary'), undefined, 'a prototype was written to');
});

describe('hostile text in a schema file', () => {
  it('comes out of both generators as it went in: names, constants, choices, pools, patterns, keys of objects', async () => {
    await fc.assert(
      fc.asyncProperty(anyHostileName, anyHostile, anyHostile, async (name, one, other) => {
        const file = JSON.stringify({
          columns: {
            constant: { type: 'text', generate: { constant: one } },
            choice: { type: 'text', generate: { choice: [one, other] } },
            weighted: { type: 'text', generate: { choice: [{ value: other, weight: 2 }] } },
            pool: { type: 'text', nulls: '10%', generate: { pool: [one, other] } },
            pattern: {
              type: 'text',
              generate: { pattern: `${asPattern(one)}{p}${asPattern(other)}`, with: { p: [one, other] } },
            },
            object: { type: 'object', columns: { [name]: { type: 'text', generate: { constant: other } } } },
            [`x${name}`]: { type: 'text', generate: { constant: name } },
          },
          checks: { [`check ${name}`]: `constant <> ${literal(`not ${one}`)}` },
        });
        const schema = await schemaOf(file);
        const { stmt, bulk_args: rows } = await writtenBy(schema);
        assert.ok(stmt.includes(quoted(`x${name}`)));
        for (const [constant, choice, weighted, pool, pattern, object, named] of rows) {
          assert.deepEqual([constant, weighted, named], [one, other, name]);
          assertOneOf(choice, [one, other]);
          assertOneOf(pool, [one, other, null]);
          assertOneOf(pattern, [one + one + other, one + other + other]);
          assert.equal(JSON.stringify(object), JSON.stringify({ [name]: other }));
        }
        // Written down and read again it is still only text.
        const { text } = await schemaFileText(schema, { schema: 'a', table: 'b' });
        assert.deepEqual((await writtenBy(await schemaOf(text))).bulk_args, rows);
      }),
      { numRuns: 60, examples: HOSTILE.slice(0, -5).map((text) => ['constructor', text, text]) },
    );
  });

  it('is no method of faker unless it is one of the list', async () => {
    for (const method of [
      ...HOSTILE,
      'helpers.fake',
      'helpers.mustache',
      'helpers.fromRegExp',
      'person.firstName.constructor',
      'person.__proto__',
    ]) {
      const file = JSON.stringify({ columns: { a: { type: 'text', generate: { faker: method } } } });
      const parsed = await parseSchemaText(file, 'hostile.yaml');
      assert.match(parsed.ok ? '' : (parsed.problems[0] ?? ''), /columns\.a\.generate\.faker/, method);
    }
  });

  it('is no number, share, duration, type or generator', async () => {
    for (const text of HOSTILE) {
      for (const column of [
        { type: text },
        { type: 'text', generate: text },
        { type: 'text', generate: { [text]: 1 } },
        { type: 'integer', generate: { constant: text } },
        { type: 'integer', generate: { uniform: [text, 9] } },
        { type: 'double precision', generate: { normal: { mean: 1, sd: text } } },
        { type: 'bigint', generate: { sequence: { start: text, step: text, wrap: text } } },
        { type: 'timestamp', generate: { time: { step: text } } },
        { type: 'text', nulls: text },
        { type: 'array(text)', length: text },
        { type: 'text', generate: { pattern: `{${text}}` } },
        { type: 'text', generate: { pool: 3 }, [text]: 1 },
      ]) {
        const file = JSON.stringify({ columns: { a: column } });
        const parsed = await parseSchemaText(file, 'hostile.yaml');
        assert.equal(parsed.ok, false, file);
      }
    }
  });
});

describe('hostile text in a config file', () => {
  it('is the value of a setting or an unknown one, never more', async () => {
    for (const text of HOSTILE) {
      const known = await parseConfigText(JSON.stringify({ table: text }), 'c.json');
      assert.deepEqual(known.ok && [...(known.config?.settings ?? [])], [['table', text]]);
      const unknown = await parseConfigText(`{${JSON.stringify(text)}: 1}`, 'c.json');
      assert.equal(unknown.ok, false, text);
    }
  });
});

describe('hostile text in a statement', () => {
  it('comes out of both generators as the CHECK demands it, under the names of the statement', async () => {
    await fc.assert(
      fc.asyncProperty(anyHostileName, anyHostile, anyHostile, async (name, one, other) => {
        const column = quoted(`x${name}`);
        const sql = `CREATE TABLE "s".${quoted(`t${name}`)} (
          ${column} TEXT CHECK (${column} IN (${literal(one)}, ${literal(other)})),
          "b" TEXT,
          "left to the server" TEXT DEFAULT ${literal(one)},
          "o" OBJECT(STRICT) AS (${quoted(name)} INTEGER),
          CONSTRAINT ${quoted(name)} CHECK ("b" = ${literal(other)}))`;
        const parsed = parseDdl(sql);
        assert.ok(parsed.ok, JSON.stringify(parsed) + sql);
        const { schema } = fillTable(parsed.definition, { ...NO_FACTS, nowMs: Date.UTC(2026, 10, 27) });
        assert.deepEqual(insertColumns(schema)[0], `x${name}`);
        const { stmt, bulk_args: rows } = await writtenBy(schema);
        assert.ok(stmt.includes(column));
        for (const [value, b, object] of rows) {
          assertOneOf(value, [one, other]);
          assert.equal(b, other);
          assert.deepEqual(Object.keys(object as object), [name]);
        }
      }),
      { numRuns: 60, examples: HOSTILE.slice(0, -5).map((text) => ['constructor', text, text]) },
    );
  });
});
