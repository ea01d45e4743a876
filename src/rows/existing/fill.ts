/**
 * From a table's definition to a schema that fills it: a generator for each column that the server does not fill
 * itself, unique keys, few partitions, and values that its CHECKs let pass. What could still be refused is said.
 */
import { formatColumnPath } from '../../base/sql.ts';
import { columnsByPath } from '../column-paths.ts';
import { sensibleGenerator } from '../sensible-generator.ts';
import type { Check, Column, ColumnType, Generator, SettingValue, TableSchema, TypeKind } from '../schema.ts';
import { wholeLimits } from '../type-limits.ts';
import { type Demand, demandsOf } from './condition.ts';
import { type Limits, generatorWithin, limitsOf } from './check-limits.ts';
import type { TableDefinition } from './parse-ddl.ts';

export interface FillFacts {
  /** Wall-clock ms: where columns of time end that must have a bound. */
  readonly nowMs: number;
  /** The largest values that the table holds already, by the path of a key column; sequences go on behind them. */
  readonly largest: ReadonlyMap<string, number>;
  /** Distributions by path, from a table's statistics; they win over generators from names. */
  readonly shapes: ReadonlyMap<string, ColumnShape>;
}

/** How the values of a column are distributed in a table that is there. */
export interface ColumnShape {
  /** Null: only the share of nulls is known. */
  readonly generator: Generator | null;
  readonly nulls: number;
  /** Of all rows, by the text of a common value: for values that the statement itself spells out. */
  readonly shares: ReadonlyMap<string, number>;
}

export interface FilledTable {
  readonly schema: TableSchema;
  /** What a person should know before the first insert, one sentence each. */
  readonly notes: readonly string[];
}

export const NO_FACTS: Omit<FillFacts, 'nowMs'> = { largest: new Map(), shapes: new Map() };

/** Time in the rows advances by so much from row to row: 1m rows are a day, 100m rows are four months. */
const STEP_MS = 100;
/** Where rows are partitioned by a shorter unit, so that 1m rows make dozens of partitions and not thousands. */
const STEP_MS_BY_UNIT: ReadonlyMap<string, number> = new Map([
  ['second', 0],
  ['minute', 1],
  ['hour', 20],
]);

/** A column that splits the table has so many values. */
const PARTITIONS = 3;

/** Makes the schema; `name` is the table's own, and part of every draw. */
export function fillTable(definition: TableDefinition, facts: FillFacts): FilledTable {
  return new TableFiller(definition, facts).fill();
}

/** Types whose unique values are counted up. */
const GROWING: ReadonlySet<TypeKind> = new Set<TypeKind>([
  'byte',
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'timestamptz',
  'timestamp',
]);

/** The path of the key column that a sequence fills: where it goes on depends on what the table holds. */
export function growingColumn(definition: TableDefinition): string | null {
  return new TableFiller(definition, { ...NO_FACTS, nowMs: 0 }).growing();
}

class TableFiller {
  readonly #definition: TableDefinition;
  readonly #facts: FillFacts;
  readonly #notes: string[] = [];
  readonly #demands = new Map<string, Demand[]>();
  readonly #checksOf = new Map<string, Set<Check>>();
  readonly #doubtful = new Set<Check>();
  readonly #stepMs: number;
  readonly #isOfRun: boolean;
  #unique: string | null = null;

  constructor(definition: TableDefinition, facts: FillFacts) {
    this.#definition = definition;
    this.#facts = facts;
    this.#stepMs = stepOf(definition);
    this.#isOfRun = holdsRunColumns(definition.columns);
  }

