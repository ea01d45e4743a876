/**
 * From the tree of a schema file to a table schema, with every problem at its line and column. Pure: files that the
 * schema names come in as what they hold.
 */
import { type TableName, OWN_SCHEMA, parseTableName } from '../../base/sql.ts';
import { childColumns } from '../../rows/pool-needs.ts';
import {
  type Check,
  type Column,
  type ColumnType,
  type Generator,
  type IndexOption,
  type SettingValue,
  type TableSchema,
} from '../../rows/schema.ts';
import { type SensibleGenerator, sensibleGenerator } from '../../rows/sensible-generator.ts';
import { validateSchema } from '../../rows/validate-schema.ts';
import { parseColumnType } from './column-type.ts';
import { type FileFacts, type Referred, parseGenerator, readRange } from './parse-generator.ts';
import { type FileProblem, type Spot, TreeReader } from './tree-reader.ts';
import type { Tree } from './yaml-tree.ts';

/** How a column got its generator. */
export type ChosenBy = 'file' | SensibleGenerator['by'];

export interface ParsedSchema {
  readonly schema: TableSchema;
  readonly table: TableName;
  /** By the column's path, as `tags.channel`. */
  readonly chosenBy: ReadonlyMap<string, ChosenBy>;
}

export type ParseSchema =
  ({ readonly ok: true } & ParsedSchema) | { readonly ok: false; readonly problems: readonly FileProblem[] };

export interface SchemaSurroundings {
  /** The file's name without folder and ending: the schema's name, unless it has one of its own. */
  readonly stem: string;
  readonly valueFiles: FileFacts['valueFiles'];
  /** Columns of other files and presets; null without them: a file that is referred to refers no further. */
  readonly otherColumn: ((to: string) => Referred | { readonly problem: string }) | null;
}

/** Keys of the file, and of a column in it. */
export const TOP_KEYS = [
  'name',
  'table',
  'description',
  'columns',
  'primary_key',
  'clustered_by',
  'partitioned_by',
  'checks',
  'with',
  'identity',
  'time',
] as const;

export const COLUMN_KEYS = [
  'type',
  'generate',
  'nulls',
  'not_null',
  'default',
  'generated_as',
  'index',
  'columnstore',
  'policy',
  'columns',
  'length',
] as const;

const RUN_COLUMNS: readonly Column[] = [
  { name: 'run_id', type: { kind: 'text' }, notNull: true, generator: { kind: 'runId' } },
  { name: 'seq', type: { kind: 'bigint' }, notNull: true, generator: { kind: 'seq' } },
];
const MAX_STEP_MS = 366 * 86_400_000;

/** Parses the whole file; its problems are in the order of their places. */
export function parseSchema(tree: Tree, around: SchemaSurroundings): ParseSchema {
  const parser = new SchemaParser(tree, around);
  const parsed = parser.parse();
  const problems = parser.reader.problems.toSorted(
    (a, b) => a.at.line - b.at.line || a.at.column - b.at.column,
  );
  return problems.length > 0 || parsed === null ? { ok: false, problems } : { ok: true, ...parsed };
}

class SchemaParser {
  readonly reader = new TreeReader();
  readonly #root: Spot;
  readonly #around: SchemaSurroundings;
  readonly #spots = new Map<string, Spot>();
  readonly #chosenBy = new Map<string, ChosenBy>();
  /** Columns with problems of their own: what follows from them is no problem more. */
  readonly #broken = new Set<string>();
  #keys: ReadonlySet<string> = new Set();
  #facts: FileFacts;
  #name: string;

  constructor(tree: Tree, around: SchemaSurroundings) {
    this.#root = { tree, path: '' };
    this.#around = around;
    this.#name = around.stem;
    this.#facts = { valueFiles: around.valueFiles, startMs: null, referred: (to) => this.#referred(to) };
  }

