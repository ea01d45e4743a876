/**
 * The reference generator: a row plan compiled once into closures that write bytes. Plain and obviously right;
 * a faster generator is measured by writing the same bytes.
 */
import { assert } from '../../base/errors.ts';
import { intervalOf, maxBytesOf, maxColumnBytesOf, maxRowBytesOf, newScope } from '../intervals.ts';
import {
  compileNarrow,
  compileSet,
  compileTruth,
  compileWide,
  isNarrow,
  newMachine,
} from './compile-expression.ts';
import type { Machine } from './compile-expression.ts';
import { ELEMENT_STEP, ROW_STEP } from '../hashing.ts';
import { writeAscii, writeDecimal, writeLongDecimal, writeWhole } from './json-digits.ts';
import type { ColumnGenerator, RowBrackets, RowGenerator } from '../row-generator.ts';
import { IN_BRACKETS } from '../row-generator.ts';
import { type Expression, type RowPlan, type Write, MAX_ROWS } from '../row-format.ts';
import * as wordOps from './words.ts';
import { HIGH, KEY_HIGH, KEY_LOW, LOW } from './words.ts';

/** Writes into the target from an offset on, returns the offset after it. */
type Emit = (target: Uint8Array, at: number) => number;

const COMMA = 44;
const HEX_DIGITS = '0123456789abcdef';
const BASE62_DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const [ELEMENT_HIGH, ELEMENT_LOW] = [wordOps.highHalf(ELEMENT_STEP), wordOps.lowHalf(ELEMENT_STEP)];
const [ROW_HIGH, ROW_LOW] = [wordOps.highHalf(ROW_STEP), wordOps.lowHalf(ROW_STEP)];

/** A generator for the plan's rows. The plan's shape is asserted: locals, tables and pools within bounds. */
export function createReferenceGenerator(plan: RowPlan, brackets: RowBrackets = IN_BRACKETS): RowGenerator {
  const machine = newMachine(newScope(plan));
  const emitRow = compileWrites(framed(plan, brackets), machine);
  const startRow = rowStarter(plan, machine);
  return {
    maxRowBytes: maxRowBytesOf(plan),
    createBuffers: createPlainBuffers,
    writeRows(target, offset, firstRow, rows) {
      assertWithinRun(firstRow, rows);
      let at = offset;
      for (let row = firstRow; row < firstRow + rows; row += 1) {
        if (row > firstRow) {
          target[at] = COMMA;
          at += 1;
        }
        startRow(row);
        at = emitRow(target, at);
      }
      return at;
    },
  };
}

/** The same values, column by column. */
export function createReferenceColumns(plan: RowPlan): ColumnGenerator {
  const machine = newMachine(newScope(plan));
  const emitPrologue = compileWrites(plan.prologue, machine);
  const emitColumns = plan.columns.map(({ writes }) => compileWrites(writes, machine));
  const startRow = rowStarter(plan, machine);
  return {
    maxColumnBytes: maxColumnBytesOf(plan),
    slackBytes: 0,
    createBuffers: createPlainBuffers,
    writeColumns(target, starts, firstRow, rows) {
      assertWithinRun(firstRow, rows);
      const ends = [...starts];
      for (let row = firstRow; row < firstRow + rows; row += 1) {
        startRow(row);
        emitPrologue(target, 0);
        emitColumns.forEach((emit, column) => {
          const end = emit(target, ends[column] ?? 0);
          target[end] = COMMA;
          ends[column] = end + 1;
        });
      }
      return ends;
    },
  };
}

function createPlainBuffers(count: number, bytes: number): Uint8Array[] {
  return Array.from({ length: count }, () => new Uint8Array(bytes));
}

function assertWithinRun(firstRow: number, rows: number): void {
  assert(firstRow >= 0 && firstRow + rows <= MAX_ROWS, `rows ${firstRow} + ${rows} are past the last row`);
}

/** Brings the machine to a row: its number and its key. */
function rowStarter(plan: RowPlan, { words, numbers }: Machine): (row: number) => void {
  const [seedHigh, seedLow] = [wordOps.highHalf(plan.seed64), wordOps.lowHalf(plan.seed64)];
  return (row) => {
    numbers[0] = row;
    wordOps.setNumber(words, row + 1);
    wordOps.multiply(words, ROW_HIGH, ROW_LOW);
    wordOps.add(words, seedHigh, seedLow);
    wordOps.mix(words);
    keepKey(words);
  };
}

/** The row as one list of writes, with its brackets and commas. */
function framed(plan: RowPlan, { before, behind }: RowBrackets): Write[] {
  const literal = (text: string): Write => ({ op: 'literal', text });
  const values = plan.columns.flatMap((column, index) => [
    literal(index === 0 ? before : ','),
    ...column.writes,
  ]);
  return [...plan.prologue, ...(values.length === 0 ? [literal(before)] : values), literal(behind)];
}

