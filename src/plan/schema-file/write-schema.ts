/** A table schema as a schema file: what `parseSchema` reads back as the same schema, as far as the format goes. */
import { isDeepStrictEqual } from 'node:util';
import { type TableName, formatTable } from '../../base/sql.ts';
import { typeSql } from '../../rows/ddl.ts';
import {
  type Column,
  type ColumnType,
  type Generator,
  type TableSchema,
  hasRunColumns,
} from '../../rows/schema.ts';
import { sensibleGenerator } from '../../rows/sensible-generator.ts';
import { parseSchemaText } from './schema-file.ts';
import { type Written, writeGenerator } from './write-generator.ts';

export interface WrittenSchema {
  readonly text: string;
  /** Columns whose values the file does not describe as the schema does. */
  readonly lost: readonly string[];
}

type Entry = Record<string, unknown>;

/** Writes the file and reads it back, to know what it does not say. */
export async function schemaFileText(schema: TableSchema, table: TableName): Promise<WrittenSchema> {
  const yaml = await import('yaml');
  const document = new yaml.Document(fileOf(schema, table), { aliasDuplicateObjects: false });
  // A thousand ranks in a line of their own, so that the columns stay in sight.
  yaml.visit(document, {
    Pair: (_key, { key, value }) => {
      if (yaml.isScalar(key) && key.value === 'generate' && yaml.isCollection(value)) value.flow = true;
    },
  });
  const text = document.toString({ lineWidth: 0 });
  const read = await parseSchemaText(text, `${schema.name}.yaml`);
  const columns = read.ok ? read.schema.columns : [];
  const lost = schema.columns.filter((column, index) => !isDeepStrictEqual(column, columns[index]));
  return { text, lost: lost.map(({ name }) => name) };
}

function fileOf(schema: TableSchema, table: TableName): Entry {
  const keys = new Set(schema.primaryKey);
  const { clusteredBy, shards, axis } = schema;
  // The file has one word for both of them.
  const isOfRun = hasRunColumns(schema);
  const columns = isOfRun ? schema.columns.filter(({ name }) => !isRunColumn(name)) : schema.columns;
  return {
    name: schema.name,
    table: formatTable(table),
    ...(schema.description === '' ? {} : { description: schema.description }),
    time: { step: `${axis.stepMs}ms`, entities: axis.entities },
    columns: new Map(columns.map((column) => [column.name, columnOf(column, keys)])),
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
  // A file that says nothing leaves a column with a default to the server.
  const isUsual = column.default === undefined && isDeepStrictEqual(generator, usual);
  const written = generator === null || isUsual ? null : generateOf(generator, type);
  return {
    type: typeText(type),
    ...(object === null ? {} : { policy: object.policy }),
    ...(object === null || object.columns.length === 0
      ? {}
      : { columns: new Map(object.columns.map((one) => [one.name, columnOf(one, new Set())])) }),
    ...(column.notNull === true ? { not_null: true } : {}),
    ...(column.default === undefined ? {} : { default: column.default }),
    ...(column.generatedAs === undefined ? {} : { generated_as: column.generatedAs }),
    ...(index === undefined
      ? {}
      : { index: index.kind === 'off' ? 'off' : { fulltext: { analyzer: index.analyzer } } }),
    ...(column.columnStore === undefined ? {} : { columnstore: column.columnStore }),
    ...(column.nulls === undefined ? {} : { nulls: column.nulls }),
    ...(generator?.kind === 'array' ? { length: `${generator.minLength}..${generator.maxLength}` } : {}),
    ...(written === null ? {} : { generate: written }),
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

/** An array's generator is about its elements; null: the format has no word for it, and names and types decide. */
function generateOf(generator: Generator, type: ColumnType): Written | null {
  if (type.kind !== 'array' || generator.kind === 'constant') return writeGenerator(generator, type);
  return generator.kind === 'array' ? generateOf(generator.of, type.of) : null;
}

const isRunColumn = (name: string): boolean => name === 'run_id' || name === 'seq';
