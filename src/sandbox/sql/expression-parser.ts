/** Expressions, types and names of SQL: the part of the grammar that every statement shares. */
import type { BinaryOperator, ColumnDefinition, Expression, Options, RelationRef, Select } from './ast.ts';
import { invalid, type SqlFailure } from '../failure.ts';
import { toDouble, shrink } from '../values/json.ts';
import { failureAt, type Token } from './tokens.ts';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  TEXT,
  UNDEFINED,
  arrayOf,
  type DataType,
  type Field,
  type ObjectType,
} from '../values/types.ts';

/** Words that end an expression or begin the next clause, so they are no alias. */
export const RESERVED: ReadonlySet<string> = new Set(
  (
    'from where group having order limit offset union and or not in is between like ilike as on asc desc nulls then ' +
    'else end when case returning set values select escape any all partition with'
  ).split(' '),
);

/** Those of them that begin no expression; the others may be columns, as `values` is. */
const CLAUSES: ReadonlySet<string> = new Set(
  'from where group having order limit union and or not in is between like on then else end when returning select'.split(
    ' ',
  ),
);

/** Binding strength of the operators between two operands; comparison stands between `not` and these. */
const STRENGTH: Readonly<Partial<Record<string, number>>> = {
  '||': 1,
  '+': 2,
  '-': 2,
  '*': 3,
  '/': 3,
  '%': 3,
  '^': 4,
};
const COMPARISONS: Readonly<Partial<Record<string, BinaryOperator>>> = {
  '=': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '~': '~',
  '~*': '~*',
};

/** Functions that are written without parentheses. */
const BARE_CALLS: ReadonlySet<string> = new Set([
  'current_timestamp',
  'current_user',
  'current_schema',
  'session_user',
  'user',
  'current_date',
  'current_role',
]);

/** Expressions nest no deeper; each level costs a dozen stack frames. */
const MAX_DEPTH = 300;

export abstract class ExpressionParser {
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #params = 0;
  #depth = 0;

  constructor(sql: string, tokens: readonly Token[]) {
    this.#sql = sql;
    this.#tokens = tokens;
  }

  protected abstract select(): Select;