function keepKey(words: Int32Array): void {
  words[KEY_HIGH] = words[HIGH] ?? 0;
  words[KEY_LOW] = words[LOW] ?? 0;
}

function compileWrites(writes: readonly Write[], machine: Machine): Emit {
  const emits = joinLiterals(writes).map((write) => compileWrite(write, machine));
  const [first, second] = emits;
  if (first === undefined) return (_target, at) => at;
  if (second === undefined) return first;
  if (emits.length === 2) return (target, at) => second(target, first(target, at));
  return (target, at) => {
    let end = at;
    for (const emit of emits) end = emit(target, end);
    return end;
  };
}

/** Neighbouring literals become one. */
function joinLiterals(writes: readonly Write[]): Write[] {
  const joined: Write[] = [];
  for (const write of writes) {
    const last = joined.at(-1);
    if (write.op === 'literal' && last?.op === 'literal') {
      joined[joined.length - 1] = { op: 'literal', text: last.text + write.text };
    } else joined.push(write);
  }
  return joined;
}

function compileWrite(write: Write, machine: Machine): Emit {
  const emit = compileEmit(write, machine);
  // Reading the bounds also enters the write's locals into the scope, for the writes after it. `if` and `loop`
  // have entered theirs while their parts were compiled.
  if (write.op === 'set') maxBytesOf([write], machine.scope);
  return emit;
}

function compileEmit(write: Write, machine: Machine): Emit {
  switch (write.op) {
    case 'literal':
      return emitBytes(new TextEncoder().encode(write.text));
    case 'pool':
      return emitPool(write.pool, write.index, machine);
    case 'decimal':
      return emitDecimal(write, machine);
    case 'timestamp':
      return emitDecimal({ value: write.value, scale: 0, signed: false, digits: 1 }, machine);
    case 'hex':
      return emitHex(write.value, write.digits, machine);
    case 'uuid':
      return emitUuid(write.draw, machine);
    case 'base62':
      return emitBase62(write.draw, write.length, machine);
    case 'bits':
      return emitBits(write.draw, write.length, machine);
    case 'set': {
      const set = compileSet(write.local, write.value, machine);
      return (_target, at) => {
        set();
        return at;
      };
    }
    case 'if': {
      const when = compileTruth(write.when, machine);
      const then = compileWrites(write.then, machine);
      const otherwise = compileWrites(write.otherwise, machine);
      return (target, at) => (when() ? then(target, at) : otherwise(target, at));
    }
    case 'loop':
      return emitLoop(write.count, write.separator, write.body, machine);
  }
}

function emitBytes(bytes: Uint8Array): Emit {
  return (target, at) => copyBytes(target, at, bytes, 0, bytes.length);
}

/** Fragments are short: a loop beats the set-up of TypedArray.set up to some dozens of bytes. */
function copyBytes(target: Uint8Array, at: number, source: Uint8Array, from: number, to: number): number {
  if (to - from > 96) {
    target.set(source.subarray(from, to), at);
    return at + to - from;
  }
  let end = at;
  for (let place = from; place < to; place += 1) {
    target[end] = source[place] ?? 0;
    end += 1;
  }
  return end;
}

function emitPool(pool: number, index: Expression, machine: Machine): Emit {
  const { bytes, offsets, pools } = machine.scope.pools;
  const first = pools[pool]?.first ?? 0;
  const entry = compileNarrow(index, machine);
  return (target, at) => {
    const fragment = first + entry();
    return copyBytes(target, at, bytes, offsets[fragment] ?? 0, offsets[fragment + 1] ?? 0);
  };
}

interface DecimalParts {
  readonly value: Expression;
  readonly scale: number;
  readonly signed: boolean;
  readonly digits: number;
}

function emitDecimal({ value, scale, signed, digits }: DecimalParts, machine: Machine): Emit {
  const { words } = machine;
  if (isNarrow(value, machine) && (signed || !mayBeNegative(value, machine))) {
    const narrow = compileNarrow(value, machine);
    if (scale === 0 && !mayBeNegative(value, machine)) {
      return (target, at) => writeWhole(target, at, narrow(), digits);
    }
    return (target, at) => writeDecimal(target, at, narrow(), scale, digits);
  }
  const wide = compileWide(value, machine);
  return (target, at) => {
    wide();
    const bits = wordOps.toBigInt(words);
    return writeLongDecimal(target, at, signed ? BigInt.asIntN(64, bits) : bits, scale, digits);
  };
}

function mayBeNegative(value: Expression, machine: Machine): boolean {
  return intervalOf(value, machine.scope).min < 0n;
}

function emitHex(value: Expression, digits: number, machine: Machine): Emit {
  const { words } = machine;
  const wide = compileWide(value, machine);
  return (target, at) => {
    wide();
    return writeHex(target, at, words, digits);
  };
}

