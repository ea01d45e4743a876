/**
 * What a row repeats of the row before: neighbouring literals, what stays the same within a tick, and the first
 * digits of a number that advances slowly, all as one match. Where that is not so, the text is written.
 */
import { assert } from '../../base/errors.ts';
import type { Piece } from '../fast/pieces.ts';
import { MATCH_BITS } from './bit-fragments.ts';
import { writeFixedBits } from './bit-numbers.ts';
import type { BitWriter, Distance } from './bit-writer.ts';
import { MAX_MATCH } from './huffman.ts';

/** A number at the end of a run, in an i64 local. */
export interface AdvancingNumber {
  readonly value: number;
  /** So many of its last digits are not looked at. */
  readonly lastDigits: number;
  /** Writes the whole number. */
  write(): void;
}

export interface Run {
  /** Literals, and pieces that only depend on the tick. */
  readonly items: readonly Piece[];
  readonly advancing: AdvancingNumber | null;
  /** How far before it the run of the row before may be. */
  readonly reach: number;
  /** The run begins the row: in the body's first row, at the position in this cell, without so many bytes. */
  readonly begins: { readonly firstRowAt: number; readonly skippedBytes: number } | null;
  /** Writes an item that is no literal. */
  write(item: Piece): void;
}

/** Shorter ones are not worth a match. */
const MIN_RUN = 4;
/** What is written while no row before it is known is at this position, which is far from all others. */
const NOWHERE = 0;

/** Writes a run. */
export function writeRun(writer: BitWriter, run: Run): void {
  const { items, advancing, begins } = run;
  const text = literalOf(items);
  if (text !== null && advancing === null && begins === null) {
    if (text.length < MIN_RUN || writer.code.textBits(text) <= MATCH_BITS) return writer.literal(text);
  }
  new RunEmitter(writer, run).emit();
}

