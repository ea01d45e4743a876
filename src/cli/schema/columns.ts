/** The columns of a schema in words: what a person wants to know before filling a table with them. */
import { formatDuration } from '../../base/units.ts';
import type { ChosenBy } from '../../plan/schema-file/schema-file.ts';
import { typeSql } from '../../rows/ddl.ts';
import { childColumns } from '../../rows/pool-needs.ts';
import type { Column, Generator, TableSchema } from '../../rows/schema.ts';

export interface ColumnFacts {
  readonly name: string;
  /** As in the DDL, on one line. */
  readonly type: string;
  /** How its values are made. */
  readonly made: string;
}

/** One entry per column, in order. `chosenBy` says of a file's columns how they got their generator. */
export function columnFacts(
  schema: TableSchema,
  chosenBy: ReadonlyMap<string, ChosenBy> = new Map(),
): readonly ColumnFacts[] {
  return schema.columns.flatMap((column) => factsOf(column, column.name, chosenBy));
}

/** The sub-columns of a file's objects are shown too: each has a generator that was written or chosen. */
function factsOf(
  column: Column,
  path: string,
  chosenBy: ReadonlyMap<string, ChosenBy>,
): readonly ColumnFacts[] {
  const by = chosenBy.get(path);
  const reason = by === undefined || by === 'file' ? '' : ` (by its ${by})`;
  const own = { name: path, type: shortType(column), made: `${madeOf(column)}${reason}` };
  if (chosenBy.size === 0) return [own];
  return [own, ...childColumns(column).flatMap((child) => factsOf(child, `${path}.${child.name}`, chosenBy))];
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
      return `around ${scaled(generator.mean, generator.scale)}, deviation ${scaled(generator.deviation, generator.scale)}${limitsOf(generator)}`;
    case 'exponential':
      return `from ${scaled(generator.min, generator.scale)}, mean ${scaled(generator.min + generator.mean, generator.scale)}, exponential${limitsOf({ ...generator, min: undefined })}`;
    case 'zipf':
      return `${generator.ranks} ranks, few of them often (zipf ${generator.exponent})`;
    case 'sequence': {
      const again = generator.wrap === undefined ? '' : `, again after ${generator.wrap} rows`;
      return `from ${generator.start} in steps of ${generator.step}${again}`;
    }
    case 'buckets':
      return `as in a histogram from ${scaled(generator.bounds[0] ?? 0, generator.scale)} to ${scaled(generator.bounds.at(-1) ?? 0, generator.scale)}`;
    case 'ranked':
      return generator.weights.length === 0
        ? `${generator.distinct} different values`
        : `${generator.distinct} values, the first ${generator.weights.length} of them with shares of their own`;
    case 'reference': {
      const { schemaName, path, rows, skew } = generator;
      return `${path} of one of ${rows} rows of ${schemaName}${skew.kind === 'zipf' ? `, few of them often (zipf ${skew.exponent})` : ''}`;
    }
    case 'time':
      return `advances with the row${generator.late === undefined ? '' : `, ${generator.late.share * 100} % up to ${formatDuration(generator.late.upToMs)} late`}`;
    case 'geoAround':
      return `within ${generator.radiusKm} km of [${generator.lon}, ${generator.lat}]`;
    case 'template':
      return 'composed text';
    case 'pool':
      return `from a pool${generator.pick?.by === 'entity' ? ', the same for each entity' : ''}`;
    case 'choice':
      return `one of ${generator.options.map(({ value }) => JSON.stringify(value)).join(' ')}`;
    case 'array':
      return `${generator.minLength} to ${generator.maxLength} of: ${inWords(generator.of)}`;
    case 'ip':
      return `IPv${generator.version} addresses`;
    case 'series':
      return `moves from row to row, as a measurement does${generator.follows === undefined ? '' : `, and with ${generator.follows.column}`}`;
    case 'complement':
      return `what ${generator.of.join(', ')} leave of ${generator.total}`;
    default:
      return generator.kind;
  }
}

function limitsOf(bounds: { min?: number | undefined; max?: number | undefined; scale: number }): string {
  const least = bounds.min === undefined ? '' : `, at least ${scaled(bounds.min, bounds.scale)}`;
  return bounds.max === undefined ? least : `${least}, at most ${scaled(bounds.max, bounds.scale)}`;
}

/** Decimals are kept as whole numbers of their last digit: 1999 with scale 2 is 19.99. */
function scaled(value: number, scale: number): string {
  return (value / 10 ** scale).toFixed(scale);
}
