/** The module of a row plan: it writes rows as text. Values, digits and fragments have files of their own. */
import { unreachable } from '../../base/errors.ts';
import { maxRowBytesOf } from '../bounds.ts';
import { ELEMENT_STEP } from '../hashing.ts';
import type { Expression, RowPlan, Write } from '../row-format.ts';
import type { RowModule } from '../fast-generator.ts';
import type { RowBrackets } from '../row-generator.ts';
import { IN_BRACKETS } from '../row-generator.ts';
import { writeBase62, writeBits, writeHex, writeUuid } from './characters.ts';
import { writeDecimal, writeFixed, writeWhole } from './digits.ts';
import type { FragmentTable } from './fragments.ts';
import { placeFragments, writeFragment } from './fragments.ts';
import { MemoryImage } from './memory-image.ts';
import type { Piece, PlainWrite } from './pieces.ts';
import { piecesOfRow, pushIndex, textsOf } from './pieces.ts';
import type { ModuleShape, PieceWriter } from './row-loop.ts';
import { USUAL_SHAPE, assembleRowModule } from './row-loop.ts';
import { OVERSHOOT_BYTES, POINTER, TextWriter } from './text-writer.ts';
import type { ValueEmitter } from './values.ts';

/** The module that writes the plan's rows, in brackets or without. */
export function emitRowModule(
  plan: RowPlan,
  shape: ModuleShape = USUAL_SHAPE,
  { before, behind }: RowBrackets = IN_BRACKETS,
): RowModule {
  const image = new MemoryImage();
  const bytes = assembleRowModule(plan, image, { shape }, (values) => ({
    pieces: piecesOfRow(plan, values, { before, behind: `${behind},` }),
    writer: new RowEmitter(values, image),
    opens: () => undefined,
    closes: (code) => code.get(POINTER),
  }));
  return {
    bytes,
    chunks: image.chunks,
    memoryEnd: image.end,
    overshootBytes: OVERSHOOT_BYTES,
    maxRowBytes: maxRowBytesOf(plan),
  };
}

/** Writes pieces as the text that they are. */
export class RowEmitter implements PieceWriter {
  readonly #values: ValueEmitter;
  readonly #image: MemoryImage;
  readonly #tables = new Map<string, FragmentTable>();
  #out: TextWriter;

  constructor(values: ValueEmitter, image: MemoryImage) {
    this.#values = values;
    this.#image = image;
    this.#out = new TextWriter(values, image);
  }

  open(): void {
    this.#out = new TextWriter(this.#values, this.#image);
  }

  close(): void {
    this.#out.settle();
  }

  #pieces(pieces: readonly Piece[]): void {
    for (const piece of pieces) this.piece(piece);
  }

  piece(piece: Piece): void {
    switch (piece.kind) {
      case 'literal':
        return this.#out.literal(piece.text);
      case 'fragment':
        return writeFragment(this.#out, this.#table(textsOf(piece)), () =>
          pushIndex(this.#values, piece.index),
        );
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
export function digitsOf(largest: bigint): number {
  return largest < 0n ? 20 : largest.toString().length;
}
