/**
 * What a CHECK demands, as far as it can be understood: bounds, lists, lengths, patterns of single columns. A
 * condition that holds when one of its parts does (OR) is narrowed to one part; what is not understood is said.
 */
import { formatColumnPath } from '../../base/sql.ts';
import { type Token, tokensOf } from './tokens.ts';

export type Literal = string | number | boolean;

/** One demand on the column at `path` (`a`, `o['b']`). Nulls meet all of them but `notNull`. */
export type Demand = { readonly path: string } & (
  | { readonly kind: 'least' | 'most'; readonly value: Literal; readonly exclusive: boolean }
  | { readonly kind: 'oneOf' | 'noneOf'; readonly values: readonly Literal[] }
  /** Of a text in characters, or of an array in elements. */
  | { readonly kind: 'minLength' | 'maxLength'; readonly length: number }
  | { readonly kind: 'like'; readonly pattern: string }
  | { readonly kind: 'notNull' | 'null' }
);

/** What is understood of a condition. */
export interface Demands {
  readonly demands: readonly Demand[];
  /** The demands are enough for the condition to hold; false: a part of it was not understood. */
  readonly isWhole: boolean;
}

/** Reads the text of a CHECK. Never throws. */
export function demandsOf(sql: string): Demands {
  const tokens = tokensOf(sql);
  const isReadable = tokens.every(({ kind }) => kind !== 'bad') && isShallow(tokens);
  const condition = isReadable ? new ConditionReader(tokens).whole() : null;
  return condition === null ? NOT_UNDERSTOOD : narrowed(condition, false);
}

/** Every parenthesis and NOT is a step down for the reader. */
function isShallow(tokens: readonly Token[]): boolean {
  return tokens.filter(({ value }) => value === '(' || value === 'not').length <= MAX_DEPTH;
}

const NOT_UNDERSTOOD: Demands = { demands: [], isWhole: false };

type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'compare'; readonly of: Operand; readonly operator: Comparison; readonly value: Literal }
  | { readonly kind: 'in'; readonly of: Operand; readonly values: readonly Literal[] }
  | { readonly kind: 'like'; readonly of: Operand; readonly pattern: string }
  | { readonly kind: 'isNull'; readonly of: Operand }
  | { readonly kind: 'unknown' };

/** A column, or its length. */
interface Operand {
  readonly path: string;
  readonly isLength: boolean;
}

const COMPARISONS: ReadonlySet<string> = new Set<Comparison>(['=', '<>', '<', '<=', '>', '>=']);
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};
const OPPOSITE: Readonly<Record<Comparison, Comparison>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

/** Functions whose value is a length: of a text, of an array's first dimension. */
const LENGTHS: ReadonlySet<string> = new Set(['length', 'char_length', 'array_length', 'cardinality']);

/** Conditions inside each other; people write fewer. */
const MAX_DEPTH = 500;

/** Demands that make the condition (or its opposite) hold; of alternatives the first that is understood. */
function narrowed(condition: Condition, negated: boolean): Demands {
  switch (condition.kind) {
    case 'unknown':
      return NOT_UNDERSTOOD;
    case 'not':
      return narrowed(condition.part, !negated);
    case 'and':
    case 'or': {
      const isAll = (condition.kind === 'and') !== negated;
      const parts = condition.parts.map((part) => narrowed(part, negated));
      if (!isAll) return parts.find((part) => part.isWhole && !isOnlyNull(part.demands)) ?? NOT_UNDERSTOOD;
      return {
        demands: parts.flatMap(({ demands }) => demands),
        isWhole: parts.every((part) => part.isWhole),
      };
    }
    default: {
      const demands = simpleDemands(condition, negated);
      return demands === null ? NOT_UNDERSTOOD : { demands, isWhole: true };
    }
  }
}

type SimpleCondition = Extract<Condition, { readonly of: Operand }>;

function simpleDemands(condition: SimpleCondition, negated: boolean): readonly Demand[] | null {
  const { path, isLength } = condition.of;
  switch (condition.kind) {
    case 'isNull':
      return [{ path, kind: negated ? 'notNull' : 'null' }];
    case 'in':
      return isLength ? null : [{ path, kind: negated ? 'noneOf' : 'oneOf', values: condition.values }];
    case 'like':
      return negated || isLength ? null : [{ path, kind: 'like', pattern: condition.pattern }];
    case 'compare': {
      const operator = negated ? OPPOSITE[condition.operator] : condition.operator;
      return isLength
        ? lengthDemands(path, operator, condition.value)
        : [valueDemand(path, operator, condition.value)];
    }
  }
}

