/**
 * The module of a row plan: a function that writes rows into memory, and one that prepares the records of the
 * entities. The loop over ticks, entities and rows is here; values, digits and texts have rooms of their own.
 */
import { assert, unreachable } from '../../base/errors.ts';
import { maxRowBytesOf } from '../bounds.ts';
import { ELEMENT_STEP, ROW_STEP } from '../hashing.ts';
import type { Expression, Write } from '../row-format.ts';
import type { RowModule } from '../fast-generator.ts';
import type { RowPlan } from '../row-plan.ts';
import { writeBase62, writeBits, writeHex, writeUuid } from './characters.ts';
import { writeDecimal, writeFixed, writeWhole } from './digits.ts';
import type { FragmentTable } from './fragments.ts';
import { placeFragments, writeFragment } from './fragments.ts';
import { MemoryImage } from './memory-image.ts';
import type { FragmentIndex, Piece, PlainWrite } from './pieces.ts';
import { piecesOfRow, textsOf } from './pieces.ts';
import { OVERSHOOT_BYTES, POINTER, TextWriter } from './text-writer.ts';
import type { Frame } from './values.ts';
import { RECORD_BYTES, ValueEmitter } from './values.ts';
import type { ValueType, WasmFunction } from './wasm-assembler.ts';
import { Code, Locals, assembleModule } from './wasm-assembler.ts';

/** When a row is written by several functions: engines compile large ones badly. */
export interface ModuleShape {
  /** Plans with fewer columns are one function. */
  readonly minColumnsInParts: number;
  /** A function with more code than this is left for another one. */
  readonly maxPartBytes: number;
}

export const USUAL_SHAPE: ModuleShape = { minColumnsInParts: 64, maxPartBytes: 24_000 };

/** The module that writes the plan's rows. */
export function emitRowModule(plan: RowPlan, shape: ModuleShape = USUAL_SHAPE): RowModule {
  const image = new MemoryImage();
  const main = newFrame(['i32', 'f64', 'i32']);
  const hasParts = plan.columns.length >= shape.minColumnsInParts;
  const values = new ValueEmitter(plan, image, main, hasParts);
  values.survey([...plan.prologue, ...plan.columns.flatMap(({ writes }) => writes)]);
  const row = new RowEmitter(plan, values, image);
  const { rowCode, parts } = row.emit(main, hasParts ? shape.maxPartBytes : null);
  const prepare = prepareFunction(values);
  const writeRows: WasmFunction = {
    exportName: 'writeRows',
    locals: main.locals,
    results: ['i32'],
    code: loopOverRows(plan, main, values, rowCode),
  };
  const functions = [...parts, writeRows, prepare];
  return {
    bytes: assembleModule(functions),
    chunks: image.chunks,
    memoryEnd: image.end,
    overshootBytes: OVERSHOOT_BYTES,
    maxRowBytes: maxRowBytesOf(plan),
  };
}

function newFrame(parameters: readonly ValueType[]): Frame {
  const locals = new Locals(parameters);
  return {
    locals,
    row: locals.add('i64'),
    key: locals.add('i64'),
    entity: locals.add('i64'),
    tick: locals.add('i64'),
    record: locals.add('i32'),
    scratch: locals.add('i64'),
    code: new Code(),
    known: new Map(),
  };
}

/** The frame of a function that gets the pointer and the row's facts from the loop. */
function newPartFrame(): Frame {
  const locals = new Locals(['i32', 'i64', 'i64', 'i64', 'i64', 'i32']);
  return {
    locals,
    row: 1,
    key: 2,
    entity: 3,
    tick: 4,
    record: 5,
    scratch: locals.add('i64'),
    code: new Code(),
    known: new Map(),
  };
}

/** Counts rows, entities and ticks along, and writes a row for each. */
function loopOverRows(plan: RowPlan, main: Frame, values: ValueEmitter, rowCode: Code): Code {
  const [firstRow, rows] = [1, 2];
  const { locals, row, key, entity, tick, record } = main;
  const [end, state] = [locals.add('i64'), locals.add('i64')];
  const period = BigInt(values.period);
  const code = new Code();
  code.get(firstRow).do('i64.trunc_f64_u').tee(row).get(rows).do('i64.extend_i32_u', 'i64.add').set(end);
  code.get(row).i64(1n).do('i64.add').i64(ROW_STEP).do('i64.mul').i64(plan.seed64).do('i64.add').set(state);
  if (period > 0n) {
    code.get(row).i64(period).do('i64.div_u').set(tick);
    code.get(row).i64(period).do('i64.rem_u').tee(entity).do('i32.wrap_i64');
    code.i32(RECORD_BYTES).do('i32.mul').set(record);
  }
  code.block().loop();
  code.append(values.tickCode);
  code.loop();
  main.code = code;
  code.get(state);
  values.mix();
  code.set(key);
  values.pushRefreshes(code);
  code.append(rowCode);
  code.get(state).i64(ROW_STEP).do('i64.add').set(state);
  code.get(row).i64(1n).do('i64.add').tee(row).get(end).do('i64.ge_u').branchIf(2);
  if (period > 0n) {
    code.get(record).i32(RECORD_BYTES).do('i32.add').set(record);
    code.get(entity).i64(1n).do('i64.add').tee(entity).i64(period).do('i64.ne').branchIf(0).end();
    code.i64(0n).set(entity).i32(0).set(record);
    code.get(tick).i64(1n).do('i64.add').set(tick).branch(0).end();
  } else code.branch(0).end().end();
  return code.end().get(POINTER);
}