  parse(): ParsedSchema | null {
    const { reader } = this;
    const top = reader.fields(this.#root, TOP_KEYS, 'a schema: a map with columns');
    if (top === null) return null;
    for (const key of TOP_KEYS) {
      const spot = top[key];
      if (spot !== undefined) this.#spots.set(key, spot);
    }
    this.#name = (top.name === undefined ? null : this.#schemaName(top.name)) ?? this.#around.stem;
    const table = top.table === undefined ? null : this.#tableName(top.table);
    const axis = this.#axis(top.time);
    const primaryKey = top.primary_key === undefined ? [] : this.#names(top.primary_key);
    const partitionedBy = top.partitioned_by === undefined ? [] : this.#names(top.partitioned_by);
    const hasIdentity = top.identity !== undefined && this.#identity(top.identity);
    this.#keys = new Set(primaryKey);
    if (top.columns === undefined) return reader.say(this.#root, 'expected columns');
    const own = this.#columns(top.columns, '');
    const clustered = top.clustered_by === undefined ? null : this.#clusteredBy(top.clustered_by);
    const schema: TableSchema = {
      name: this.#name,
      description: (top.description === undefined ? null : reader.text(top.description)) ?? '',
      columns: [...(hasIdentity ? RUN_COLUMNS : []), ...own],
      primaryKey: hasIdentity && primaryKey.length === 0 ? ['run_id', 'seq', ...partitionedBy] : primaryKey,
      clusteredBy: clustered?.column ?? null,
      ...(clustered?.shards === undefined ? {} : { shards: clustered.shards }),
      partitionedBy,
      checks: top.checks === undefined ? [] : this.#checks(top.checks),
      settings: top.with === undefined ? {} : this.#settings(top.with),
      axis,
    };
    this.#validate(schema);
    return {
      schema,
      table: table ?? { schema: OWN_SCHEMA, table: this.#around.stem },
      chosenBy: this.#chosenBy,
    };
  }

  #schemaName(spot: Spot): string | null {
    const name = this.reader.text(spot, 'a name');
    if (name === null || /^[\w.-]{1,100}$/.test(name)) return name;
    return this.reader.say(spot, 'expected 1 to 100 letters, digits, dots, dashes or underscores');
  }

  #tableName(spot: Spot): TableName | null {
    const text = this.reader.text(spot, 'a table, as shop.orders');
    const parsed = text === null ? null : parseTableName(text);
    if (parsed === null || parsed.ok) return parsed?.name ?? null;
    return this.reader.say(spot, parsed.why);
  }

  /** `{ start, step, entities }`: without it one entity, a second from row to row. */
  #axis(spot: Spot | undefined): TableSchema['axis'] {
    const found = spot === undefined ? {} : this.reader.fields(spot, ['start', 'step', 'entities']);
    const startMs = found?.start === undefined ? null : this.reader.timeMs(found.start);
    this.#facts = { ...this.#facts, startMs };
    const stepMs = found?.step === undefined ? 1000 : this.reader.durationMs(found.step, 0, MAX_STEP_MS);
    const entities = found?.entities === undefined ? 1 : this.reader.count(found.entities, 1, 2 ** 31);
    return { entities: entities ?? 1, stepMs: stepMs ?? 1000 };
  }

