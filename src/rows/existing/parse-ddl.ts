/**
 * Reads CREATE TABLE: what SHOW CREATE TABLE answers on any CrateDB, or a statement written by hand. Types, keys
 * and places are understood; expressions stay text, cut out as they stand. Grammar: cratedb.com docs,
 * sql/statements/create-table.
 */
import { formatColumnPath } from '../../base/sql.ts';
import type { Check, Column, ColumnType, IndexOption, ObjectPolicy, SettingValue } from '../schema.ts';
import { type Token, placeOf, tokensOf } from './tokens.ts';

/** A table as its statement says it; no column has a generator yet. */
export interface TableDefinition {
  /** The schema is null when the statement names none. */
  readonly name: { readonly schema: string | null; readonly table: string };
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  readonly clusteredBy: string | null;
  /** Null: the server's default. */
  readonly shards: number | null;
  readonly partitionedBy: readonly string[];
  readonly checks: readonly Check[];
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** What a copy of the table would not have, one sentence each. */
  readonly leftOut: readonly string[];
}

export interface DdlProblem {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export type ParsedDdl =
  | { readonly ok: true; readonly definition: TableDefinition }
  | { readonly ok: false; readonly problems: readonly DdlProblem[] };

/** A statement is at most this long: CrateDB itself refuses 262,144 characters by default. */
const MAX_CHARACTERS = 1_048_576;
/** Objects and arrays inside each other; CrateDB's own default limit is 100. */
const MAX_DEPTH = 100;

/** Reads one statement, with or without its semicolon. All problems that can be told apart are told. */
export function parseDdl(sql: string): ParsedDdl {
  if (sql.length > MAX_CHARACTERS) {
    return {
      ok: false,
      problems: [{ line: 1, column: 1, message: `longer than ${MAX_CHARACTERS} characters` }],
    };
  }
  const reader = new DdlReader(sql);
  let definition: TableDefinition | null = null;
  try {
    definition = reader.statement();
  } catch (error) {
    // Thrown by the reader itself, where going on would only repeat the problem in other words.
    if (!(error instanceof SyntaxStop)) throw error;
  }
  if (definition === null || reader.problems.length > 0) return { ok: false, problems: reader.problems };
  return { ok: true, definition };
}

class SyntaxStop extends Error {}

type ColumnParts = { -readonly [K in keyof Column]: Column[K] };

const SIMPLE_TYPES: ReadonlyMap<string, ColumnType> = new Map<string, ColumnType>([
  ['boolean', { kind: 'boolean' }],
  ['byte', { kind: 'byte' }],
  ['short', { kind: 'smallint' }],
  ['smallint', { kind: 'smallint' }],
  ['int2', { kind: 'smallint' }],
  ['int', { kind: 'integer' }],
  ['integer', { kind: 'integer' }],
  ['int4', { kind: 'integer' }],
  ['long', { kind: 'bigint' }],
  ['bigint', { kind: 'bigint' }],
  ['int8', { kind: 'bigint' }],
  ['real', { kind: 'real' }],
  ['float4', { kind: 'real' }],
  ['float8', { kind: 'double' }],
  ['text', { kind: 'text' }],
  ['string', { kind: 'text' }],
  ['ip', { kind: 'ip' }],
  ['uuid', { kind: 'uuid' }],
  ['timestamptz', { kind: 'timestamptz' }],
  ['geo_point', { kind: 'geo_point' }],
  ['geo_shape', { kind: 'geo_shape' }],
]);

/** A float of up to so many binary digits is a REAL. */
const REAL_BITS = 24;

/** Words that begin the next part of a column where an expression could end. */
const COLUMN_PARTS: ReadonlySet<string> = new Set([
  'primary',
  'check',
  'constraint',
  'index',
  'storage',
  'generated',
  'default',
]);

const OBJECT_POLICIES: ReadonlySet<string> = new Set<ObjectPolicy>(['dynamic', 'strict', 'ignored']);

class DdlReader {
  readonly problems: DdlProblem[] = [];
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  readonly #checks: Check[] = [];
  readonly #primaryKey: string[] = [];
  readonly #leftOut: string[] = [];
  #table = '';
  #depth = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.#tokens = tokensOf(sql);
  }

