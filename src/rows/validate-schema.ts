/** Finds every problem of a table schema at once: names, types, keys, and generators that do not fit them. */
import { columnsByPath } from './column-paths.ts';
import { columnExtent, extentOf, followFactor } from './extents.ts';
import type { Extent } from './extents.ts';
import { childColumns } from './pool-needs.ts';
import { neighboursOf } from './schema.ts';
import type {
  Column,
  ColumnType,
  Generator,
  SequenceGenerator,
  SeriesGenerator,
  TableSchema,
} from './schema.ts';
import { sequencePeriod, wholeLimits } from './type-limits.ts';
import { INTEGERS, fitProblem, generatorProblems, isWhole } from './validate-generator.ts';

/**
 * One sentence a problem, each naming its column; empty if the schema can be used. `rows` is how many a run will have,
 * if that is known: a sequence without `wrap` must not repeat in it.
 */
export function validateSchema(schema: TableSchema, rows: number | null = null): string[] {
  const check = new SchemaCheck(schema, rows);
  check.run();
  return check.problems;
}

class SchemaCheck {
  readonly problems: string[] = [];
  readonly #schema: TableSchema;
  readonly #rows: number | null;

  constructor(schema: TableSchema, rows: number | null) {
    this.#schema = schema;
    this.#rows = rows;
  }

  run(): void {
    const { columns, axis } = this.#schema;
    if (columns.length === 0) this.problems.push('the table has no columns');
    else if (columns.every((column) => column.generator === null))
      this.problems.push('no column has a generator');
    if (!isWhole(axis.entities, 1))
      this.problems.push(`axis.entities is ${axis.entities}, not a whole number from 1`);
    if (!isWhole(axis.stepMs, 0))
      this.problems.push(`axis.stepMs is ${axis.stepMs}, not a whole number from 0`);
    this.#columns(columns, '');
    this.#keys();
    for (const check of this.#schema.checks) this.#sql(`the check ${check.name}`, check.sql);
  }

  #columns(columns: readonly Column[], prefix: string): void {
    const seen = new Set<string>();
    for (const column of columns) {
      const path = `${prefix}${column.name}`;
      if (seen.has(column.name)) this.problems.push(`column ${path}: the name is used twice`);
      seen.add(column.name);
      this.#column(column, path);
    }
  }