  /** The column of the key that grows from row to row, if one does. */
  growing(): string | null {
    this.#definition.checks.forEach((check) => this.#readCheck(check));
    const path = this.#uniqueColumn();
    const kind = path === null ? null : columnsByPath(this.#definition.columns).get(path)?.type.kind;
    return kind != null && GROWING.has(kind) ? path : null;
  }

  fill(): FilledTable {
    const { name, columns, primaryKey, clusteredBy, shards, partitionedBy, checks } = this.#definition;
    checks.forEach((check) => this.#readCheck(check));
    this.#unique = this.#uniqueColumn();
    const schema: TableSchema = {
      name: name.table,
      description: `the table ${name.table} as its statement says it`,
      columns: columns.map((column) => this.#filled(column, [])),
      primaryKey,
      clusteredBy,
      ...(shards === null ? {} : { shards }),
      partitionedBy,
      checks,
      settings: ownSettings(this.#definition.settings),
      axis: { entities: 1, stepMs: this.#stepMs },
    };
    for (const { name: check, sql } of this.#doubtful)
      this.#notes.push(`the CHECK ${check} (${sql}) is not understood: it may reject rows`);
    this.#noteValues();
    return { schema, notes: this.#notes };
  }

  #readCheck(check: Check): void {
    const { demands, isWhole } = demandsOf(check.sql);
    const paths = columnsByPath(this.#definition.columns);
    if (!isWhole || demands.some(({ path, kind }) => !paths.has(path) || kind === 'null'))
      this.#doubtful.add(check);
    for (const demand of demands) {
      const { path } = demand;
      this.#demands.set(path, [...(this.#demands.get(path) ?? []), demand]);
      this.#checksOf.set(path, (this.#checksOf.get(path) ?? new Set()).add(check));
    }
  }

  /** A column with its generator, and those of the columns in it; what the server fills has none. */
  #filled(column: Column, outer: readonly string[]): Column {
    const path = [...outer, column.name];
    const type = this.#filledType(column.type, path);
    const { nulls, ...kept } = { ...column, type };
    const where = formatColumnPath(path);
    if (column.generatedAs !== undefined || this.#isLeftToDefault(column, where))
      return { ...kept, generator: null };
    const shape = this.#facts.shapes.get(where);
    const generator = this.#generator({ ...column, type }, where, shape ?? null);
    const share = this.#mayBeNull(column, where) ? (shape?.nulls ?? nulls ?? 0) : 0;
    return { ...kept, generator, ...(share > 0 ? { nulls: share } : {}) };
  }

  #filledType(type: ColumnType, path: readonly string[]): ColumnType {
    if (type.kind === 'array') return { ...type, of: this.#filledType(type.of, [...path, '[]']) };
    if (type.kind !== 'object') return type;
    return { ...type, columns: type.columns.map((column) => this.#filled(column, path)) };
  }

  /** A default is what an application that says nothing gets; but a key must differ from row to row. */
  #isLeftToDefault(column: Column, path: string): boolean {
    if (column.default === undefined || path === this.#unique) return false;
    if (this.#facts.shapes.has(path)) return false;
    return !this.#definition.partitionedBy.includes(path) || !column.default.includes('(');
  }

  #mayBeNull(column: Column, path: string): boolean {
    const { primaryKey, clusteredBy } = this.#definition;
    const isDemanded = this.#demands.get(path)?.some(({ kind }) => kind === 'notNull') === true;
    return column.notNull !== true && !primaryKey.includes(path) && path !== clusteredBy && !isDemanded;
  }

  #generator(column: Column, path: string, shape: ColumnShape | null): Generator {
    const { type } = column;
    if (this.#isOfRun && path === 'run_id') return { kind: 'runId' };
    if (this.#isOfRun && path === 'seq') return { kind: 'seq' };
    if (path === this.#unique) return this.#uniqueGenerator(type, path);
    const demands = this.#demands.get(path) ?? [];
    const limits = limitsOf(demands);
    const isPartition = this.#definition.partitionedBy.includes(path);
    const named = isPartition
      ? partitionGenerator(type, this.#facts.nowMs)
      : sensibleGenerator(column.name, type, { isKey: false }).generator;
    const base = shape?.generator ?? named;
    if (limits === null) return base;
    const within = generatorWithin(type, base, limits, this.#facts.nowMs);
    if (within === null) for (const check of this.#checksOf.get(path) ?? []) this.#doubtful.add(check);
    return within === null ? base : weighted(within, limits, shape);
  }

  /** One column of the key that differs in every row makes the whole key unique. */
  #uniqueColumn(): string | null {
    const { primaryKey, partitionedBy, columns } = this.#definition;
    if (primaryKey.length === 0 || (this.#isOfRun && primaryKey.includes('seq'))) return null;
    const paths = columnsByPath(columns);
    const candidates = primaryKey.flatMap((path) => {
      const column = paths.get(path);
      if (column === undefined || partitionedBy.includes(path) || column.generatedAs !== undefined) return [];
      return [{ path, fitness: this.#fitness(column, path) }];
    });
    // The server makes another one for each row: nothing is left to do.
    if (candidates.some(({ path }) => /\buuid\b|_uuid\(/.test(paths.get(path)?.default ?? ''))) return null;
    const best = candidates.toSorted((a, b) => b.fitness - a.fitness)[0];
    if (best !== undefined && best.fitness > 0) return best.path;
    this.#notes.push(
      `the key (${primaryKey.join(', ')}) cannot be made unique: rows may be refused as duplicates`,
    );
    return null;
  }

  /** How well a column's type holds another value in every row; 0: not at all. */
  #fitness({ name, type }: Column, path: string): number {
    const demands = this.#demands.get(path) ?? [];
    if (demands.some(({ kind }) => kind !== 'notNull' && kind !== 'least')) return 0;
    const isNamedSo = /^(id|uuid|guid|seq)$/.test(name) ? 10 : 0;
    switch (type.kind) {
      case 'uuid':
        return 7 + isNamedSo;
      case 'timestamptz':
      case 'timestamp':
        return this.#stepMs > 0 ? 6 : 0;
      case 'bigint':
        return 5 + isNamedSo;
      case 'integer':
        return 4 + isNamedSo;
      case 'text':
        return 3 + isNamedSo;
      case 'varchar':
        return (type.length >= UUID_CHARACTERS ? 3 : 2) + isNamedSo;
      case 'numeric':
      case 'smallint':
      case 'byte':
        return 1;
      default:
        return 0;
    }
  }

  #uniqueGenerator(type: ColumnType, path: string): Generator {
    const largest = this.#facts.largest.get(path) ?? null;
    const least = limitsOf(this.#demands.get(path) ?? [])?.least?.value;
    switch (type.kind) {
      case 'uuid':
      case 'text':
        return { kind: 'uuid' };
      case 'varchar':
        if (type.length >= UUID_CHARACTERS) return { kind: 'uuid' };
        return type.length > DIGITS
          ? { kind: 'characters', alphabet: 'base62', minLength: type.length, maxLength: type.length }
          : { kind: 'template', parts: [{ kind: 'sequence', start: 0, step: 1 }] };
      case 'timestamptz':
      case 'timestamp':
        return {
          kind: 'time',
          jitterMs: 0,
          ...(largest === null ? {} : { startMs: Math.max(largest + 1, 0) }),
        };
      default: {
        const lowest = Math.max(typeof least === 'number' ? Math.floor(least) + 1 : 0, wholeLimits(type).min);
        const start = Math.max(largest === null ? lowest : largest + 1, lowest);
        return { kind: 'sequence', start, step: 1 };
      }
    }
  }

  /** Values that stand in the statement and may come back in rows; asked for nobody's secrets, but said. */
  #noteValues(): void {
    for (const [path, demands] of this.#demands) {
      const values = demands.flatMap((demand) => (demand.kind === 'oneOf' ? demand.values : []));
      if (values.length > 0 && !values.every((value) => typeof value === 'boolean'))
        this.#notes.push(`${path} has values that the statement spells out: ${values.map(shown).join(' ')}`);
    }
    const { partitionedBy, columns } = this.#definition;
    const paths = columnsByPath(columns);
    for (const path of partitionedBy) {
      const generated = paths.get(path)?.generatedAs;
      if (generated !== undefined && unitOf(generated) === null)
        this.#notes.push(`how many partitions ${path} (${generated}) makes is not known`);
    }
  }
}

/** Values that a CHECK lists keep the shares that they have in the table. */
function weighted(generator: Generator, limits: Limits, shape: ColumnShape | null): Generator {
  if (generator.kind !== 'choice' || limits.oneOf === null || shape === null) return generator;
  const options = generator.options.map(({ value }) => ({
    value,
    weight: shape.shares.get(typeof value === 'string' ? value : JSON.stringify(value)) ?? 0,
  }));
  return options.some(({ weight }) => weight > 0) ? { kind: 'choice', options } : generator;
}

const UUID_CHARACTERS = 36;
/** Random texts of more characters than this do not meet by chance: 62^12 is more than 10^21. */
const DIGITS = 11;

/** The two columns by which a run's rows are found again. */
function holdsRunColumns(columns: readonly Column[]): boolean {
  const [runId, seq] = ['run_id', 'seq'].map((name) => columns.find((column) => column.name === name));
  const holdsRunId =
    runId?.type.kind === 'text' || (runId?.type.kind === 'varchar' && runId.type.length >= 64);
  const isComputed = runId?.generatedAs !== undefined || seq?.generatedAs !== undefined;
  return holdsRunId && seq?.type.kind === 'bigint' && !isComputed;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

/** The unit of `date_trunc('month', ts)`, or null for another expression. */
function unitOf(sql: string): string | null {
  return /^date_trunc\s*\(\s*'(\w+)'/i.exec(sql)?.[1]?.toLowerCase() ?? null;
}

function stepOf({ columns, partitionedBy }: TableDefinition): number {
  const paths = columnsByPath(columns);
  const steps = partitionedBy.map((path) =>
    STEP_MS_BY_UNIT.get(unitOf(paths.get(path)?.generatedAs ?? '') ?? ''),
  );
  return Math.min(STEP_MS, ...steps.filter((step) => step !== undefined));
}

/** A few values: a table with thousands of partitions is of no use to anyone. */
function partitionGenerator(type: ColumnType, nowMs: number): Generator {
  const choice = (values: readonly (string | number)[]): Generator => ({
    kind: 'choice',
    options: values.map((value) => ({ value, weight: 1 })),
  });
  const numbers = Array.from({ length: PARTITIONS }, (_, index) => index + 1);
  switch (type.kind) {
    case 'timestamptz':
    case 'timestamp': {
      const now = new Date(nowMs);
      return choice(numbers.map((back) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1 - back, 1)));
    }
    case 'text':
    case 'varchar':
    case 'char':
      // The last digit fits everywhere.
      return choice(numbers.map((number) => (type.kind === 'text' ? `p${number}` : String(number))));
    case 'ip':
      return choice(numbers.map((number) => `10.0.0.${number}`));
    case 'boolean':
      return { kind: 'boolean', trueShare: 0.5 };
    default:
      return choice(numbers);
  }
}

/** Set by an operator or by the server's own needs, not by whoever made the table. */
const FOREIGN_SETTING =
  /^(blocks\.|routing\.|unassigned\.|allocation\.|soft_deletes\.|store\.|merge\.|warmer\.)/;

/** The settings that a copy of the table should have. */
export function ownSettings(
  settings: Readonly<Record<string, SettingValue>>,
): Readonly<Record<string, SettingValue>> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !FOREIGN_SETTING.test(name)));
}