  statement(): TableDefinition {
    this.#expect('create');
    this.#expect('table');
    if (this.#skip('if')) {
      this.#expect('not');
      this.#expect('exists');
    }
    const name = this.#tableName();
    this.#table = name.table;
    const columns = this.#items();
    const placement = this.#placement();
    this.#skip(';');
    if (this.#peek().kind !== 'end') this.#stop('expected the end of the statement');
    return {
      name,
      columns,
      primaryKey: this.#primaryKey,
      ...placement,
      checks: this.#checks,
      leftOut: this.#leftOut,
    };
  }

  #tableName(): TableDefinition['name'] {
    const first = this.#name('the name of the table');
    if (!this.#skip('.')) return { schema: null, table: first };
    const second = this.#name('the name of the table');
    // A catalog in front: `crate.doc.t`.
    return this.#skip('.')
      ? { schema: second, table: this.#name('the name of the table') }
      : { schema: first, table: second };
  }

  /** Columns and table constraints between the parentheses. */
  #items(): Column[] {
    const columns: Column[] = [];
    this.#expect('(');
    do {
      if (this.#isWord('like')) this.#stop('expected columns: LIKE does not say what they are');
      const isConstraint =
        this.#isWord('constraint') || this.#follows('primary', 'key') || this.#follows('check', '(');
      if (isConstraint) this.#tableConstraint();
      else if (this.#isWord('index') && this.#peek(2).value === 'using') this.#namedIndex();
      else columns.push(this.#column([]));
    } while (this.#skip(','));
    this.#expect(')');
    return columns;
  }

  #tableConstraint(): void {
    const name = this.#constraintName();
    if (this.#skip('primary')) {
      this.#expect('key');
      this.#primaryKey.push(...this.#paths());
    } else this.#check(name);
  }

  /** SHOW CREATE TABLE writes names without quotes, whatever is in them: `CONSTRAINT My rule CHECK(…)`. */
  #constraintName(): string | null {
    if (!this.#skip('constraint')) return null;
    const from = this.#at;
    const first = this.#peek();
    while (!this.#follows('check', '(') && !this.#follows('primary', 'key')) {
      if (this.#peek().kind === 'end') this.#stop('expected CHECK or PRIMARY KEY');
      this.#at += 1;
    }
    if (this.#at === from) this.#stop('expected the name of the constraint');
    return first.kind === 'quoted' && this.#at === from + 1 ? first.value : this.#textOf(from, this.#at);
  }

  #check(name: string | null): void {
    this.#expect('check');
    const open = this.#peek();
    this.#expect('(');
    const sql = this.#textUntil(() => false);
    if (sql === '') this.#problem(open, 'the CHECK is empty');
    this.#expect(')');
    this.#checks.push({ name: name ?? `${this.#table}_check_${this.#checks.length + 1}`, sql });
  }

  #namedIndex(): void {
    this.#expect('index');
    const name = this.#name('the name of the index');
    this.#expect('using');
    const method = this.#name('the kind of index');
    const columns = this.#paths();
    if (this.#skip('with')) this.#options();
    this.#leftOut.push(`the index ${name} (${method}) over ${columns.join(', ')}`);
  }

  #column(path: readonly string[]): Column {
    const start = this.#peek();
    const name = this.#name('a column');
    const here = [...path, name];
    const isTyped = !this.#isWord('generated') && !this.#isWord('as');
    if (!isTyped) this.#problem(start, `the column ${formatColumnPath(here)} needs a type`);
    const column: ColumnParts = {
      name,
      type: isTyped ? this.#type(here) : { kind: 'text' },
      generator: null,
    };
    while (this.#columnPart(column, here));
    return column;
  }

  /** One constraint or option behind a column's type; false when there is none. */
  #columnPart(column: ColumnParts, path: readonly string[]): boolean {
    const constraint = this.#constraintName();
    if (this.#isWord('check')) this.#check(constraint);
    else if (this.#skip('primary')) {
      this.#expect('key');
      this.#primaryKey.push(formatColumnPath(path));
    } else if (this.#skip('not')) {
      this.#expect('null');
      column.notNull = true;
    } else if (this.#skip('default')) column.default = this.#expression();
    else if (this.#isWord('generated') || this.#isWord('as')) column.generatedAs = this.#generated();
    else if (this.#skip('index')) this.#index(column, path);
    else if (this.#skip('storage')) this.#storage(column, path);
    // NULL says what is so anyway.
    else return this.#skip('null');
    return true;
  }

  #generated(): string {
    if (this.#skip('generated')) this.#expect('always');
    this.#expect('as');
    const from = this.#at;
    const sql = this.#expression();
    return this.#isWrapped(from) ? sql.slice(1, -1).trim() : sql;
  }

  /** Whether one pair of parentheses holds all tokens from there to here. */
  #isWrapped(from: number): boolean {
    if (this.#tokens[from]?.value !== '(' || this.#tokens[from]?.kind !== 'symbol') return false;
    let depth = 0;
    for (let at = from; at < this.#at - 1; at += 1) {
      depth += depthOf(this.#tokens[at]);
      if (depth === 0) return false;
    }
    return true;
  }

  #index(column: ColumnParts, path: readonly string[]): void {
    if (this.#skip('off')) {
      column.index = { kind: 'off' };
      return;
    }
    this.#expect('using');
    const method = this.#name('the kind of index').toLowerCase();
    const options = this.#skip('with') ? this.#options() : new Map<string, SettingValue>();
    const index = indexOption(method, options);
    if (index !== null) column.index = index;
    const isUsual = method === 'plain' || (method === 'geohash' && options.size === 0);
    if (method === 'fulltext') options.delete('analyzer');
    if ((index === null && !isUsual) || (index !== null && options.size > 0)) {
      const names = options.size === 0 ? '' : ` with ${[...options.keys()].join(', ')}`;
      this.#leftOut.push(`the index of ${formatColumnPath(path)} (${method}${names})`);
    }
  }

  #storage(column: ColumnParts, path: readonly string[]): void {
    this.#expect('with');
    for (const [name, value] of this.#options()) {
      if (name === 'columnstore') {
        if (String(value) === 'false') column.columnStore = false;
      } else this.#leftOut.push(`the storage option ${name} of ${formatColumnPath(path)}`);
    }
  }

  #type(path: readonly string[]): ColumnType {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#stop(`expected at most ${MAX_DEPTH} types inside each other`);
    let type = this.#elementType(path);
    this.#depth -= 1;
    while (this.#skip('[')) {
      this.#expect(']');
      type = { kind: 'array', of: type };
    }
    return type;
  }

  #elementType(path: readonly string[]): ColumnType {
    const start = this.#peek();
    // `"char"` is a type of its own, a byte before CrateDB 6.5.
    if (start.kind === 'quoted' && start.value === 'char') {
      this.#at += 1;
      return { kind: 'byte' };
    }
    const word = this.#word(`the type of ${formatColumnPath(path)}`);
    const simple = SIMPLE_TYPES.get(word);
    if (simple !== undefined) return simple;
    switch (word) {
      case 'double':
        this.#skip('precision');
        return { kind: 'double' };
      case 'float': {
        const [bits = REAL_BITS] = this.#lengths(1);
        return { kind: bits <= REAL_BITS ? 'real' : 'double' };
      }
      case 'timestamp':
        return this.#timestamp();
      case 'numeric':
      case 'decimal':
        return this.#numeric(start);
      case 'varchar':
        return this.#varchar();
      case 'character':
      case 'char':
        return this.#skip('varying') ? this.#varchar() : { kind: 'char', length: this.#lengths(1)[0] ?? 1 };
      case 'bit':
        return { kind: 'bit', length: this.#lengths(1)[0] ?? 1 };
      case 'float_vector':
        return { kind: 'float_vector', dimensions: this.#lengths(1)[0] ?? 1 };
      case 'array': {
        this.#expect('(');
        const of = this.#type(path);
        this.#expect(')');
        return { kind: 'array', of };
      }
      case 'object':
        return this.#object(path);
      default:
        this.#problem(start, `${word}: no type that a column of CrateDB 6.4 can have`);
        if (this.#isSymbol('(')) this.#parenthesised();
        return { kind: 'text' };
    }
  }

  /** A bare TIMESTAMP is one without a time zone. */
  #timestamp(): ColumnType {
    const isWith = this.#skip('with');
    if (isWith || this.#skip('without')) {
      this.#expect('time');
      this.#expect('zone');
    }
    return { kind: isWith ? 'timestamptz' : 'timestamp' };
  }

  #numeric(start: Token): ColumnType {
    const [precision, scale = 0] = this.#lengths(2);
    if (precision === undefined) this.#problem(start, 'numeric: a column needs its precision and scale');
    return { kind: 'numeric', precision: precision ?? 1, scale };
  }

  #varchar(): ColumnType {
    const [length] = this.#lengths(1);
    return length === undefined ? { kind: 'text' } : { kind: 'varchar', length };
  }

  #object(path: readonly string[]): ColumnType {
    let policy: ObjectPolicy = 'dynamic';
    if (this.#skip('(')) {
      const start = this.#peek();
      const word = this.#word('the policy of the object');
      if (isPolicy(word)) policy = word;
      else this.#problem(start, `${word}: expected dynamic, strict or ignored`);
      this.#expect(')');
    }
    const columns: Column[] = [];
    if (this.#skip('as')) {
      this.#expect('(');
      do columns.push(this.#column(path));
      while (this.#skip(','));
      this.#expect(')');
    }
    return { kind: 'object', policy, columns };
  }

  /** Up to `most` whole numbers in parentheses, or none. */
  #lengths(most: number): number[] {
    if (!this.#skip('(')) return [];
    const numbers: number[] = [];
    do numbers.push(this.#wholeNumber());
    while (numbers.length < most && this.#skip(','));
    this.#expect(')');
    return numbers;
  }

  #placement(): Pick<TableDefinition, 'clusteredBy' | 'shards' | 'partitionedBy' | 'settings'> {
    let clusteredBy: string | null = null;
    let shards: number | null = null;
    let partitionedBy: readonly string[] = [];
    let settings: Readonly<Record<string, SettingValue>> = {};
    for (;;) {
      if (this.#skip('clustered')) {
        if (this.#skip('by')) clusteredBy = this.#paths()[0] ?? null;
        if (this.#skip('into')) {
          shards = this.#wholeNumber();
          this.#expect('shards');
        }
      } else if (this.#skip('partitioned')) {
        this.#expect('by');
        partitionedBy = this.#paths();
      } else if (this.#skip('with')) settings = Object.fromEntries(this.#options());
      else return { clusteredBy, shards, partitionedBy, settings };
    }
  }

  #wholeNumber(): number {
    const token = this.#peek();
    const value = Number(token.value);
    if (token.kind !== 'number' || !Number.isSafeInteger(value)) this.#stop('expected a whole number');
    this.#at += 1;
    return value;
  }

  /** `(a, o['b'])` as `a`, `o['b']`. */
  #paths(): string[] {
    const paths: string[] = [];
    this.#expect('(');
    do {
      const path = [this.#name('a column')];
      while (this.#skip('[')) {
        const token = this.#peek();
        if (token.kind !== 'text') this.#stop('expected the name of a sub-column in single quotes');
        this.#at += 1;
        path.push(token.value);
        this.#expect(']');
      }
      paths.push(formatColumnPath(path));
    } while (this.#skip(','));
    this.#expect(')');
    return paths;
  }

  /** `(name = value, "a.b" = value, a.b = value)`. NULL says: as if it were not there. */
  #options(): Map<string, SettingValue> {
    const options = new Map<string, SettingValue>();
    this.#expect('(');
    if (this.#skip(')')) return options;
    do {
      let name = this.#name('a setting');
      while (this.#skip('.')) name += `.${this.#name('a setting')}`;
      this.#expect('=');
      const value = this.#settingValue();
      if (value !== null) options.set(name, value);
    } while (this.#skip(','));
    this.#expect(')');
    return options;
  }

  #settingValue(): SettingValue | null {
    const isNegative = this.#skip('-');
    const token = this.#peek();
    const isSigned = token.kind === 'number';
    if (!isSigned && (isNegative || (token.kind !== 'text' && token.kind !== 'word')))
      this.#stop('expected a text, a number, true or false');
    this.#at += 1;
    if (isSigned) return Number(token.value) * (isNegative ? -1 : 1);
    if (token.kind === 'text') return token.value;
    if (token.value === 'null') return null;
    return token.value === 'true' || token.value === 'false' ? token.value === 'true' : token.value;
  }

  /** An expression without parentheses around it: up to the column's next part. */
  #expression(): string {
    const start = this.#peek();
    const sql = this.#textUntil((token, before) => {
      if (token.kind !== 'word') return false;
      if (token.value === 'not') return before?.value !== 'is' && this.#peek(1).value === 'null';
      return COLUMN_PARTS.has(token.value);
    });
    if (sql === '') this.#problem(start, 'expected an expression');
    return sql;
  }

  /** The text up to a comma or closing parenthesis of its own level, or where `ends` says so; comments are blanks. */
  #textUntil(ends: (token: Token, before: Token | undefined) => boolean): string {
    const from = this.#at;
    let depth = 0;
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') break;
      if (token.kind === 'bad' || (token.value === ';' && token.kind === 'symbol')) this.#unexpected();
      const change = depthOf(token);
      if (depth + change < 0) break;
      if (depth === 0 && token.kind === 'symbol' && token.value === ',') break;
      if (depth === 0 && this.#at > from && ends(token, this.#tokens[this.#at - 1])) break;
      depth += change;
      this.#at += 1;
    }
    return this.#textOf(from, this.#at);
  }

  #textOf(from: number, to: number): string {
    let text = '';
    for (let at = from; at < to; at += 1) {
      const [token, before] = [this.#tokens[at], this.#tokens[at - 1]];
      if (token === undefined) break;
      const gap = at === from || before === undefined ? '' : this.#sql.slice(before.end, token.start);
      text += (/--|\/\*/.test(gap) ? ' ' : gap) + this.#sql.slice(token.start, token.end);
    }
    return text;
  }

  /** Skips a pair of parentheses and what is in them. */
  #parenthesised(): void {
    let depth = 0;
    do {
      const token = this.#peek();
      if (token.kind === 'end') this.#stop('expected )');
      depth += depthOf(token);
      this.#at += 1;
    } while (depth > 0);
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)] ?? END;
  }

  #isWord(word: string): boolean {
    const token = this.#peek();
    return token.kind === 'word' && token.value === word;
  }

  #isSymbol(symbol: string): boolean {
    const token = this.#peek();
    return token.kind === 'symbol' && token.value === symbol;
  }

  #follows(first: string, second: string): boolean {
    return this.#isWord(first) && this.#peek(1).value === second && this.#peek(1).kind !== 'quoted';
  }

  #skip(value: string): boolean {
    if (!this.#isWord(value) && !this.#isSymbol(value)) return false;
    this.#at += 1;
    return true;
  }

  #expect(value: string): void {
    if (!this.#skip(value)) this.#stop(`expected ${value.toUpperCase()}`);
  }

  #name(what: string): string {
    const token = this.#peek();
    if (token.kind !== 'word' && token.kind !== 'quoted') this.#stop(`expected ${what}`);
    if (token.value === '') this.#stop(`expected ${what}, not an empty name`);
    this.#at += 1;
    return token.value;
  }