/** The last `digits` (≤ 16) hexadecimal digits of the accumulator. */
function writeHex(target: Uint8Array, at: number, words: Int32Array, digits: number): number {
  for (let place = 0; place < digits; place += 1) {
    const fromLast = digits - 1 - place;
    const half = (fromLast < 8 ? words[LOW] : words[HIGH]) ?? 0;
    target[at + place] = HEX_DIGITS.charCodeAt((half >>> (4 * (fromLast % 8))) & 15);
  }
  return at + digits;
}

function emitUuid(draw: Expression, machine: Machine): Emit {
  const { words } = machine;
  const wide = compileWide(draw, machine);
  return (target, at) => {
    wide();
    const [high, low] = [words[HIGH] ?? 0, words[LOW] ?? 0];
    // RFC 9562: version 4 in the high nibble of the third group, variant 10 in the top bits of the fourth.
    words[LOW] = (low & 0xffff0fff) | 0x4000;
    let end = writeDashedHex(target, at, words, [8, 4, 4]);
    nextBlock(words, high, low, 1);
    words[HIGH] = ((words[HIGH] ?? 0) & 0x3fffffff) | 0x80000000;
    end = writeAscii(target, end, '-');
    return writeDashedHex(target, end, words, [4, 12]);
  };
}

/** All 16 hexadecimal digits of the accumulator in groups. */
function writeDashedHex(
  target: Uint8Array,
  at: number,
  words: Int32Array,
  groups: readonly number[],
): number {
  const digits = new Uint8Array(16);
  writeHex(digits, 0, words, 16);
  let [end, from] = [at, 0];
  for (const length of groups) {
    if (from > 0) end = writeAscii(target, end, '-');
    end = copyBytes(target, end, digits, from, from + length);
    from += length;
  }
  return end;
}

/** accumulator := finish(draw + block · ELEMENT_STEP). */
function nextBlock(words: Int32Array, drawHigh: number, drawLow: number, block: number): void {
  wordOps.setNumber(words, block);
  wordOps.multiply(words, ELEMENT_HIGH, ELEMENT_LOW);
  wordOps.add(words, drawHigh, drawLow);
  wordOps.finish(words);
}

function emitBase62(draw: Expression, length: Expression, machine: Machine): Emit {
  const { words } = machine;
  const wide = compileWide(draw, machine);
  const characters = compileNarrow(length, machine);
  return (target, at) => {
    const end = at + characters();
    wide();
    const [high, low] = [words[HIGH] ?? 0, words[LOW] ?? 0];
    for (let place = at, block = 0; place < end; place += 8, block += 1) {
      nextBlock(words, high, low, block);
      writeBase62(target, place, Math.min(4, end - place), (words[HIGH] ?? 0) >>> 0);
      writeBase62(target, place + 4, Math.min(4, end - place - 4), (words[LOW] ?? 0) >>> 0);
    }
    return end;
  };
}

function writeBase62(target: Uint8Array, at: number, characters: number, half: number): void {
  let rest = half;
  for (let place = 0; place < characters; place += 1) {
    const product = rest * 62;
    target[at + place] = BASE62_DIGITS.charCodeAt(Math.floor(product / 2 ** 32));
    rest = product % 2 ** 32;
  }
}

function emitBits(draw: Expression, length: number, machine: Machine): Emit {
  const { words } = machine;
  const wide = compileWide(draw, machine);
  return (target, at) => {
    wide();
    const [high, low] = [words[HIGH] ?? 0, words[LOW] ?? 0];
    for (let bit = 0; bit < length; bit += 1) {
      if (bit % 64 === 0) nextBlock(words, high, low, bit / 64);
      const half = (bit % 64 < 32 ? words[LOW] : words[HIGH]) ?? 0;
      target[at + bit] = 48 + ((half >>> (bit % 32)) & 1);
    }
    return at + length;
  };
}

function emitLoop(count: Expression, separator: string, body: readonly Write[], machine: Machine): Emit {
  const { words } = machine;
  const times = compileNarrow(count, machine);
  const separatorBytes = new TextEncoder().encode(separator);
  const emitBody = compileWrites(body, machine);
  return (target, at) => {
    const elements = times();
    const [keyHigh, keyLow] = [words[KEY_HIGH] ?? 0, words[KEY_LOW] ?? 0];
    let end = at;
    for (let element = 0; element < elements; element += 1) {
      if (element > 0) end = copyBytes(target, end, separatorBytes, 0, separatorBytes.length);
      nextBlock(words, keyHigh, keyLow, element + 1);
      keepKey(words);
      end = emitBody(target, end);
    }
    words[KEY_HIGH] = keyHigh;
    words[KEY_LOW] = keyLow;
    return end;
  };
}
