/** The module of a row plan: it writes rows as text. Values, digits and fragments have files of their own. */
import { unreachable } from '../../base/errors.ts';
import { maxBytesOf, maxRowBytesOf } from '../intervals.ts';
import { ELEMENT_STEP } from '../hashing.ts';
import type { RowPlan } from '../row-format.ts';
import type { RowModule } from './fast-generator.ts';
import type { RowBrackets } from '../row-generator.ts';
import { IN_BRACKETS } from '../row-generator.ts';
import { writeBase62, writeBits, writeHex, writeUuid } from './characters.ts';
import { writeDecimal, writeWhole } from './digits.ts';
import type { FragmentTable } from './fragments.ts';
import { placeFragments, writeFragment } from './fragments.ts';
import { writeAdvancing, writeSteady } from './kept-text.ts';
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
      case 'timestamp':
        return this.#number(write);
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

  #number(write: NumberWrite): void {
    const values = this.#values;
    const { min, max } = values.intervalOf(write.value);
    if (values.isSteady(write.value)) {
      const mostBytes = maxBytesOf([write], values.scope);
      writeSteady(this.#out, mostBytes, (aside) => this.#digits(aside, write));
    } else if (this.#isAdvancing(write)) {
      values.push(write.value);
      writeAdvancing(this.#out, min, digitsOf(max));
    } else this.#digits(this.#out, write);
  }

  /** Whether most rows have all but the last digits of the row before. */
  #isAdvancing(write: NumberWrite): boolean {
    if (write.op === 'decimal' && (write.scale > 0 || write.digits > 1)) return false;
    const { min, max } = this.#values.intervalOf(write.value);
    if (min < 0n || max < MIN_ADVANCING || max >= 1n << 63n) return false;
    const advance = this.#values.advanceOf(write.value);
    return advance !== null && advance.step > 0 && advance.step + 2 * advance.jitter <= MAX_ADVANCE;
  }

  #digits(out: TextWriter, write: NumberWrite): void {
    const { code } = this.#values;
    const { min, max } = this.#values.intervalOf(write.value);
    this.#values.push(write.value);
    if (write.op === 'timestamp') return writeWhole(out, digitsOf(min < 0n ? -1n : max), 1);
    const { signed, digits, scale } = write;
    if (!signed) return writeDecimal(out, digitsOf(min < 0n ? -1n : max), digits, scale);
    if (min >= 0n && max < 1n << 63n) return writeDecimal(out, digitsOf(max), digits, scale);
    const { locals } = this.#values.frame;
    const [number, sign] = [locals.add('i64'), locals.add('i64')];
    code.tee(number).i64(63n).do('i64.shr_s').set(sign);
    out.pushPointer();
    code.i32(MINUS);
    out.store('i32.store8');
    // sign is 0 or −1: the minus stays if the pointer moves.
    code.i32(0).get(sign).do('i32.wrap_i64', 'i32.sub');
    out.advanceByStack();
    code.get(number).get(sign).do('i64.xor').get(sign).do('i64.sub');
    const isKnown = max < 1n << 63n;
    const most = isKnown ? digitsOf(-min > max ? -min : max) : digitsOf(1n << 63n);
    writeDecimal(out, most, digits, scale);
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

type NumberWrite = PlainWrite & { readonly op: 'decimal' | 'timestamp' };

const MINUS = 45;
/** Shorter numbers are written as soon as copied. */
const MIN_ADVANCING = 10n ** 8n;
/** How much a number may grow a row: of 10,000, since all but four digits are kept. */
const MAX_ADVANCE = 1000;

/** Digits of the largest value; −1 stands for any 64 bits. */
export function digitsOf(largest: bigint): number {
  return largest < 0n ? 20 : largest.toString().length;
}
