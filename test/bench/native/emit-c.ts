/**
 * A row plan as a C program: what a good C programmer would write by hand for these rows, to measure the WebAssembly
 * generator against. One function writes a row; literals and pools are static data that is copied in fixed sizes,
 * past the end of the text; everything else is left to the compiler.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  type Interval,
  type Scope,
  intervalOf,
  maxRowBytesOf,
  newScope,
} from '../../../src/rows/intervals.ts';
import { ELEMENT_STEP, ROW_STEP } from '../../../src/rows/hashing.ts';
import type { Expression, Pools, RowPlan, Write } from '../../../src/rows/row-format.ts';

/** Writes next to each other, literals and pools of the same index put together. */
type Item =
  | { readonly kind: 'literal'; readonly text: Buffer }
  | { readonly kind: 'texts'; readonly index: Expression; readonly texts: readonly Buffer[] }
  | { readonly kind: 'write'; readonly write: Exclude<Write, { op: 'literal' | 'pool' }> };

/** Pools of the same index are one if they take no more than this: more would not stay in a cache. */
const MAX_JOINED_BYTES = 1 << 20;
/** Longer literals are copied by themselves and do not make a table larger. */
const MAX_FOLDED_LITERAL = 16;
const WORD_BYTES = 8;
const VECTOR_BYTES = 16;

/**
 * A complete C program for the plan's rows; its arguments are those of generate-main.c. Throws a RangeError that
 * names the operation if the plan has one that no preset of the benchmarks needs.
 */
export function emitC(plan: RowPlan): string {
  const row = new RowFunction(plan);
  const body = row.text();
  return [
    part('row-numbers.h'),
    `enum { MAX_ROW_BYTES = ${maxRowBytesOf(plan)}, MAX_COPY_BYTES = ${row.maxCopyBytes} };`,
    ...row.data,
    body,
    part('generate-main.c'),
  ].join('\n');
}

function part(file: string): string {
  return readFileSync(join(import.meta.dirname, file), 'utf8');
}

class RowFunction {
  /** Definitions that the function needs before it. */
  readonly data: string[] = [];
  maxCopyBytes = 0;
  readonly #plan: RowPlan;
  readonly #scope: Scope;
  readonly #tables = new Set<number>();
  #slowNumbers = 0;
  #loops = 0;

  constructor(plan: RowPlan) {
    this.#plan = plan;
    this.#scope = newScope(plan);
  }

  text(): string {
    const { columns, prologue, seed64, locals } = this.#plan;
    const literal = (text: string): Write => ({ op: 'literal', text });
    const row = [
      literal('['),
      ...columns.flatMap(({ writes }, index) => (index === 0 ? writes : [literal(','), ...writes])),
      literal('],'),
    ];
    return [
      'static char *write_row(char *out, uint64_t row) {',
      `  const uint64_t key = mix(${number(seed64)} + (row + 1) * ${number(ROW_STEP)});`,
      ...Array.from({ length: locals }, (_, local) => `  uint64_t local_${local};`),
      ...this.#statements([...prologue, ...row]),
      '  (void)key;',
      '  return out;',
      '}',
    ].join('\n');
  }