/** Writes the record of every entity. */
function prepareFunction(values: ValueEmitter): WasmFunction {
  const frame = newFrame([]);
  const code = new Code();
  const body = new Code();
  frame.code = body;
  values.pushRecord(frame);
  if (body.length > 0) {
    code.loop().append(body);
    code.get(frame.record).i32(RECORD_BYTES).do('i32.add').set(frame.record);
    code.get(frame.entity).i64(1n).do('i64.add').tee(frame.entity);
    code.i64(BigInt(values.period)).do('i64.ne').branchIf(0).end();
  }
  return { exportName: 'prepare', locals: frame.locals, results: [], code };
}

class RowEmitter {
  readonly #plan: RowPlan;
  readonly #values: ValueEmitter;
  readonly #image: MemoryImage;
  readonly #tables = new Map<string, FragmentTable>();
  #out: TextWriter;

  constructor(plan: RowPlan, values: ValueEmitter, image: MemoryImage) {
    this.#plan = plan;
    this.#values = values;
    this.#image = image;
    this.#out = new TextWriter(values, image);
  }

  /** The code of one row in the main frame, and the functions that it calls, if it is to have any. */
  emit(main: Frame, maxPartBytes: number | null): { rowCode: Code; parts: WasmFunction[] } {
    const rowCode = new Code();
    main.code = rowCode;
    this.#sets(this.#plan.prologue);
    const pieces = piecesOfRow(this.#plan, this.#values);
    if (maxPartBytes === null) {
      this.#pieces(pieces);
      this.#out.settle();
      return { rowCode, parts: [] };
    }
    const parts = this.#parts(pieces, maxPartBytes);
    this.#values.enter(main);
    parts.forEach((_, index) => {
      const { row, key, entity, tick, record } = main;
      rowCode.get(POINTER).get(row).get(key).get(entity).get(tick).get(record).call(index).set(POINTER);
    });
    return { rowCode, parts };
  }

  #parts(pieces: readonly Piece[], maxPartBytes: number): WasmFunction[] {
    const functions: WasmFunction[] = [];
    let frame = newPartFrame();
    const close = (): void => {
      this.#out.settle();
      const code = frame.code.get(POINTER);
      functions.push({ exportName: null, locals: frame.locals, results: ['i32'], code });
    };
    this.#values.enter(frame);
    for (const piece of pieces) {
      if (frame.code.length > maxPartBytes) {
        close();
        frame = newPartFrame();
        this.#values.enter(frame);
        this.#out = new TextWriter(this.#values, this.#image);
      }
      this.#piece(piece);
    }
    close();
    return functions;
  }