  protected peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw this.failure('no token');
    return token;
  }

  protected next(): Token {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  /** True when the next token is this symbol or unquoted word. */
  protected is(value: string): boolean {
    const token = this.peek();
    return token.value === value && (token.kind === 'word' || token.kind === 'symbol');
  }

  protected skip(value: string): boolean {
    if (!this.is(value)) return false;
    this.#at += 1;
    return true;
  }

  protected expect(value: string): void {
    if (!this.skip(value)) throw this.mismatch(`'${value.toUpperCase()}'`);
  }

  protected take(kind: Token['kind']): Token {
    if (this.peek().kind !== kind) throw this.mismatch(kind);
    return this.next();
  }

  /** `expected` is what may stand here instead. */
  protected end(expected = '<EOF>'): void {
    if (this.peek().kind === 'end') return;
    const kind = this.peek(1).kind === 'end' ? 'extraneous' : 'mismatched';
    throw this.failure(`${kind} input '${this.peek().raw}' expecting ${expected}`);
  }

  protected mismatch(expected: string): SqlFailure {
    return this.failure(`mismatched input '${this.peek().raw}' expecting ${expected}`);
  }

  protected failure(message: string): SqlFailure {
    return failureAt(this.#sql, this.#tokens[this.#at]?.offset ?? 0, message);
  }

  protected list<T>(item: () => T): readonly [T, ...T[]] {
    const items: [T, ...T[]] = [item()];
    while (this.skip(',')) items.push(item());
    return items;
  }

  protected parenthesised<T>(item: () => T): readonly T[] {
    this.expect('(');
    if (this.skip(')')) return [];
    const items = this.list(item);
    this.expect(')');
    return items;
  }

  protected identifier(): string {
    const token = this.peek();
    if (token.kind === 'quoted' || token.kind === 'word') return this.next().value;
    throw this.mismatch('identifier');
  }

  protected relation(): RelationRef {
    const first = this.identifier();
    if (!this.skip('.')) return { schema: null, name: first };
    const second = this.identifier();
    if (!this.skip('.')) return { schema: first, name: second };
    return { schema: second, name: this.identifier() }; // catalog.schema.table
  }

  /** `refresh_interval`, `"translog.durability"`, `translog.durability` or `bulk['request_timeout']`. */
  protected optionName(): string {
    let name = this.identifier();
    for (;;) {
      if (this.skip('.')) name += `.${this.identifier()}`;
      else if (this.skip('[')) {
        name += `.${this.take('text').value}`;
        this.expect(']');
      } else return name;
    }
  }

  protected option(): readonly [string, Expression] {
    const name = this.optionName();
    this.expect('=');
    return [name, this.settingValue()];
  }

  protected options(): Options {
    return this.parenthesised(() => this.option());
  }

  /** A bare word counts as its text: `codec = best_compression`. */
  protected settingValue(): Expression {
    const token = this.peek();
    const isBare = token.kind === 'word' && !['true', 'false', 'null'].includes(token.value);
    return isBare ? { kind: 'literal', value: this.next().raw, type: TEXT } : this.expression();
  }

  protected row(): readonly Expression[] {
    return this.parenthesised(() => this.expression());
  }

  protected type(): DataType {
    let type = this.#simpleType();
    while (this.is('[') && this.peek(1).value === ']') {
      this.next();
      this.next();
      type = arrayOf(type);
    }
    return type;
  }

  #simpleType(): DataType {
    const name = this.next().value;
    switch (name) {
      case 'array': {
        this.expect('(');
        const element = this.type();
        this.expect(')');
        return arrayOf(element);
      }
      case 'object':
        return this.#objectType();
      case 'double':
        this.skip('precision');
        return DOUBLE;
      case 'timestamp':
        return this.#timestampType();
      case 'character':
      case 'char':
        if (this.skip('varying')) return { kind: 'text', length: this.#lengths()[0] ?? null };
        return { kind: 'character', length: this.#lengths()[0] ?? 1 };
      case 'varchar':
      case 'text':
      case 'string':
        return { kind: 'text', length: this.#lengths()[0] ?? null };
      case 'numeric':
      case 'decimal': {
        const [precision = null, scale] = this.#lengths();
        return { kind: 'numeric', precision, scale: scale ?? (precision === null ? null : 0) };
      }
      case 'bit':
        return { kind: 'bit', length: this.#lengths()[0] ?? 1 };
      case 'float_vector':
        return { kind: 'float_vector', dimensions: this.#lengths()[0] ?? 1 };
      default:
        return NAMED_TYPES.get(name) ?? this.#unknownType(name);
    }
  }

  #unknownType(name: string): never {
    throw invalid(`Cannot find data type: ${name}`);
  }

  #timestampType(): DataType {
    if (this.skip('without')) return this.#timeZone({ kind: 'timestamp' });
    return this.skip('with') ? this.#timeZone({ kind: 'timestamptz' }) : { kind: 'timestamp' };
  }

  #timeZone(type: DataType): DataType {
    this.expect('time');
    this.expect('zone');
    return type;
  }

  #lengths(): readonly number[] {
    return this.is('(') ? this.parenthesised(() => Number(this.take('number').value)) : [];
  }

  #objectType(): ObjectType {
    let policy: ObjectType['policy'] = 'dynamic';
    if (this.skip('(')) {
      const word = this.identifier();
      if (word !== 'dynamic' && word !== 'strict' && word !== 'ignored')
        throw this.mismatch("{'DYNAMIC', 'STRICT', 'IGNORED'}");
      policy = word;
      this.expect(')');
    }
    const fields = new Map<string, Field>();
    // `OBJECT GENERATED ALWAYS AS …` has no AS of its own; `AS (` begins the columns.
    if (this.is('as') && this.peek(1).value === '(') {
      this.next();
      for (const column of this.parenthesised(() => this.#field())) {
        fields.set(column.name, { type: column.type, notNull: column.notNull });
      }
    }
    return { kind: 'object', policy, fields };
  }

  #field(): Pick<ColumnDefinition, 'name' | 'type' | 'notNull'> {
    const name = this.identifier();
    const type = this.type();
    const notNull = this.skip('not');
    if (notNull) this.expect('null');
    return { name, type, notNull };
  }

  protected expression(): Expression {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.failure('statement is too large (stack overflow while parsing)');
    let left = this.#conjunction();
    while (this.skip('or')) left = { kind: 'binary', operator: 'or', left, right: this.#conjunction() };
    this.#depth -= 1;
    return left;
  }

  #conjunction(): Expression {
    let left = this.#negation();
    while (this.skip('and')) left = { kind: 'binary', operator: 'and', left, right: this.#negation() };
    return left;
  }

  #negation(): Expression {
    return this.skip('not') ? { kind: 'not', operand: this.#negation() } : this.#predicate();
  }

  #predicate(): Expression {
    let left = this.operand();
    for (;;) {
      const operator = this.peek().kind === 'symbol' ? COMPARISONS[this.peek().value] : undefined;
      if (operator !== undefined) {
        this.next();
        left = this.#comparison(operator, left);
      } else if (this.skip('is')) {
        left = this.#isPredicate(left);
      } else {
        const negated = this.is('not') && ['in', 'between', 'like', 'ilike'].includes(this.peek(1).value);
        if (negated) this.next();
        const next = this.#wordPredicate(left, negated);
        if (next === null) return left;
        left = next;
      }
    }
  }

  #comparison(operator: BinaryOperator, left: Expression): Expression {
    if ((this.is('any') || this.is('all') || this.is('some')) && this.peek(1).value === '(') {
      const all = this.next().value === 'all';
      this.expect('(');
      const array: Expression = this.is('select')
        ? { kind: 'scalar', select: this.select() }
        : this.expression();
      this.expect(')');
      return { kind: 'any', operator, left, array, all };
    }
    return { kind: 'binary', operator, left, right: this.operand() };
  }

  #isPredicate(operand: Expression): Expression {
    const negated = this.skip('not');
    if (this.skip('null')) return { kind: 'isNull', operand, negated };
    this.expect('distinct');
    this.expect('from');
    const args = [operand, this.operand()];
    const distinct: Expression = {
      kind: 'call',
      name: 'is_distinct_from',
      args,
      distinct: false,
      filter: null,
    };
    return negated ? { kind: 'not', operand: distinct } : distinct;
  }

  #wordPredicate(operand: Expression, negated: boolean): Expression | null {
    if (this.skip('in')) return this.#inPredicate(operand, negated);
    if (this.skip('between')) {
      const low = this.operand();
      this.expect('and');
      return { kind: 'between', operand, low, high: this.operand(), negated };
    }
    for (const operator of ['like', 'ilike'] as const) {
      if (!this.skip(operator)) continue;
      const like: Expression = { kind: 'binary', operator, left: operand, right: this.operand() };
      return negated ? { kind: 'not', operand: like } : like;
    }
    return null;
  }

  #inPredicate(operand: Expression, negated: boolean): Expression {
    this.expect('(');
    if (this.is('select')) {
      const select = this.select();
      this.expect(')');
      return { kind: 'inSelect', operand, select, negated };
    }
    const list = this.list(() => this.expression());
    this.expect(')');
    return { kind: 'in', operand, list, negated };
  }

  /** Arithmetic and everything tighter; used where a bare expression would swallow the next clause. */
  protected operand(least = 1): Expression {
    let left = this.#unary();
    for (;;) {
      const token = this.peek();
      const strength = token.kind === 'symbol' ? STRENGTH[token.value] : undefined;
      if (strength === undefined || strength < least) return left;
      this.next();
      left = {
        kind: 'binary',
        operator: token.value as BinaryOperator,
        left,
        right: this.operand(strength + 1),
      };
    }
  }

  #unary(): Expression {
    if (this.skip('+')) return this.#unary();
    if (!this.skip('-')) return this.#postfix(this.#primary());
    if (this.peek().kind === 'number') return this.#postfix(numberLiteral(`-${this.next().value}`));
    return { kind: 'negate', operand: this.#unary() };
  }

  #postfix(base: Expression): Expression {
    let expression = base;
    for (;;) {
      if (this.skip('::')) {
        expression = { kind: 'cast', operand: expression, type: this.type(), lenient: false };
      } else if (this.skip('[')) {
        expression = { kind: 'subscript', base: expression, index: this.expression() };
        this.expect(']');
      } else {
        return expression;
      }
    }
  }

  #primary(): Expression {
    const token = this.next();
    switch (token.kind) {
      case 'number':
        return numberLiteral(token.value);
      case 'text':
        return { kind: 'literal', value: token.value, type: TEXT };
      case 'bits':
        return { kind: 'literal', value: token.value, type: { kind: 'bit', length: token.value.length } };
      case 'param':
        return {
          kind: 'param',
          index: token.value === '?' ? this.#params++ : Number(token.value.slice(1)) - 1,
        };
      case 'quoted':
        return this.#name(token.value);
      case 'word':
        return this.#word(token);
      case 'symbol':
        return this.#symbol(token);
      case 'end':
        this.#at -= 1;
        throw this.mismatch('expression');
    }
  }

  #symbol(token: Token): Expression {
    switch (token.value) {
      case '(': {
        if (this.is('select')) {
          const select = this.select();
          this.expect(')');
          return { kind: 'scalar', select };
        }
        const expression = this.expression();
        this.expect(')');
        return expression;
      }
      case '[':
        return this.#arrayItems();
      case '{':
        return this.#objectEntries();
      case '*':
        return { kind: 'star' };
      default:
        this.#at -= 1;
        throw this.mismatch('expression');
    }
  }

  #arrayItems(): Expression {
    if (this.skip(']')) return { kind: 'array', items: [] };
    const items = this.list(() => this.expression());
    this.expect(']');
    return { kind: 'array', items };
  }

  #objectEntries(): Expression {
    if (this.skip('}')) return { kind: 'object', entries: [] };
    const entries = this.list((): readonly [string, Expression] => {
      const key = this.peek().kind === 'text' ? this.next().value : this.identifier();
      if (!this.skip('=')) this.expect(':');
      return [key, this.expression()];
    });
    this.expect('}');
    return { kind: 'object', entries };
  }

  #word(token: Token): Expression {
    switch (token.value) {
      case 'null':
        return { kind: 'literal', value: null, type: UNDEFINED };
      case 'true':
      case 'false':
        return { kind: 'literal', value: token.value === 'true', type: BOOLEAN };
      case 'cast':
      case 'try_cast':
        if (this.is('(')) return this.#cast(token.value === 'try_cast');
        break;
      case 'case':
        return this.#case();
      case 'array':
        if (this.skip('[')) return this.#arrayItems();
        break;
      case 'timestamp':
      case 'timestamptz':
      case 'date':
        if (this.peek().kind === 'text') {
          const operand: Expression = { kind: 'literal', value: this.next().value, type: TEXT };
          return {
            kind: 'cast',
            operand,
            type: NAMED_TYPES.get(token.value) ?? { kind: 'timestamp' },
            lenient: false,
          };
        }
        break;
      default:
        if (CLAUSES.has(token.value)) {
          this.#at -= 1;
          throw this.mismatch('expression');
        }
    }
    if (BARE_CALLS.has(token.value) && !this.is('(')) return call(token.value, []);
    return this.#name(token.value);
  }

  #name(first: string): Expression {
    if (this.is('(')) return this.#call(first);
    const parts = [first];
    while (this.is('.') && ['word', 'quoted'].includes(this.peek(1).kind)) {
      this.next();
      parts.push(this.identifier());
    }
    if (this.is('(')) return this.#call(parts.at(-1) ?? '');
    return { kind: 'column', qualifier: parts.at(-2) ?? null, name: parts.at(-1) ?? '' };
  }

  #call(name: string): Expression {
    this.expect('(');
    const distinct = this.skip('distinct');
    const args: Expression[] = [];
    if (!this.is(')'))
      args.push(...this.list(() => (this.skip('*') ? ({ kind: 'star' } as const) : this.#argument(name))));
    this.expect(')');
    let filter: Expression | null = null;
    if (this.is('filter') && this.peek(1).value === '(') {
      this.next();
      this.expect('(');
      this.expect('where');
      filter = this.expression();
      this.expect(')');
    }
    return { kind: 'call', name, args, distinct, filter };
  }

  /** `extract(year FROM ts)` takes a word and FROM where others take a comma. */
  #argument(name: string): Expression {
    if (name !== 'extract' || this.peek(1).value !== 'from') return this.expression();
    const field: Expression = { kind: 'literal', value: this.next().value, type: TEXT };
    this.next();
    return call('extract', [field, this.expression()]);
  }

  #cast(lenient: boolean): Expression {
    this.expect('(');
    const operand = this.expression();
    this.expect('as');
    const type = this.type();
    this.expect(')');
    return { kind: 'cast', operand, type, lenient };
  }

  #case(): Expression {
    const operand = this.is('when') ? null : this.expression();
    const branches: (readonly [Expression, Expression])[] = [];
    while (this.skip('when')) {
      const condition = this.expression();
      this.expect('then');
      branches.push([condition, this.expression()]);
    }
    const otherwise = this.skip('else') ? this.expression() : null;
    this.expect('end');
    return { kind: 'case', operand, branches, otherwise };
  }
}

