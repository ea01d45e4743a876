/** A table schema as a schema file: what `parseSchema` reads back as the same schema, as far as the format goes. */
import { isDeepStrictEqual } from 'node:util';
import { type TableName, formatTable } from '../base/sql.ts';
import { typeSql } from '../rows/ddl.ts';
import {
  type Column,
  type ColumnType,
  type Generator,
  type JsonValue,
  type TableSchema,
} from '../rows/schema.ts';
import { sensibleGenerator } from '../rows/sensible-generator.ts';
import { parseSchemaText } from './schema-file.ts';

export interface WrittenSchema {
  readonly text: string;
  /** Columns whose values the file does not describe as the schema does. */
  readonly lost: readonly string[];
}

type Entry = Record<string, unknown>;

/** Writes the file and reads it back, to know what it does not say. */
export async function schemaFileText(schema: TableSchema, table: TableName): Promise<WrittenSchema> {
  const { stringify } = await import('yaml');
  const text = stringify(fileOf(schema, table), { lineWidth: 0 });
  const read = await parseSchemaText(text, `${schema.name}.yaml`);
  const columns = read.ok ? read.schema.columns : [];
  const lost = schema.columns.filter((column, index) => !isDeepStrictEqual(column, columns[index]));
  return { text, lost: lost.map(({ name }) => name) };
}

function fileOf(schema: TableSchema, table: TableName): Entry {
  const keys = new Set(schema.primaryKey);
  const { clusteredBy, shards, axis } = schema;
  const isOfRun =
    schema.columns[0]?.generator?.kind === 'runId' && schema.columns[1]?.generator?.kind === 'seq';
  const columns = isOfRun ? schema.columns.slice(2) : schema.columns;
  return {
    name: schema.name,
    table: formatTable(table),
    description: schema.description,
    time: { step: `${axis.stepMs}ms`, entities: axis.entities },
    columns: Object.fromEntries(columns.map((column) => [column.name, columnOf(column, keys)])),
    ...(schema.primaryKey.length === 0 ? {} : { primary_key: schema.primaryKey }),
    ...(clusteredBy === null && shards === undefined
      ? {}
      : {
          clustered_by: {
            ...(clusteredBy === null ? {} : { column: clusteredBy }),
            ...(shards === undefined ? {} : { shards }),
          },
        }),
    ...(schema.partitionedBy.length === 0 ? {} : { partitioned_by: schema.partitionedBy }),
    ...(schema.checks.length === 0
      ? {}
      : { checks: Object.fromEntries(schema.checks.map(({ name, sql }) => [name, sql])) }),
    ...(Object.keys(schema.settings).length === 0 ? {} : { with: schema.settings }),
    ...(isOfRun ? { identity: true } : {}),
  };
}

function columnOf(column: Column, keys: ReadonlySet<string>): Entry {
  const { name, type, generator, index } = column;
  const object = objectIn(type);
  const usual = sensibleGenerator(name, type, { isKey: keys.has(name) }).generator;
  const isUsual = generator === null || isDeepStrictEqual(generator, usual);
  const inner = generator?.kind === 'array' ? generator.of : generator;
  return {
    type: typeText(type),
    ...(object === null ? {} : { policy: object.policy }),
    ...(object === null || object.columns.length === 0
      ? {}
      : { columns: Object.fromEntries(object.columns.map((one) => [one.name, columnOf(one, new Set())])) }),
    ...(column.notNull === true ? { not_null: true } : {}),
    ...(column.default === undefined ? {} : { default: column.default }),
    ...(column.generatedAs === undefined ? {} : { generated_as: column.generatedAs }),
    ...(index === undefined
      ? {}
      : { index: index.kind === 'off' ? 'off' : { fulltext: { analyzer: index.analyzer } } }),
    ...(column.columnStore === undefined ? {} : { columnstore: column.columnStore }),
    ...(column.nulls === undefined ? {} : { nulls: column.nulls }),
    ...(generator?.kind === 'array' ? { length: `${generator.minLength}..${generator.maxLength}` } : {}),
    ...(isUsual || inner === null ? {} : { generate: generateOf(inner) }),
  };
}

function objectIn(type: ColumnType): Extract<ColumnType, { kind: 'object' }> | null {
  if (type.kind === 'array') return objectIn(type.of);
  return type.kind === 'object' ? type : null;
}

function typeText(type: ColumnType): string {
  if (type.kind === 'array') return `array(${typeText(type.of)})`;
  return type.kind === 'object' ? 'object' : typeSql(type).toLowerCase();
}

/** What stands under `generate`; what the format has no word for becomes the nearest, and is told as lost. */
function generateOf(generator: Generator): JsonValue {
  switch (generator.kind) {
    case 'sequence':
      return { sequence: { start: generator.start, step: generator.step } };
    case 'integer':
      return { uniform: [generator.min, generator.max] };
    case 'decimal': {
      const unit = 10 ** generator.scale;
      return { uniform: { min: generator.min / unit, max: generator.max / unit, decimals: generator.scale } };
    }
    case 'choice':
      return { choice: generator.options.map(({ value, weight }) => ({ value, weight })) };
    case 'boolean':
      return { boolean: generator.trueShare };
    case 'characters':
      return { characters: `${generator.minLength}..${generator.maxLength}` };
    case 'time':
      return {
        time: {
          jitter: `${generator.jitterMs}ms`,
          ...(generator.startMs === undefined ? {} : { start: new Date(generator.startMs).toISOString() }),
        },
      };
    case 'uuid':
    case 'bits':
    case 'object':
    case 'vector':
      return generator.kind;
    case 'constant':
      return { constant: generator.value };
    default:
      return { characters: 8 };
  }
}