/** The text of items that are all literals. */
function literalOf(items: readonly Piece[]): Uint8Array | null {
  const parts: Uint8Array[] = [];
  for (const item of items) {
    if (item.kind !== 'literal') return null;
    parts.push(item.text);
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

class RunEmitter {
  readonly #writer: BitWriter;
  readonly #run: Run;
  /** Its length, if it is always the same. */
  readonly #text: Uint8Array | null;
  readonly #place: number;
  readonly #distance: Distance;
  /** By how much the number is more than its first digits of the row before with zeros behind them, an i64 local. */
  readonly #within: number;
  /** Where the run of the row before began; the tick, the first digits with zeros behind them, and the length it had. */
  readonly #cells: {
    readonly last: number;
    readonly tick: number;
    readonly start: number;
    readonly length: number;
  };

  constructor(writer: BitWriter, run: Run) {
    const { locals } = writer.values.frame;
    this.#writer = writer;
    this.#run = run;
    this.#text = run.advancing === null ? literalOf(run.items) : null;
    this.#place = locals.add('i32');
    this.#distance = { local: locals.add('i32'), most: run.reach };
    this.#within = locals.add('i64');
    this.#cells = {
      last: writer.cell(4),
      tick: writer.cell(8),
      start: writer.cell(8),
      length: writer.cell(8),
    };
  }

  emit(): void {
    const { out, values } = this.#writer;
    this.#writer.pushPosition();
    out.tee(this.#place).i32(0).memory('i32.load', this.#cells.last).do('i32.sub').set(this.#distance.local);
    out.i32(0).get(this.#place).memory('i32.store', this.#cells.last);
    this.#pushIsRepeated();
    this.#writer.choose(
      () => values.within(() => this.#writeMatch()),
      () => values.within(() => this.#writeText()),
    );
  }

  get #hasTick(): boolean {
    return this.#run.items.some(({ kind }) => kind !== 'literal');
  }

  #pushIsRepeated(): void {
    const { out, values } = this.#writer;
    const { advancing } = this.#run;
    this.#writer.pushIsNear(this.#distance);
    if (this.#hasTick) {
      out.i32(0).memory('i64.load', this.#cells.tick).get(values.frame.tick).do('i64.eq', 'i32.and');
    }
    if (advancing === null) return;
    out.get(advancing.value).i32(0).memory('i64.load', this.#cells.start).do('i64.sub').tee(this.#within);
    out.i64(unitOf(advancing)).do('i64.lt_u', 'i32.and');
  }

  #writeMatch(): void {
    const { out } = this.#writer;
    const { advancing } = this.#run;
    if (this.#text === null) {
      this.#writer.match(this.#distance, this.#writer.maxLengthBits, () => {
        out.i32(0).memory('i64.load', this.#cells.length);
      });
    } else {
      for (const length of cutLength(this.#text.length)) this.#writer.matchOf(this.#distance, length);
    }
    if (advancing !== null) {
      out.get(this.#within);
      writeFixedBits(this.#writer, advancing.lastDigits);
    }
  }

  #writeText(): void {
    const { out, values } = this.#writer;
    const { items, advancing } = this.#run;
    this.#writeBeginning();
    for (const item of this.#run.begins === null ? items : items.slice(1)) {
      if (item.kind === 'literal') this.#writer.literal(item.text);
      else this.#run.write(item);
    }
    advancing?.write();
    this.#writer.settle();
    if (this.#text !== null) return;
    if (this.#hasTick) out.i32(0).get(values.frame.tick).memory('i64.store', this.#cells.tick);
    if (advancing !== null) {
      const unit = unitOf(advancing);
      out.i32(0).get(advancing.value).i64(unit).do('i64.div_u').i64(unit).do('i64.mul');
      out.memory('i64.store', this.#cells.start);
    }
    this.#keepLength();
  }

  /** The first row of a body repeats nothing, and is not what the second one can repeat. */
  #writeBeginning(): void {
    const { begins, items } = this.#run;
    if (begins === null) return;
    const { out } = this.#writer;
    const [first] = items;
    assert(first?.kind === 'literal', 'a row begins with its bracket');
    out.get(this.#place).i32(0).memory('i32.load', begins.firstRowAt).do('i32.eq');
    this.#writer.choose(
      () => {
        this.#writer.literal(first.text.subarray(begins.skippedBytes));
        this.#forget();
      },
      () => this.#writer.literal(first.text),
    );
  }

  #forget(): void {
    this.#writer.out.i32(0).i32(NOWHERE).memory('i32.store', this.#cells.last);
  }

  /** For the match of the next row: what was written, without the digits that may differ. */
  #keepLength(): void {
    const { out, values } = this.#writer;
    const { advancing } = this.#run;
    const length = values.frame.locals.add('i32');
    this.#writer.pushPosition();
    out.get(this.#place).do('i32.sub');
    if (advancing !== null) out.i32(advancing.lastDigits).do('i32.sub');
    // Below MIN_RUN or above MAX_MATCH: no match has such a length.
    out
      .tee(length)
      .i32(MIN_RUN)
      .do('i32.sub')
      .i32(MAX_MATCH - MIN_RUN + 1)
      .do('i32.lt_u');
    if (advancing !== null) out.get(advancing.value).i64(unitOf(advancing)).do('i64.ge_u', 'i32.and');
    out.if();
    out.i32(0).get(length).i32(3).do('i32.shl').memory('i64.load', this.#writer.lengthTable());
    out.memory('i64.store', this.#cells.length);
    out.else();
    this.#forget();
    out.end();
  }
}

function unitOf({ lastDigits }: AdvancingNumber): bigint {
  return 10n ** BigInt(lastDigits);
}

/** A length as lengths of matches. */
function cutLength(length: number): number[] {
  const lengths: number[] = [];
  let rest = length;
  for (; rest > MAX_MATCH; rest -= MAX_MATCH - MIN_RUN) lengths.push(MAX_MATCH - MIN_RUN);
  return [...lengths, rest];
}