  #statements(writes: readonly Write[]): string[] {
    return itemsOf(writes, this.#plan.pools).flatMap((item) => {
      switch (item.kind) {
        case 'literal':
          return this.#literal(item.text);
        case 'texts':
          return this.#textOf(item.texts, this.#value(item.index));
        case 'write':
          return this.#write(item.write);
      }
    });
  }

  #literal(text: Buffer): string[] {
    const bytes = this.#copied(copyBytesOf(text.length));
    const padded = Buffer.alloc(bytes, ' ');
    text.copy(padded);
    return [`  memcpy(out, ${quoted(padded)}, ${bytes});`, `  out += ${text.length};`];
  }

  /** The text with this number: a structure whose length stands in its last bytes is copied as a whole. */
  #textOf(texts: readonly Buffer[], index: string): string[] {
    const lengths = texts.map(({ length }) => length);
    const longest = Math.max(...lengths);
    const hasOneLength = Math.min(...lengths) === longest;
    const lengthBytes = hasOneLength ? 0 : longest < 256 ? 1 : 2;
    const bytes = this.#copied(copyBytesOf(longest + lengthBytes));
    const name = `texts_${this.data.length}`;
    const lengthField = lengthBytes === 0 ? '' : ` uint${8 * lengthBytes}_t length;`;
    const rows = texts.map((text) => `  {${quoted(text)}${lengthBytes === 0 ? '' : `, ${text.length}`}},`);
    this.data.push(
      [
        `static const struct { char text[${bytes - lengthBytes}];${lengthField} } ${name}[${texts.length}]`,
        `    __attribute__((aligned(${bytes > WORD_BYTES ? 64 : WORD_BYTES}))) = {`,
        ...rows,
        '};',
      ].join('\n'),
    );
    return [
      '  {',
      `    const uint64_t index = ${index};`,
      `    memcpy(out, &${name}[index], ${bytes});`,
      `    out += ${hasOneLength ? String(longest) : `${name}[index].length`};`,
      '  }',
    ];
  }

  #copied(bytes: number): number {
    this.maxCopyBytes = Math.max(this.maxCopyBytes, bytes);
    return bytes;
  }

  #write(write: Exclude<Write, { op: 'literal' | 'pool' }>): string[] {
    switch (write.op) {
      case 'decimal':
        return this.#decimal(write);
      case 'timestamp':
        return this.#slowNumber(this.#value(write.value));
      case 'set':
        this.#scope.locals[write.local] = intervalOf(write.value, this.#scope);
        return [`  local_${write.local} = ${this.#value(write.value)};`];
      case 'if':
        return [
          `  if (${this.#value(write.when)}) {`,
          ...this.#statements(write.then),
          '  } else {',
          ...this.#statements(write.otherwise),
          '  }',
        ];
      case 'loop':
        return this.#loop(write);
      default:
        throw new RangeError(`${write.op}: not written in C`);
    }
  }

  #loop({ count, separator, body }: Extract<Write, { op: 'loop' }>): string[] {
    this.#loops += 1;
    const outer = `outer_${this.#loops}`;
    return [
      '  {',
      `  const uint64_t count = ${this.#value(count)};`,
      `  const uint64_t ${outer} = key;`,
      '  for (uint64_t element = 0; element < count; element += 1) {',
      `  const uint64_t key = finish(${outer} + (element + 1) * ${number(ELEMENT_STEP)});`,
      '  if (element > 0) {',
      ...this.#literal(Buffer.from(separator)),
      '  }',
      ...this.#statements(body),
      '  }',
      '  }',
    ];
  }

  #decimal({ value, scale, signed, digits }: Extract<Write, { op: 'decimal' }>): string[] {
    if (value.op === 'row' && scale === 0 && digits <= 1) return this.#slowNumber('row');
    const interval = intervalOf(value, this.#scope);
    const isNegative = signed && (interval.min < 0n || interval.max >= 1n << 63n);
    const most = Math.max(digitsOf(interval), scale + 1, digits);
    const least = Math.max(digits, scale + 1);
    return [
      '  {',
      `    uint64_t value = ${this.#value(value)};`,
      ...(isNegative
        ? ['    *out = (char)45;', '    out += value >> 63;', '    if (value >> 63) value = -value;']
        : []),
      ...(scale === 0
        ? [`    out = write_whole(out, value, ${most}, ${least});`]
        : [
            `    out = write_whole(out, value / ${10n ** BigInt(scale)}u, ${most - scale}, ${least - scale});`,
            `    *out = (char)46;`,
            `    out = write_fixed(out + 1, value % ${10n ** BigInt(scale)}u, ${scale});`,
          ]),
      '  }',
    ];
  }

  #slowNumber(value: string): string[] {
    this.#slowNumbers += 1;
    const name = `slow_${this.#slowNumbers}`;
    this.data.push(`static struct slow ${name};`);
    return [`  out = write_slow(out, ${value}, &${name});`];
  }

  /** An expression of type uint64_t. Equal ones are left for the compiler to find. */
  #value(expression: Expression): string {
    const value = (of: Expression): string => this.#value(of);
    switch (expression.op) {
      case 'constant':
        return number(expression.value);
      case 'row':
        return 'row';
      case 'draw':
        return `finish(key + ${number(expression.key)})`;
      case 'mix':
      case 'finish':
        return `${expression.op}(${value(expression.of)})`;
      case 'shiftLeft':
        return `(${value(expression.of)} << ${expression.bits})`;
      case 'shiftRight':
        return `(${value(expression.of)} >> ${expression.bits})`;
      case 'range': {
        const [of, size] = [value(expression.of), number(expression.size)];
        return expression.size <= 65_536n
          ? `(((${of} >> 32) * ${size}) >> 32)`
          : `high_product(${of}, ${size})`;
      }
      case 'load':
        return `(uint64_t)${this.#table(expression.table)}[${value(expression.index)}]`;
      case 'select':
        return `(${value(expression.when)} ? ${value(expression.then)} : ${value(expression.otherwise)})`;
      case 'local':
        return `local_${expression.local}`;
      default:
        return `(${value(expression.left)} ${OPERATORS[expression.op]} ${value(expression.right)})`;
    }
  }

  #table(table: number): string {
    const name = `table_${table}`;
    if (this.#tables.has(table)) return name;
    this.#tables.add(table);
    const values = this.#plan.pools.tables[table]?.values ?? new Uint32Array();
    this.data.push(`static const uint32_t ${name}[${values.length}] = {${values.join(',')}};`);
    return name;
  }
}