/** `x > 0 OR x IS NULL`: the null alone would be true and of no use. */
function isOnlyNull(demands: readonly Demand[]): boolean {
  return demands.every(({ kind }) => kind === 'null');
}

function valueDemand(path: string, operator: Comparison, value: Literal): Demand {
  switch (operator) {
    case '=':
      return { path, kind: 'oneOf', values: [value] };
    case '<>':
      return { path, kind: 'noneOf', values: [value] };
    case '<':
    case '<=':
      return { path, kind: 'most', value, exclusive: operator === '<' };
    case '>':
    case '>=':
      return { path, kind: 'least', value, exclusive: operator === '>' };
  }
}

function lengthDemands(path: string, operator: Comparison, value: Literal): readonly Demand[] | null {
  if (typeof value !== 'number') return null;
  const least = (length: number): Demand => ({ path, kind: 'minLength', length });
  const most = (length: number): Demand => ({ path, kind: 'maxLength', length });
  switch (operator) {
    case '=':
      return Number.isInteger(value) ? [least(value), most(value)] : null;
    case '<>':
      return [least(Math.floor(value) + 1)];
    case '<':
      return [most(Math.ceil(value) - 1)];
    case '<=':
      return [most(Math.floor(value))];
    case '>':
      return [least(Math.floor(value) + 1)];
    case '>=':
      return [least(Math.ceil(value))];
  }
}