function call(name: string, args: readonly Expression[]): Expression {
  return { kind: 'call', name, args, distinct: false, filter: null };
}

function numberLiteral(text: string): Expression {
  if (/[.eE]/.test(text)) return { kind: 'literal', value: toDouble(Number(text)), type: DOUBLE };
  const value = shrink(BigInt(text));
  const isSmall = typeof value === 'number' && Math.abs(value + 0.5) <= 2 ** 31;
  return { kind: 'literal', value, type: isSmall ? INTEGER : BIGINT };
}

const NAMED_TYPES: ReadonlyMap<string, DataType> = new Map<string, DataType>([
  ['boolean', BOOLEAN],
  ['bool', BOOLEAN],
  ['byte', { kind: 'byte' }],
  ['short', { kind: 'smallint' }],
  ['smallint', { kind: 'smallint' }],
  ['int2', { kind: 'smallint' }],
  ['int', INTEGER],
  ['int4', INTEGER],
  ['integer', INTEGER],
  ['long', BIGINT],
  ['int8', BIGINT],
  ['bigint', BIGINT],
  ['float', { kind: 'real' }],
  ['float4', { kind: 'real' }],
  ['real', { kind: 'real' }],
  ['float8', DOUBLE],
  ['timestamptz', { kind: 'timestamptz' }],
  ['date', { kind: 'timestamptz' }],
  ['ip', { kind: 'ip' }],
  ['uuid', { kind: 'uuid' }],
  ['geo_point', { kind: 'geo_point' }],
  ['geo_shape', { kind: 'geo_shape' }],
  ['name', TEXT],
]);
