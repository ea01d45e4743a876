/** The pieces of a row, a branch or an element as bits, one after the other. */
import { unreachable } from '../../base/errors.ts';
import { ELEMENT_STEP } from '../hashing.ts';
import type { Expression, Write } from '../row-format.ts';
import type { Fragment, Piece, PlainWrite } from '../fast/pieces.ts';
import { pushIndex, textsOf } from '../fast/pieces.ts';
import { digitsOf } from '../fast/row-emitter.ts';
import type { BitFragments } from './bit-fragments.ts';
import { placeBitFragments, writeBitFragment } from './bit-fragments.ts';
import {
  writeBase62Bits,
  writeBitStringBits,
  writeDecimalBits,
  writeHexBits,
  writeUuidBits,
  writeWholeBits,
} from './bit-numbers.ts';
import type { BitWriter } from './bit-writer.ts';
import { placeEchoes, writeEcho } from './echoes.ts';
import { MAX_DISTANCE } from './huffman.ts';
import type { Linker } from './linked-texts.ts';
import { textKey } from './linked-texts.ts';
import { writeRun } from './repeated-run.ts';

/** What is the same for all lists of a module. */
export interface RowFacts {
  /** Of a row, on the average. */
  readonly rowBytes: number;
  /** Of a row, at most. */
  readonly maxRowBytes: number;
  /** The cell with the position of the body's first row, which is written without its first bytes. */
  readonly firstRowAt: number;
  readonly skippedBytes: number;
  readonly link: Linker;
  /** What is placed already, by its texts. */
  readonly fragments: Map<string, BitFragments>;
}

type Decimal = Write & { readonly op: 'decimal' };

/** A fragment that was written, and the i32 local with the position where it began. */
interface WrittenFragment {
  readonly fragment: Fragment;
  readonly began: number;
}

/** The same of a number, and an i32 local with its length. */
interface WrittenNumber {
  readonly write: Decimal;
  readonly began: number;
  readonly length: number;
}

const MINUS = Uint8Array.of(45);
/** A number begins as the row before's for so many rows. */
const STEADY_ROWS = 60;
const MAX_LAST_DIGITS = 6;
/** Numbers with fewer digits are not worth a match. */
const MIN_REPEATED_DIGITS = 6;

/** What a list is of: of each row, at its start or behind it, or of a branch or an element. */
type PlaceInRow = 'start of row' | 'in row' | 'sometimes';

export class PieceList {
  readonly #writer: BitWriter;
  readonly #facts: RowFacts;
  readonly #fragments: WrittenFragment[] = [];
  readonly #numbers: WrittenNumber[] = [];
  #items: Piece[] = [];
  /** Whether the next run is the row's first. */
  #begins: boolean;

  /** How far back the same piece of the row before may be. */
  readonly #reach: number;

  constructor(writer: BitWriter, facts: RowFacts, place: PlaceInRow) {
    this.#writer = writer;
    this.#facts = facts;
    this.#begins = place === 'start of row';
    this.#reach = place === 'sometimes' ? MAX_DISTANCE : Math.min(2 * facts.maxRowBytes, MAX_DISTANCE);
  }

  piece(piece: Piece): void {
    const { values } = this.#writer;
    if (piece.kind === 'write' && piece.write.op === 'set')
      return values.set(piece.write.local, piece.write.value);
    if (piece.kind === 'literal' && piece.text.length === 0) return;
    if (piece.kind === 'literal' || this.#isSteady(piece)) return void this.#items.push(piece);
    const lastDigits = piece.kind === 'write' ? this.#lastDigitsOf(piece.write) : null;
    if (piece.kind === 'write' && lastDigits !== null) return this.#advancing(piece.write, lastDigits);
    this.end();
    this.#write(piece);
  }

  /** Writes what waits for more. */
  end(): void {
    this.#run(null);
  }

  #run(advancing: Parameters<typeof writeRun>[1]['advancing']): void {
    const items = this.#items;
    if (items.length === 0 && advancing === null) return;
    const begins = this.#begins ? this.#facts : null;
    this.#items = [];
    this.#begins = false;
    // What is written only where the row before does not help is not there for what follows.
    const write = (item: Piece): void => new PieceList(this.#writer, this.#facts, 'sometimes').#write(item);
    writeRun(this.#writer, { items, advancing, begins, write, reach: this.#reach });
  }

  /** Whether a piece is the same for all rows of a tick. */
  #isSteady(piece: Piece): boolean {
    const { values } = this.#writer;
    if (piece.kind === 'fragment') return values.isSteady(piece.index.value);
    if (piece.kind !== 'write') return false;
    const { write } = piece;
    switch (write.op) {
      case 'decimal':
      case 'timestamp':
      case 'hex':
        return values.isSteady(write.value);
      default:
        return false;
    }
  }

  /** How many last digits of a slowly advancing number are left out of the match; null if it is none. */
  #lastDigitsOf(write: PlainWrite): number | null {
    if (write.op !== 'timestamp' && (write.op !== 'decimal' || write.scale > 0 || write.digits > 1))
      return null;
    const { min, max } = this.#writer.values.intervalOf(write.value);
    if (min < 0n || max >= 1n << 63n) return null;
    const advance = this.#writer.values.advanceOf(write.value);
    if (advance === null || advance.step <= 0) return null;
    const digits = Math.max(2, Math.ceil(Math.log10(STEADY_ROWS * advance.step + 2 * advance.jitter)));
    return digits <= MAX_LAST_DIGITS ? digits : null;
  }