const OPERATORS = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
  remainder: '%',
  and: '&',
  or: '|',
  xor: '^',
  less: '<',
} as const;

function number(value: bigint): string {
  return `UINT64_C(${BigInt.asUintN(64, value)})`;
}

/** As a C string: octal escapes end after three digits, whatever follows. */
function quoted(bytes: Buffer): string {
  const characters = Array.from(bytes, (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c || byte === 0x3f
      ? `\\${byte.toString(8).padStart(3, '0')}`
      : String.fromCharCode(byte),
  );
  return `"${characters.join('')}"`;
}

/** What is copied for texts of up to so many bytes: a word, or whole vectors. */
function copyBytesOf(longest: number): number {
  return longest <= WORD_BYTES ? WORD_BYTES : Math.ceil(longest / VECTOR_BYTES) * VECTOR_BYTES;
}

function digitsOf({ min, max }: Interval): number {
  return Math.max(max.toString().length, (min < 0n ? -min : min).toString().length);
}

function itemsOf(writes: readonly Write[], pools: Pools): Item[] {
  return withLiteralsFolded(withPoolsJoined(writes.map((write) => itemOf(write, pools))));
}

function itemOf(write: Write, { bytes, offsets, pools }: Pools): Item {
  if (write.op === 'literal') return { kind: 'literal', text: Buffer.from(write.text) };
  if (write.op !== 'pool') return { kind: 'write', write };
  const { first = 0, count = 0 } = pools[write.pool] ?? {};
  const texts = Array.from({ length: count }, (_, entry) =>
    Buffer.from(bytes.subarray(offsets[first + entry], offsets[first + entry + 1])),
  );
  return { kind: 'texts', index: write.index, texts };
}

/** Neighbouring literals are one, and so are pools of the same index with what stands between them. */
function withPoolsJoined(items: readonly Item[]): Item[] {
  const joined: Item[] = [];
  for (const item of items) {
    const [before, last] = [joined.at(-2), joined.at(-1)];
    if (item.kind === 'literal' && last?.kind === 'literal') {
      joined.splice(-1, 1, { kind: 'literal', text: Buffer.concat([last.text, item.text]) });
    } else if (item.kind === 'texts' && last?.kind === 'literal' && before?.kind === 'texts') {
      const both = zipped(withSuffix(before, last.text), item);
      if (both === null) joined.push(item);
      else joined.splice(-2, 2, both);
    } else joined.push(item);
  }
  return joined;
}

/** A short literal behind a pool stands in each of its texts. */
function withLiteralsFolded(items: readonly Item[]): Item[] {
  const folded: Item[] = [];
  for (const item of items) {
    const last = folded.at(-1);
    if (item.kind === 'literal' && last?.kind === 'texts' && item.text.length <= MAX_FOLDED_LITERAL)
      folded.splice(-1, 1, withSuffix(last, item.text));
    else folded.push(item);
  }
  return folded;
}

type Texts = Extract<Item, { kind: 'texts' }>;

function withSuffix({ index, texts }: Texts, suffix: Buffer): Texts {
  return { kind: 'texts', index, texts: texts.map((text) => Buffer.concat([text, suffix])) };
}

function zipped(left: Texts, right: Texts): Texts | null {
  const isSameIndex = left.texts.length === right.texts.length && isDeepStrictEqual(left.index, right.index);
  if (!isSameIndex) return null;
  const texts = left.texts.map((text, number) => Buffer.concat([text, right.texts[number] ?? Buffer.of()]));
  const longest = Math.max(...texts.map(({ length }) => length));
  return texts.length * longest <= MAX_JOINED_BYTES ? { kind: 'texts', index: left.index, texts } : null;
}