  #names(spot: Spot): readonly string[] {
    if (spot.tree.kind === 'scalar') {
      const name = this.reader.text(spot, 'the name of a column');
      return name === null ? [] : [name];
    }
    return (this.reader.items(spot, 'names of columns') ?? []).flatMap(
      (item) => this.reader.text(item, 'the name of a column') ?? [],
    );
  }

  /** `true`, or `{ run_id: true, seq: true }`: only both together tell a run's rows. */
  #identity(spot: Spot): boolean {
    if (spot.tree.kind === 'scalar') return this.reader.boolean(spot) ?? false;
    const found = this.reader.fields(spot, ['run_id', 'seq']);
    const wanted = [found?.run_id, found?.seq].map(
      (one) => one !== undefined && this.reader.boolean(one) === true,
    );
    if (wanted[0] !== wanted[1]) this.reader.say(spot, 'expected run_id and seq together');
    return wanted[0] === true && wanted[1] === true;
  }

  #clusteredBy(spot: Spot): { readonly column?: string; readonly shards?: number } {
    if (spot.tree.kind === 'scalar') {
      const column = this.reader.text(spot, 'the name of a column');
      return column === null ? {} : { column };
    }
    const found = this.reader.fields(spot, ['column', 'shards']);
    const column =
      found?.column === undefined ? null : this.reader.text(found.column, 'the name of a column');
    const shards =
      found?.shards === undefined
        ? null
        : this.reader.number(found.shards, { min: 1, max: 1024, isWhole: true });
    return { ...(column === null ? {} : { column }), ...(shards === null ? {} : { shards }) };
  }

  #checks(spot: Spot): readonly Check[] {
    const entries =
      this.reader.entries(spot, 'names with their conditions, as { positive: "amount > 0" }') ?? [];
    return entries.flatMap(({ name, spot: condition }) => {
      const sql = this.reader.text(condition, 'a condition, as "amount > 0"');
      this.#spots.set(`the check ${name}`, condition);
      return sql === null ? [] : [{ name, sql }];
    });
  }

  #settings(spot: Spot): Readonly<Record<string, SettingValue>> {
    const entries = this.reader.entries(spot, 'settings of the table, as { refresh_interval: 1000 }') ?? [];
    const settings = entries.flatMap(({ name, spot: value }): [string, SettingValue][] => {
      if (!/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/.test(name)) {
        this.reader.say(value, 'expected the name of a table setting, as refresh_interval');
        return [];
      }
      const { tree } = value;
      if (tree.kind === 'scalar' && tree.value !== null) return [[name, tree.value]];
      this.reader.say(value, 'expected a text, a number, true or false');
      return [];
    });
    return Object.fromEntries(settings);
  }

  #columns(spot: Spot, prefix: string): readonly Column[] {
    const entries = this.reader.entries(spot, 'columns, as { id: { type: bigint } }');
    if (entries?.length === 0) this.reader.say(spot, 'expected at least one column');
    return (entries ?? []).map(({ name, spot: column }): Column => {
      this.#spots.set(`column ${prefix}${name}`, column);
      const made = this.#column(name, column, prefix);
      if (made === null) this.#broken.add(`${prefix}${name}`);
      // Keys may name it all the same.
      return made ?? { name, type: { kind: 'text' }, generator: null };
    });
  }

  /** A type alone, or a map with it. */
  #column(name: string, spot: Spot, prefix: string): Column | null {
    const { reader } = this;
    const path = `${prefix}${name}`;
    const found = spot.tree.kind === 'scalar' ? { type: spot } : reader.fields(spot, COLUMN_KEYS);
    if (found === null) return null;
    if (found.type === undefined) return reader.say(spot, 'expected a type');
    const type = this.#type(found.type, found, path);
    if (type === null) return null;
    const {
      default: fallback,
      generated_as: generatedAs,
      not_null: notNull,
      columnstore,
      nulls,
      index,
    } = found;
    const options = {
      ...this.#option('notNull', notNull, (one) => reader.boolean(one)),
      ...this.#option('default', fallback, (one) => reader.text(one, 'an SQL expression in quotes')),
      ...this.#option('generatedAs', generatedAs, (one) => reader.text(one, 'an SQL expression in quotes')),
      ...this.#option('index', index, (one) => this.#index(one)),
      ...this.#option('columnStore', columnstore, (one) => reader.boolean(one)),
      ...this.#option('nulls', nulls, (one) => reader.share(one)),
    };
    const generator = this.#generator(name, type, found, path);
    return generator === undefined ? null : { name, type, ...options, generator };
  }

  #option<Key extends string, Value>(
    key: Key,
    spot: Spot | undefined,
    read: (spot: Spot) => Value | null,
  ): { readonly [K in Key]?: Value } {
    const value = spot === undefined ? null : read(spot);
    return value === null ? {} : ({ [key]: value } as { readonly [K in Key]?: Value });
  }

  #type(spot: Spot, found: { policy?: Spot; columns?: Spot }, path: string): ColumnType | null {
    const text = this.reader.text(spot, 'a type, as bigint, text or numeric(18,2)');
    const type = text === null ? null : parseColumnType(text);
    if (type === null) return null;
    if ('problem' in type) return this.reader.say(spot, type.problem);
    return this.#withChildren(type, found, path);
  }

  /** Sub-columns belong to the object, however deep in arrays it is. */
  #withChildren(type: ColumnType, found: { policy?: Spot; columns?: Spot }, path: string): ColumnType {
    const { reader } = this;
    if (type.kind === 'array') return { ...type, of: this.#withChildren(type.of, found, path) };
    if (type.kind !== 'object') {
      for (const spot of [found.policy, found.columns])
        if (spot !== undefined) reader.say(spot, `only objects have it, not ${type.kind}`);
      return type;
    }
    const policy =
      found.policy === undefined ? null : reader.word(found.policy, ['dynamic', 'strict', 'ignored']);
    const columns = found.columns === undefined ? [] : this.#columns(found.columns, `${path}.`);
    return { kind: 'object', policy: policy ?? type.policy, columns };
  }

  #index(spot: Spot): IndexOption | null {
    const { tree } = spot;
    if (tree.kind === 'scalar') {
      // YAML reads a bare off as a text, and false is what people mean by it too.
      if (tree.value === 'off' || tree.value === false) return { kind: 'off' };
      if (tree.value === 'fulltext') return { kind: 'fulltext', analyzer: 'standard' };
      return this.reader.say(spot, 'expected off, fulltext or { fulltext: { analyzer: english } }');
    }
    const found = this.reader.fields(spot, ['fulltext']);
    if (found === null) return null;
    if (found.fulltext === undefined) return this.reader.say(spot, 'expected fulltext');
    const options = this.reader.fields(found.fulltext, ['analyzer']);
    const analyzer = options?.analyzer === undefined ? 'standard' : this.reader.text(options.analyzer);
    return analyzer === null ? null : { kind: 'fulltext', analyzer };
  }

  /** Null: the server fills the column. Undefined after a problem. */
  #generator(
    name: string,
    type: ColumnType,
    found: { generate?: Spot; length?: Spot; default?: Spot; generated_as?: Spot },
    path: string,
  ): Generator | null | undefined {
    const { reader } = this;
    if (found.length !== undefined && type.kind !== 'array') reader.say(found.length, 'only arrays have it');
    if (found.generate === undefined) {
      if (found.generated_as !== undefined || found.default !== undefined) return null;
      const { generator, by } = sensibleGenerator(name, type, { isKey: this.#keys.has(path) });
      this.#chosenBy.set(path, by);
      return withLength(generator, this.#length(found.length));
    }
    if (found.generated_as !== undefined)
      reader.say(found.generate, 'the server fills a generated column: it cannot be given values');
    this.#chosenBy.set(path, 'file');
    const made = this.#written(name, type, found.generate, this.#length(found.length));
    return made ?? undefined;
  }

  #length(spot: Spot | undefined): { readonly min: number; readonly max: number } | null {
    return spot === undefined ? null : readRange(spot, 10_000, this.reader);
  }

  /** What generates an array's element, once for each; `constant` and `pool` of lists are for the whole of it. */
  #written(
    name: string,
    type: ColumnType,
    spot: Spot,
    length: { readonly min: number; readonly max: number } | null,
  ): Generator | null {
    if (type.kind !== 'array' || isWhole(spot))
      return parseGenerator(spot, { name, type }, this.reader, this.#facts);
    const of = this.#written(name, type.of, spot, null);
    return of === null
      ? null
      : { kind: 'array', minLength: length?.min ?? 1, maxLength: length?.max ?? 3, of };
  }

  /** A column of this file, or of another. */
  #referred(to: string): Referred | { readonly problem: string } {
    const spot = this.#columnSpot(to.startsWith(`${this.#name}.`) ? to.slice(this.#name.length + 1) : to);
    if (spot === null) {
      if (this.#around.otherColumn !== null) return this.#around.otherColumn(to);
      return { problem: `no column ${to}` };
    }
    return columnOf(this.#root.tree, spot.path, this.#name, this.#around);
  }

  #columnSpot(path: string): { readonly path: string } | null {
    return findColumn(this.#root.tree, path) === null ? null : { path };
  }

  #validate(schema: TableSchema): void {
    for (const problem of validateSchema(schema)) {
      if (problem.split(/[\s,:]+/).some((word) => this.#broken.has(word))) continue;
      if (this.#broken.size > 0 && problem.startsWith('no column has')) continue;
      const column = /^column (.+?)(\[\])*: (.*)$/s.exec(problem);
      const check = /^(the check \S+) /.exec(problem)?.[1];
      const spot =
        (column === null ? undefined : this.#spots.get(`column ${column[1]}`)) ??
        (check === undefined ? undefined : this.#spots.get(check)) ??
        KEY_PROBLEMS.flatMap(([pattern, key]) =>
          pattern.test(problem) ? (this.#spots.get(key) ?? []) : [],
        )[0] ??
        this.#root;
      this.reader.say(spot, column?.[3] ?? problem);
    }
  }
}

/** Which key of the file a problem of the whole schema is about. */
const KEY_PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/^the primary key|key column/, 'primary_key'],
  [/^partitioned by|^the partition column/, 'partitioned_by'],
  [/^clustered by|^the routing column|by its routing column/, 'clustered_by'],
  [/^axis/, 'time'],
  [/^no column has|^the table has no columns/, 'columns'],
];

/** A constant or a choice of an array column gives whole arrays if its values are lists. */
function isWhole({ tree }: Spot): boolean {
  if (tree.kind !== 'map') return false;
  return tree.entries.some(({ key, value }) => key === 'constant' && value.kind === 'list');
}

function withLength(
  generator: Generator,
  length: { readonly min: number; readonly max: number } | null,
): Generator {
  return generator.kind === 'array' && length !== null
    ? { ...generator, minLength: length.min, maxLength: length.max }
    : generator;
}

/** The node of a column by its path, in objects too; null if there is none. */
function findColumn(tree: Tree, path: string): Tree | null {
  let node: Tree | null = tree;
  for (const name of path.split('.')) {
    const columns = entryOf(node, 'columns');
    node = columns === null ? null : entryOf(columns, name);
    if (node === null) return null;
  }
  return node;
}

function entryOf(tree: Tree | null, name: string): Tree | null {
  if (tree?.kind !== 'map') return null;
  return tree.entries.find(({ key }) => String(key) === name)?.value ?? null;
}

/** A column as another one refers to it: parsed for itself, without references of its own. */
export function columnOf(
  tree: Tree,
  path: string,
  schemaName: string | null,
  around: SchemaSurroundings,
): Referred | { readonly problem: string } {
  const alone: SchemaSurroundings = {
    ...around,
    otherColumn: () => ({ problem: 'a reference of a reference' }),
  };
  const parsed = parseSchema(withoutReferences(tree), alone);
  if (!parsed.ok) {
    const [first] = parsed.problems;
    return { problem: `its file has problems: ${first?.path ?? ''} ${first?.what ?? ''}` };
  }
  const column = columnAt(parsed.schema.columns, path.split('.'));
  if (column?.generator == null) return { problem: `no column ${path} that crategen fills` };
  return { schemaName: schemaName ?? parsed.schema.name, path, generator: column.generator };
}

export function columnAt(columns: readonly Column[], names: readonly string[]): Column | null {
  const [name, ...rest] = names;
  const column = columns.find((one) => one.name === name);
  if (column === undefined || rest.length === 0) return column ?? null;
  return columnAt(childColumns(column), rest);
}

/** Columns that refer to others are left out: what refers must not turn in a circle. */
function withoutReferences(tree: Tree): Tree {
  if (tree.kind !== 'map') return tree;
  const entries = tree.entries
    .filter(({ value }) => entryOf(entryOf(value, 'generate'), 'reference') === null)
    .map((entry) => ({ ...entry, value: withoutReferences(entry.value) }));
  return { ...tree, entries };
}