/** Recursive descent; a part that is not understood is `unknown`, the whole is null when its end is not found. */
class ConditionReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Condition | null {
    const condition = this.#or();
    return this.#peek().kind === 'end' ? condition : null;
  }

  #or(): Condition {
    const parts = [this.#and()];
    while (this.#skip('or')) parts.push(this.#and());
    return parts.length === 1 ? (parts[0] ?? UNKNOWN) : { kind: 'or', parts };
  }

  #and(): Condition {
    const parts = [this.#not()];
    while (this.#skip('and')) parts.push(this.#not());
    return parts.length === 1 ? (parts[0] ?? UNKNOWN) : { kind: 'and', parts };
  }

  #not(): Condition {
    return this.#skip('not') ? { kind: 'not', part: this.#not() } : this.#predicate();
  }

  #predicate(): Condition {
    const start = this.#at;
    const nested = this.#nested();
    if (nested !== null) return nested;
    this.#at = start;
    const predicate = this.#simple();
    if (predicate !== null && this.#isAtEnd()) return predicate;
    this.#at = start;
    this.#skipUnknown();
    return UNKNOWN;
  }

  /** A condition in parentheses; null when what they hold is only the beginning of something. */
  #nested(): Condition | null {
    if (!this.#skip('(')) return null;
    const inner = this.#or();
    return this.#skip(')') && this.#isAtEnd() ? inner : null;
  }

  #simple(): Condition | null {
    const literal = this.#literal();
    if (literal !== null) {
      const operator = this.#comparison();
      const of = operator === null ? null : this.#operand();
      return operator === null || of === null
        ? null
        : { kind: 'compare', of, operator: MIRRORED[operator], value: literal };
    }
    const of = this.#operand();
    return of === null ? null : this.#demandOn(of);
  }

  #demandOn(of: Operand): Condition | null {
    if (this.#skip('is')) {
      const isNegated = this.#skip('not');
      return this.#skip('null') ? maybeNot({ kind: 'isNull', of }, isNegated) : null;
    }
    const operator = this.#comparison();
    if (operator !== null) return this.#comparedWith(of, operator);
    const isNegated = this.#skip('not');
    const condition = this.#membership(of);
    if (condition !== null) return maybeNot(condition, isNegated);
    return isNegated || of.isLength ? null : { kind: 'compare', of, operator: '=', value: true };
  }

  #comparedWith(of: Operand, operator: Comparison): Condition | null {
    const quantifier = this.#skip('any') || this.#skip('some') ? 'any' : this.#skip('all') ? 'all' : null;
    if (quantifier === null) {
      const value = this.#literal();
      return value === null ? null : { kind: 'compare', of, operator, value };
    }
    const values = this.#skip('(') && this.#skip('[') ? this.#literals(']') : null;
    if (values === null || !this.#skip(')')) return null;
    if (operator === '=' && quantifier === 'any') return { kind: 'in', of, values };
    return operator === '<>' && quantifier === 'all' ? maybeNot({ kind: 'in', of, values }, true) : null;
  }

  #membership(of: Operand): Condition | null {
    if (this.#skip('in')) {
      const values = this.#skip('(') ? this.#literals(')') : null;
      return values === null ? null : { kind: 'in', of, values };
    }
    if (this.#skip('between')) {
      const low = this.#literal();
      const high = this.#skip('and') ? this.#literal() : null;
      if (low === null || high === null) return null;
      return {
        kind: 'and',
        parts: [
          { kind: 'compare', of, operator: '>=', value: low },
          { kind: 'compare', of, operator: '<=', value: high },
        ],
      };
    }
    if (!this.#skip('like') && !this.#skip('ilike')) return null;
    const pattern = this.#literal();
    return typeof pattern === 'string' ? { kind: 'like', of, pattern } : null;
  }

  /** A column, a part of an object, or the length of one. */
  #operand(): Operand | null {
    if (this.#skip('(')) {
      const inner = this.#operand();
      return inner !== null && this.#skip(')') ? inner : null;
    }
    const word = this.#peek();
    if (word.kind === 'word' && LENGTHS.has(word.value) && this.#peek(1).value === '(') {
      this.#at += 2;
      const path = this.#path();
      const isFirst = !this.#skip(',') || this.#literal() === 1;
      return path !== null && isFirst && this.#skip(')') ? { path, isLength: true } : null;
    }
    const path = this.#path();
    return path === null ? null : { path, isLength: false };
  }

  #path(): string | null {
    const token = this.#peek();
    if (token.kind !== 'word' && token.kind !== 'quoted') return null;
    this.#at += 1;
    const path = [token.value];
    while (this.#skip('[')) {
      const key = this.#peek();
      if (key.kind !== 'text') return null;
      this.#at += 1;
      path.push(key.value);
      if (!this.#skip(']')) return null;
    }
    return formatColumnPath(path);
  }

  #comparison(): Comparison | null {
    const token = this.#peek();
    const operator = token.value === '!=' ? '<>' : token.value;
    if (token.kind !== 'symbol' || !isComparison(operator)) return null;
    this.#at += 1;
    return operator;
  }

  #literals(closing: string): readonly Literal[] | null {
    const values: Literal[] = [];
    do {
      const value = this.#literal();
      if (value === null) return null;
      values.push(value);
    } while (this.#skip(','));
    return this.#skip(closing) ? values : null;
  }

  /** A text, number, true or false, whatever it is cast to; null (and nothing taken) for everything else. */
  #literal(): Literal | null {
    const start = this.#at;
    const value = this.#skip('cast') ? this.#castLiteral() : this.#plainLiteral();
    while (value !== null && this.#skip('::')) this.#skipTypeName();
    if (value === null) this.#at = start;
    return value;
  }

  #castLiteral(): Literal | null {
    const value = this.#skip('(') ? this.#literal() : null;
    if (value === null || !this.#skip('as')) return null;
    this.#skipTypeName();
    return this.#skip(')') ? value : null;
  }

  #plainLiteral(): Literal | null {
    const isNegative = this.#skip('-');
    const token = this.#peek();
    this.#at += 1;
    if (token.kind === 'number') return Number(token.value) * (isNegative ? -1 : 1);
    if (isNegative) return null;
    if (token.kind === 'text') return token.value;
    if (token.kind === 'word' && (token.value === 'true' || token.value === 'false'))
      return token.value === 'true';
    return null;
  }

  #skipTypeName(): void {
    while (this.#peek().kind === 'word' && !['and', 'or', 'not', 'is', 'in'].includes(this.#peek().value))
      this.#at += 1;
    if (!this.#skip('(')) return;
    while (this.#peek().kind === 'number' || this.#peek().value === ',') this.#at += 1;
    this.#skip(')');
  }

  /** To the next AND or OR of this level, the closing parenthesis, or the end. */
  #skipUnknown(): void {
    let depth = 0;
    while (depth > 0 || !this.#isAtEnd()) {
      const token = this.#peek();
      if (token.kind === 'end') return;
      if (token.kind === 'symbol' && '([{'.includes(token.value)) depth += 1;
      if (token.kind === 'symbol' && ')]}'.includes(token.value)) depth -= 1;
      this.#at += 1;
    }
  }

  #isAtEnd(): boolean {
    const { kind, value } = this.#peek();
    return (
      kind === 'end' ||
      (kind === 'word' && (value === 'and' || value === 'or')) ||
      (kind === 'symbol' && value === ')')
    );
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)] ?? END;
  }

  #skip(value: string): boolean {
    const token = this.#peek();
    if (token.value !== value || (token.kind !== 'word' && token.kind !== 'symbol')) return false;
    this.#at += 1;
    return true;
  }
}

const UNKNOWN: Condition = { kind: 'unknown' };
const END: Token = { kind: 'end', value: '', start: 0, end: 0 };

function maybeNot(part: Condition, isNegated: boolean): Condition {
  return isNegated ? { kind: 'not', part } : part;
}

function isComparison(text: string): text is Comparison {
  return COMPARISONS.has(text);
}