  #word(what: string): string {
    const token = this.#peek();
    if (token.kind !== 'word') this.#stop(`expected ${what}`);
    this.#at += 1;
    return token.value;
  }

  #problem(token: Token, message: string): void {
    this.problems.push({ ...placeOf(this.#sql, token.start), message });
  }

  #stop(expected: string): never {
    const token = this.#peek();
    const found = token.kind === 'end' ? 'the end' : this.#sql.slice(token.start, token.end).slice(0, 40);
    this.#problem(token, `${expected}, found ${found}`);
    throw new SyntaxStop(expected);
  }

  #unexpected(): never {
    this.#stop('expected an expression');
  }
}

const END: Token = { kind: 'end', value: '', start: 0, end: 0 };

function depthOf(token: Token | undefined): number {
  if (token?.kind !== 'symbol') return 0;
  if ('([{'.includes(token.value)) return 1;
  return ')]}'.includes(token.value) ? -1 : 0;
}

function isPolicy(word: string): word is ObjectPolicy {
  return OBJECT_POLICIES.has(word);
}

/** Null: no option that a column of ours keeps. */
function indexOption(method: string, options: ReadonlyMap<string, SettingValue>): IndexOption | null {
  if (method === 'off') return { kind: 'off' };
  return method === 'fulltext'
    ? { kind: 'fulltext', analyzer: String(options.get('analyzer') ?? 'standard') }
    : null;
}
