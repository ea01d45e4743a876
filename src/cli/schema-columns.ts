/** The columns of a schema in words: what a person wants to know before filling a table with them. */
import { typeSql } from '../rows/ddl.ts';
import type { Column, Generator, TableSchema } from '../rows/schema.ts';

export interface ColumnFacts {
  readonly name: string;
  /** As in the DDL, on one line. */
  readonly type: string;
  /** How its values are made. */
  readonly made: string;
}

/** One entry per column, in order. */
export function columnFacts(schema: TableSchema): readonly ColumnFacts[] {
  return schema.columns.map((column) => ({
    name: column.name,
    type: shortType(column),
    made: madeOf(column),
  }));
}

const MAX_TYPE_CHARACTERS = 40;

function shortType(column: Column): string {
  const text = typeSql(column.type).replace(/\s+/g, ' ');
  return text.length > MAX_TYPE_CHARACTERS ? `${text.slice(0, MAX_TYPE_CHARACTERS - 1)}…` : text;
}

function madeOf(column: Column): string {
  if (column.generatedAs !== undefined) return `by the server: ${column.generatedAs}`;
  if (column.generator === null)
    return column.default === undefined ? 'left to the server' : `default ${column.default}`;
  const nulls = column.nulls === undefined || column.nulls === 0 ? '' : `, ${column.nulls * 100} % null`;
  return `${inWords(column.generator)}${nulls}`;
}

function inWords(generator: Generator): string {
  switch (generator.kind) {
    case 'runId':
      return 'the run id';
    case 'seq':
      return 'the number of the row';
    case 'constant':
      return `always ${JSON.stringify(generator.value)}`;
    case 'integer':
      return `${generator.min} to ${generator.max}`;
    case 'decimal':
      return `${scaled(generator.min, generator.scale)} to ${scaled(generator.max, generator.scale)}`;
    case 'normal':
      return `around ${scaled(generator.mean, generator.scale)}, deviation ${scaled(generator.deviation, generator.scale)}`;
    case 'exponential':
      return `from ${scaled(generator.min, generator.scale)}, mean ${scaled(generator.min + generator.mean, generator.scale)}, exponential`;
    case 'zipf':
      return `${generator.ranks} ranks, few of them often (zipf ${generator.exponent})`;
    case 'time':
      return 'advances with the row';
    case 'pool':
      return `from a pool${generator.pick?.by === 'entity' ? ', the same for each entity' : ''}`;
    case 'choice':
      return `one of ${generator.options.map(({ value }) => JSON.stringify(value)).join(' ')}`;
    case 'array':
      return `${generator.minLength} to ${generator.maxLength} of: ${inWords(generator.of)}`;
    case 'ip':
      return `IPv${generator.version} addresses`;
    case 'series':
      return 'moves from row to row, as a measurement does';
    case 'complement':
      return `what ${generator.of.join(', ')} leave of ${generator.total}`;
    default:
      return generator.kind;
  }
}

/** Decimals are kept as whole numbers of their last digit: 1999 with scale 2 is 19.99. */
function scaled(value: number, scale: number): string {
  return (value / 10 ** scale).toFixed(scale);
}