  #advancing(write: PlainWrite, lastDigits: number): void {
    if (write.op !== 'timestamp' && write.op !== 'decimal') return;
    const { values, out } = this.#writer;
    const value = values.frame.locals.add('i64');
    const digits = digitsOf(values.intervalOf(write.value).max);
    values.push(write.value);
    out.set(value);
    const writeAll = (): void => {
      out.get(value);
      writeWholeBits(this.#writer, digits, 1);
    };
    this.#run({ value, lastDigits, write: writeAll });
  }

  #write(piece: Piece): void {
    switch (piece.kind) {
      case 'literal':
        return this.#writer.literal(piece.text);
      case 'fragment':
        return this.#fragment(piece);
      case 'write':
        return this.#plain(piece.write);
      case 'if':
        return this.#if(piece);
      case 'loop':
        return this.#loop(piece);
      default:
        return unreachable(piece);
    }
  }

  /** Whether a match reaches all that a row has already. */
  get #isRowInReach(): boolean {
    return this.#facts.maxRowBytes <= MAX_DISTANCE;
  }

  // --- texts -----------------------------------------------------------------------------------------------

  #fragment(fragment: Fragment): void {
    const writer = this.#writer;
    const { values, out } = writer;
    const texts = textsOf(fragment);
    const index = values.frame.locals.add('i32');
    const earlier = this.#fragments.find(({ fragment: { index: of } }) => isSameIndex(of, fragment, writer));
    if (earlier !== undefined && this.#isRowInReach) {
      const echoes = placeEchoes(writer, textsOf(earlier.fragment), texts);
      if (echoes !== null) {
        pushIndex(values, fragment.index);
        out.set(index);
        return writeEcho(writer, echoes, { index, began: earlier.began, most: this.#facts.maxRowBytes });
      }
    }
    const began = values.frame.locals.add('i32');
    writer.pushPosition();
    out.set(began);
    if (earlier === undefined) this.#fragments.push({ fragment, began });
    writeBitFragment(writer, this.#placed(texts, fragment), () => pushIndex(values, fragment.index));
  }

  /** Equal ones are one: what stands in the row twice is found by both. */
  #placed(texts: readonly Uint8Array[], { index }: Fragment): BitFragments {
    const isInOrder = index.by === 'value' && index.from === 0n && this.#writer.values.isEntity(index.value);
    const key = `${isInOrder} ${texts.map(textKey).join('\n')}`;
    const known = this.#facts.fragments.get(key);
    if (known !== undefined) return known;
    const { rowBytes, link } = this.#facts;
    const placed = placeBitFragments(this.#writer, texts, { isInOrder, rowBytes, link });
    this.#facts.fragments.set(key, placed);
    return placed;
  }

  #plain(write: PlainWrite): void {
    switch (write.op) {
      case 'decimal':
        return this.#decimal(write);
      case 'timestamp':
        this.#writer.values.push(write.value);
        return writeWholeBits(this.#writer, this.#mostDigits(write.value), 1);
      case 'hex':
        return writeHexBits(this.#writer, write.value, write.digits);
      case 'uuid':
        return writeUuidBits(this.#writer, write.draw);
      case 'base62':
        return writeBase62Bits(this.#writer, write.draw, write.length);
      case 'bits':
        return writeBitStringBits(this.#writer, write.draw, write.length);
      case 'set':
        return this.#writer.values.set(write.local, write.value);
      default:
        return unreachable(write);
    }
  }

  // --- numbers ---------------------------------------------------------------------------------------------

  #mostDigits(value: Expression): number {
    const { min, max } = this.#writer.values.intervalOf(value);
    return digitsOf(min < 0n ? -1n : max);
  }

  /** A number that the row has already is a match with where it stands. */
  #decimal(write: Decimal): void {
    const writer = this.#writer;
    const { values, out } = writer;
    const same = this.#numbers.find((number) => this.#isSameNumber(number.write, write));
    if (same !== undefined) {
      const distance = { local: values.frame.locals.add('i32'), most: this.#facts.maxRowBytes };
      writer.pushPosition();
      out.get(same.began).do('i32.sub').set(distance.local);
      return writer.match(distance, writer.maxLengthBits, () => {
        out.get(same.length).i32(3).do('i32.shl').memory('i64.load', writer.lengthTable());
      });
    }
    if (!this.#isWorthRepeating(write)) return this.#digits(write);
    const [began, length] = [values.frame.locals.add('i32'), values.frame.locals.add('i32')];
    writer.pushPosition();
    out.set(began);
    this.#digits(write);
    writer.pushPosition();
    out.get(began).do('i32.sub').set(length);
    this.#numbers.push({ write, began, length });
  }

  #isSameNumber(left: Decimal, right: Decimal): boolean {
    return (
      left.scale === right.scale &&
      left.digits === right.digits &&
      left.signed === right.signed &&
      this.#writer.values.isSame(left.value, right.value)
    );
  }

  /** Long enough for a match even at its shortest, and never out of its reach within the row. */
  #isWorthRepeating({ value, scale, digits }: Decimal): boolean {
    if (!this.#isRowInReach) return false;
    if (Math.max(digits, scale) < 3) return false;
    const { min, max } = this.#writer.values.intervalOf(value);
    return digitsOf(max > -min ? max : -min) >= MIN_REPEATED_DIGITS;
  }

  #digits({ value, scale, signed, digits }: Decimal): void {
    const writer = this.#writer;
    const { values, out } = writer;
    const { min, max } = values.intervalOf(value);
    values.push(value);
    if (!signed) return writeDecimalBits(writer, digitsOf(min < 0n ? -1n : max), digits, scale);
    if (min >= 0n && max < 1n << 63n) return writeDecimalBits(writer, digitsOf(max), digits, scale);
    const { locals } = values.frame;
    const [number, sign] = [locals.add('i64'), locals.add('i64')];
    out.tee(number).i64(63n).do('i64.shr_s').set(sign);
    // sign is 0 or −1: the entry of the minus, or nothing.
    out
      .i64(writer.textEntries(MINUS)[0] ?? 0n)
      .get(sign)
      .do('i64.and');
    writer.entry(writer.code.textBits(MINUS));
    out.get(number).get(sign).do('i64.xor').get(sign).do('i64.sub');
    const isKnown = max < 1n << 63n;
    const most = isKnown ? digitsOf(-min > max ? -min : max) : digitsOf(1n << 63n);
    writeDecimalBits(writer, most, digits, scale);
  }

  // --- branches and elements -------------------------------------------------------------------------------

  #if({ when, then, otherwise }: Piece & { kind: 'if' }): void {
    const { values } = this.#writer;
    values.pushTruth(when);
    this.#writer.choose(
      () => values.within(() => this.#inner(then)),
      () => values.within(() => this.#inner(otherwise)),
    );
  }

  #inner(pieces: readonly Piece[]): void {
    const list = new PieceList(this.#writer, this.#facts, 'sometimes');
    for (const piece of pieces) list.piece(piece);
    list.end();
  }

  #loop({ count, separator, body }: Piece & { kind: 'loop' }): void {
    const { values, out } = this.#writer;
    const { frame } = values;
    const { locals } = frame;
    const [rest, state, key] = [locals.add('i32'), locals.add('i64'), locals.add('i64')];
    this.#writer.settle();
    values.pushI32(count);
    out.set(rest).get(frame.key).set(state).block().get(rest).do('i32.eqz').branchIf(0).loop();
    out.get(state).i64(ELEMENT_STEP).do('i64.add').tee(state);
    values.finish();
    out.set(key);
    values.within(() => this.#inner(body), key);
    this.#writer.settle();
    out.get(rest).i32(1).do('i32.sub').tee(rest).do('i32.eqz').branchIf(1);
    this.#writer.literal(separator);
    this.#writer.settle();
    out.branch(0).end().end();
  }
}

function isSameIndex(left: Fragment['index'], { index: right }: Fragment, { values }: BitWriter): boolean {
  if (left.by !== 'value' || right.by !== 'value' || left.from !== right.from) return false;
  return values.isSame(left.value, right.value);
}
