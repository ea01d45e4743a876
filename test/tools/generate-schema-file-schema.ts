/**
 * Writes docs/schema-file.schema.json: what editors need to complete and check a schema file. Made of the same lists
 * that the reader uses, so that neither knows a key that the other does not; the reader checks more.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as prettier from 'prettier';
import { TYPE_NAMES } from '../../src/plan/schema-file/column-type.ts';
import { GENERATOR_NAMES } from '../../src/plan/schema-file/parse-generator.ts';
import type { COLUMN_KEYS, TOP_KEYS } from '../../src/plan/schema-file/parse-schema.ts';
import { FAKER_METHODS } from '../../src/rows/schema.ts';

export const SCHEMA_FILE_SCHEMA_PATH = join(import.meta.dirname, '../../docs/schema-file.schema.json');

type JsonSchema = Readonly<Record<string, unknown>>;

const TEXT: JsonSchema = { type: 'string' };
const NAMES: JsonSchema = { anyOf: [TEXT, { type: 'array', items: TEXT }] };
const SHARE: JsonSchema = {
  anyOf: [
    { type: 'number', minimum: 0, maximum: 1 },
    { type: 'string', pattern: '^\\d+(\\.\\d+)?\\s*%$' },
  ],
};
const map = (values: JsonSchema): JsonSchema => ({ type: 'object', additionalProperties: values });
const described = (description: string, schema: JsonSchema): JsonSchema => ({ description, ...schema });

/** By key: a key without an entry does not compile. */
const TOP: Readonly<Record<(typeof TOP_KEYS)[number], JsonSchema>> = {
  name: described('the name that rows are drawn by; the name of the file without it', TEXT),
  table: described('where the rows go, unless --table says otherwise: shop.orders', TEXT),
  description: TEXT,
  columns: map({ $ref: '#/$defs/column' }),
  primary_key: NAMES,
  clustered_by: {
    anyOf: [
      TEXT,
      {
        type: 'object',
        properties: { column: TEXT, shards: { type: 'integer' } },
        additionalProperties: false,
      },
    ],
  },
  partitioned_by: NAMES,
  checks: described('conditions in SQL, by name', map(TEXT)),
  with: described('settings of the table', map({ type: ['string', 'number', 'boolean'] })),
  identity: described('adds run_id and seq, with the primary key over them', {
    anyOf: [
      { type: 'boolean' },
      {
        type: 'object',
        properties: { run_id: { type: 'boolean' }, seq: { type: 'boolean' } },
        additionalProperties: false,
      },
    ],
  }),
  time: {
    type: 'object',
    properties: { start: TEXT, step: TEXT, entities: { type: ['integer', 'string'] } },
    additionalProperties: false,
  },
};

const COLUMN: Readonly<Record<(typeof COLUMN_KEYS)[number], JsonSchema>> = {
  type: { $ref: '#/$defs/type' },
  generate: { $ref: '#/$defs/generate' },
  nulls: described('share of rows without a value', SHARE),
  not_null: { type: 'boolean' },
  default: described('an SQL expression: the server fills the column', TEXT),
  generated_as: described('an SQL expression: the server computes the column', TEXT),
  index: {
    anyOf: [
      { enum: ['off', 'fulltext', false] },
      {
        type: 'object',
        properties: {
          fulltext: { type: 'object', properties: { analyzer: TEXT }, additionalProperties: false },
        },
        additionalProperties: false,
      },
    ],
  },
  columnstore: { type: 'boolean' },
  policy: { enum: ['dynamic', 'strict', 'ignored'] },
  columns: map({ $ref: '#/$defs/column' }),
  length: described('of an array: 3 or 1..6', { type: ['integer', 'string'] }),
};

/** The text of the JSON Schema, formatted as the repository's files are. */
export async function schemaFileSchemaText(): Promise<string> {
  const generators = Object.fromEntries(GENERATOR_NAMES.map((name) => [name, {}]));
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'crategen schema file',
    description: 'A table and how its rows are made: docs/guide/schema-files.md',
    type: 'object',
    properties: TOP,
    required: ['columns'],
    additionalProperties: false,
    $defs: {
      type: described('as in SQL: numeric(18,2), varchar(64), array(object(strict))', {
        anyOf: [{ enum: TYPE_NAMES }, { type: 'string', pattern: '\\(.*\\)$' }],
      }),
      column: {
        anyOf: [
          { $ref: '#/$defs/type' },
          { type: 'object', properties: COLUMN, required: ['type'], additionalProperties: false },
        ],
      },
      generate: {
        anyOf: [
          { enum: GENERATOR_NAMES },
          {
            type: 'object',
            properties: { ...generators, faker: { enum: FAKER_METHODS }, with: { type: 'object' } },
            additionalProperties: false,
          },
        ],
      },
    },
  };
  const options = await prettier.resolveConfig(SCHEMA_FILE_SCHEMA_PATH);
  return await prettier.format(JSON.stringify(schema, null, 2), { ...options, parser: 'json' });
}

if (import.meta.main) writeFileSync(SCHEMA_FILE_SCHEMA_PATH, await schemaFileSchemaText());