  #column(column: Column, path: string): void {
    const say = (what: string): void => void this.problems.push(`column ${path}: ${what}`);
    if (column.name === '' || /[.[\]]/.test(column.name) || column.name.includes('\0')) {
      say(`the name ${JSON.stringify(column.name)} has a character that CrateDB does not allow, or none`);
    }
    if (column.name.startsWith('_')) say('names that start with an underscore belong to the server');
    this.#type(column.type, path);
    if (column.default !== undefined) this.#sql(`column ${path}: the default`, column.default);
    if (column.generatedAs !== undefined) {
      this.#sql(`column ${path}: the generated expression`, column.generatedAs);
      if (column.generator !== null)
        say('a generated column is filled by the server, it cannot have a generator');
    }
    const { nulls = 0 } = column;
    if (!(nulls >= 0 && nulls <= 1)) say(`nulls is ${nulls}, not a share from 0 to 1`);
    if (nulls > 0 && column.notNull === true) say('it is NOT NULL and has a share of nulls');
    if (column.generator !== null) this.#generator(column.generator, column.type, path);
    this.#columns(childColumns(column), `${path}.`);
  }

  #type(type: ColumnType, path: string): void {
    const say = (what: string): void => void this.problems.push(`column ${path}: ${what}`);
    switch (type.kind) {
      case 'numeric':
        if (!isWhole(type.precision, 1) || type.precision > 38)
          say(`numeric precision ${type.precision} is not 1 to 38`);
        if (!isWhole(type.scale, 0) || type.scale > type.precision)
          say(`numeric scale ${type.scale} is not 0 to the precision`);
        break;
      case 'varchar':
      case 'char':
      case 'bit':
        if (!isWhole(type.length, 1)) say(`${type.kind} length ${type.length} is not a whole number from 1`);
        break;
      case 'float_vector':
        if (!isWhole(type.dimensions, 1) || type.dimensions > 2048)
          say(`${type.dimensions} dimensions are not 1 to 2048`);
        break;
      case 'array':
        if (holdsVector(type.of))
          say('CrateDB has no arrays of float_vector, not in the objects of an array either');
        this.#type(type.of, path);
        break;
      default:
    }
  }

  #generator(generator: Generator, type: ColumnType, path: string): void {
    const say = (what: string): void => void this.problems.push(`column ${path}: ${what}`);
    const misfit = fitProblem(generator, type);
    if (misfit !== null) return say(misfit);
    const problems = generatorProblems(generator);
    for (const problem of problems) say(problem);
    const circular = neighboursOf(generator).find((name) => this.#isCircular(name));
    if (circular !== undefined) return say(`its values follow from themselves, by way of ${circular}`);
    if (generator.kind === 'series') this.#neighbours(generator, say);
    const extent = extentOf(generator, type, this.#schema.columns);
    if (extent !== null && problems.length === 0) this.#extent(extent, type, say);
    if (generator.kind === 'array' && type.kind === 'array')
      this.#generator(generator.of, type.of, `${path}[]`);
    if (generator.kind === 'complement') this.#complement(generator.total, generator.of, say);
    if (generator.kind === 'sequence') this.#sequence(generator, type, say);
  }

  #extent(extent: Extent, type: ColumnType, say: (what: string) => void): void {
    if (!Number.isSafeInteger(extent.min) || !Number.isSafeInteger(extent.max)) {
      say('the bounds of its values are no safe integers');
      return;
    }
    const isInteger = INTEGERS.includes(type.kind);
    const limits = wholeLimits(type);
    if (isInteger && (extent.min < limits.min || extent.max > limits.max)) {
      say(`values from ${extent.min} to ${extent.max} do not fit into ${type.kind}`);
    }
    if (extent.scale > 0 && isInteger) {
      say(`values with ${extent.scale} decimals do not fit into ${type.kind}`);
    }
    if (type.kind === 'numeric') {
      const digits = Math.max(Math.abs(extent.min), Math.abs(extent.max)).toString().length - extent.scale;
      if (digits > type.precision - type.scale)
        say(`values have more than ${type.precision - type.scale} digits before the point`);
      if (extent.scale > type.scale)
        say(`values with ${extent.scale} decimals would be rounded to ${type.scale}`);
    }
  }

  #sequence(sequence: SequenceGenerator, type: ColumnType, say: (what: string) => void): void {
    const limits = wholeLimits(type);
    const { start } = sequence;
    // The extents of the other types are held against their limits; a real takes more, but not exactly.
    if (type.kind === 'real' && (start < limits.min || start > limits.max)) {
      say(
        `its sequence starts at ${start}, outside the whole numbers of a real, ${limits.min} to ${limits.max}`,
      );
      return;
    }
    const period = sequencePeriod(sequence, limits);
    // What it cannot even start with has been said.
    if (period > 0 && sequence.wrap === undefined && this.#rows !== null && period < this.#rows) {
      say(
        `its sequence begins again after ${period} rows; give it a wrap if ${this.#rows} rows may repeat it`,
      );
    }
  }

  /** A complement is never negative, and is computed from columns of the same row that are always there. */
  #complement(total: number, of: readonly string[], say: (what: string) => void): void {
    let most = 0;
    for (const name of of) {
      const column = this.#schema.columns.find((candidate) => candidate.name === name);
      const extent = columnExtent(name, this.#schema.columns);
      const isSimple = ['integer', 'series'].includes(column?.generator?.kind ?? '');
      if (extent === null || !isSimple || extent.scale > 0 || extent.min < 0 || (column?.nulls ?? 0) > 0) {
        say(`${name} is no integer or series column without decimals, nulls and negative values`);
      } else most += extent.max;
    }
    if (most > total) say(`the columns it is computed from may add up to ${most}, more than ${total}`);
  }

  #isCircular(name: string): boolean {
    const seen = new Set<string>();
    const waiting = [name];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const generator = this.#schema.columns.find((column) => column.name === next)?.generator;
      for (const neighbour of generator == null ? [] : neighboursOf(generator)) {
        if (neighbour === name) return true;
        if (!seen.has(neighbour)) waiting.push(neighbour);
        seen.add(neighbour);
      }
    }
    return false;
  }

  /** A series may belong to the values of one column and follow another. */
  #neighbours(series: SeriesGenerator, say: (what: string) => void): void {
    const { columns } = this.#schema;
    const { per, follows, scale = 0 } = series;
    const found = columns.find(({ name }) => name === per)?.generator;
    if (
      per !== undefined &&
      found?.kind !== 'pool' &&
      found?.kind !== 'choice' &&
      columnExtent(per, columns) === null
    )
      say(`${per}, whose values have levels of their own, is no pool, choice or number column beside it`);
    if (follows === undefined) return;
    const followed = columnExtent(follows.column, columns);
    if (followed === null) return say(`${follows.column}, which it follows, is no number column beside it`);
    const reach = Math.abs(followFactor(follows.share, { scale }, followed)) * (followed.max - followed.min);
    if (!(reach < 2 ** 31)) say(`a share of ${follows.share} of ${follows.column} reaches 2^31`);
  }

  #keys(): void {
    const { columns, primaryKey, clusteredBy, partitionedBy } = this.#schema;
    const paths = columnsByPath(columns);
    const known = (what: string, list: readonly string[]): void => {
      for (const name of list)
        if (!paths.has(name)) this.problems.push(`${what} names the column ${name}, which is not there`);
    };
    known('the primary key', primaryKey);
    known('partitioned by', partitionedBy);
    if (clusteredBy === null) {
      // Nothing to check: the server routes by the key.
    } else if (partitionedBy.includes(clusteredBy)) {
      this.problems.push(`the table is partitioned by its routing column ${clusteredBy}`);
    } else {
      known('clustered by', [clusteredBy]);
      if (primaryKey.length > 0 && !primaryKey.includes(clusteredBy)) {
        this.problems.push(`the routing column ${clusteredBy} is not in the primary key`);
      }
    }
    if (primaryKey.length > 0) {
      for (const name of partitionedBy) {
        if (!primaryKey.includes(name))
          this.problems.push(`the partition column ${name} is not in the primary key`);
      }
    }
    for (const [path, column] of paths) {
      if (primaryKey.includes(path) && (column.nulls ?? 0) > 0) {
        this.problems.push(`column ${path}: a key column has a share of nulls`);
      }
    }
  }

  /** SQL of the schema's author stays inside its place in the statement: no end, no comment, nothing left open. */
  #sql(what: string, sql: string): void {
    const bare = sql.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, '');
    if (bare.trim() === '' && sql.trim() === '') this.problems.push(`${what} is empty`);
    if (/['";]|--|\/\*/.test(bare)) this.problems.push(`${what} has an open quote, a comment or a semicolon`);
    let depth = 0;
    for (const character of bare) {
      if (character === '(') depth += 1;
      if (character === ')') depth -= 1;
      if (depth < 0) break;
    }
    if (depth !== 0) this.problems.push(`${what} has parentheses that do not match`);
  }
}

/** The second vector of a row in such a field is refused: "appears more than once in this document" (6.4.3). */
function holdsVector(type: ColumnType): boolean {
  if (type.kind === 'array') return holdsVector(type.of);
  if (type.kind === 'object') return type.columns.some((column) => holdsVector(column.type));
  return type.kind === 'float_vector';
}