  #sets(writes: readonly Write[]): void {
    for (const write of writes) {
      assert(write.op === 'set', 'a prologue writes nothing');
      this.#values.set(write.local, write.value);
    }
  }

  #pieces(pieces: readonly Piece[]): void {
    for (const piece of pieces) this.#piece(piece);
  }

  #piece(piece: Piece): void {
    switch (piece.kind) {
      case 'literal':
        return this.#out.literal(piece.text);
      case 'fragment':
        return writeFragment(this.#out, this.#table(textsOf(piece)), () => this.#pushIndex(piece.index));
      case 'write':
        return this.#write(piece.write);
      case 'if':
        return this.#if(piece);
      case 'loop':
        return this.#loop(piece);
      default:
        return unreachable(piece);
    }
  }

  /** Equal tables are one. */
  #table(texts: readonly Uint8Array[]): FragmentTable {
    const key = texts.map((text) => Buffer.from(text).toString('latin1')).join('\n');
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    const table = placeFragments(this.#out, texts);
    this.#tables.set(key, table);
    return table;
  }

  #pushIndex(index: FragmentIndex): void {
    if (index.by === 'truth') return this.#values.pushTruth(index.value);
    const { value, from } = index;
    if (from === 0n) return this.#values.pushI32(value);
    if (value.op === 'add' && value.right.op === 'constant' && value.right.value === from) {
      return this.#values.pushI32(value.left);
    }
    this.#values.push(value);
    this.#values.code.i64(from).do('i64.sub', 'i32.wrap_i64');
  }

  #write(write: PlainWrite): void {
    switch (write.op) {
      case 'decimal':
        return this.#decimal(write);
      case 'timestamp':
        return this.#timestamp(write.value);
      case 'hex':
        return writeHex(this.#out, write.value, write.digits);
      case 'uuid':
        return writeUuid(this.#out, write.draw);
      case 'base62':
        return writeBase62(this.#out, write.draw, write.length);
      case 'bits':
        return writeBits(this.#out, write.draw, write.length);
      case 'set':
        return this.#values.set(write.local, write.value);
      default:
        return unreachable(write);
    }
  }

  #decimal({ value, scale, signed, digits }: Write & { op: 'decimal' }): void {
    const { code } = this.#values;
    const { min, max } = this.#values.intervalOf(value);
    this.#values.push(value);
    if (!signed) return writeDecimal(this.#out, digitsOf(min < 0n ? -1n : max), digits, scale);
    if (min >= 0n && max < 1n << 63n) return writeDecimal(this.#out, digitsOf(max), digits, scale);
    const { locals } = this.#values.frame;
    const [number, sign] = [locals.add('i64'), locals.add('i64')];
    code.tee(number).i64(63n).do('i64.shr_s').set(sign);
    this.#out.pushPointer();
    code.i32(MINUS);
    this.#out.store('i32.store8');
    // sign is 0 or −1: the minus stays if the pointer moves.
    code.i32(0).get(sign).do('i32.wrap_i64', 'i32.sub');
    this.#out.advanceByStack();
    code.get(number).get(sign).do('i64.xor').get(sign).do('i64.sub');
    const isKnown = max < 1n << 63n;
    const most = isKnown ? digitsOf(-min > max ? -min : max) : digitsOf(1n << 63n);
    writeDecimal(this.#out, most, digits, scale);
  }

  /** Milliseconds advance slowly: the digits before the last four are kept from row to row. */
  #timestamp(value: Expression): void {
    const { min, max } = this.#values.intervalOf(value);
    const { code } = this.#values;
    this.#values.push(value);
    if (min < 10n ** 12n || max >= 10n ** 13n) {
      return writeWhole(this.#out, digitsOf(min < 0n ? -1n : max), 1);
    }
    const { locals } = this.#values.frame;
    const [time, within, ninth] = [locals.add('i64'), locals.add('i64'), locals.add('i64')];
    const [start, word, last] = [0, 8, 16];
    const cache = this.#image.reserve(24);
    code
      .tee(time)
      .i32(0)
      .memory('i64.load', cache + start)
      .do('i64.sub')
      .tee(within);
    code.i64(10_000n).do('i64.ge_u').if();
    code.get(time).i64(10_000n).do('i64.div_u').set(ninth);
    code
      .i32(0)
      .get(ninth)
      .i64(10_000n)
      .do('i64.mul')
      .memory('i64.store', cache + start);
    code.get(time).get(ninth).i64(10_000n).do('i64.mul', 'i64.sub').set(within);
    // The first 8 digits go through the same writer, at the cache instead of in the row.
    const aside = new TextWriter(this.#values, this.#image);
    const pointer = locals.add('i32');
    code.get(POINTER).set(pointer).i32(cache).set(POINTER);
    aside.advance(word);
    code.get(ninth).i64(10n).do('i64.div_u');
    writeFixed(aside, 8);
    code.get(pointer).set(POINTER);
    code
      .i32(0)
      .get(ninth)
      .i64(10n)
      .do('i64.rem_u')
      .i64(0x30n)
      .do('i64.or')
      .memory('i64.store', cache + last);
    code.end();
    this.#out.pushPointer();
    code.i32(0).memory('i64.load', cache + word);
    this.#out.store('i64.store');
    this.#out.pushPointer();
    code.i32(0).memory('i64.load8_u', cache + last);
    this.#out.store('i64.store8', 8);
    this.#out.advance(9);
    code.get(within);
    writeFixed(this.#out, 4);
  }

  #if({ when, then, otherwise }: Piece & { kind: 'if' }): void {
    const { code } = this.#values;
    this.#out.settle();
    this.#values.pushTruth(when);
    code.if();
    this.#branch(then);
    code.else();
    this.#branch(otherwise);
    code.end();
  }

  #branch(pieces: readonly Piece[]): void {
    this.#values.within(() => this.#pieces(pieces));
    this.#out.settle();
  }

  #loop({ count, separator, body }: Piece & { kind: 'loop' }): void {
    const values = this.#values;
    const { code, frame } = values;
    const { locals } = frame;
    const [rest, state, key] = [locals.add('i32'), locals.add('i64'), locals.add('i64')];
    this.#out.settle();
    values.pushI32(count);
    code.set(rest).get(frame.key).set(state).block().get(rest).do('i32.eqz').branchIf(0).loop();
    code.get(state).i64(ELEMENT_STEP).do('i64.add').tee(state);
    values.finish();
    code.set(key);
    values.within(() => this.#pieces(body), key);
    this.#out.literal(separator);
    this.#out.settle();
    code.get(rest).i32(1).do('i32.sub').tee(rest).branchIf(0).end();
    code.get(POINTER).i32(separator.length).do('i32.sub').set(POINTER).end();
  }
}

const MINUS = 45;

/** Digits of the largest value; −1 stands for any 64 bits. */
function digitsOf(largest: bigint): number {
  return largest < 0n ? 20 : largest.toString().length;
}
