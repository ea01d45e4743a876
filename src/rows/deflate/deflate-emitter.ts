/**
 * The module that writes rows as DEFLATE codes: no search for repeats, since the plan says what a row repeats of
 * the rows before. What all rows share is a match with the row before, a ready text is one with where it stood
 * last, the rest are codes from tables. One block with a code of its own, made for the plan from a sample.
 */
import { maxRowBytesOf } from '../intervals.ts';
import type { DeflateModule } from './deflate-generator.ts';
import { MemoryImage } from '../fast/memory-image.ts';
import type { Piece } from '../fast/pieces.ts';
import { piecesOfRow } from '../fast/pieces.ts';
import type { ModuleShape, PieceWriter } from '../fast/row-loop.ts';
import { PARAMETERS, assembleRowModule } from '../fast/row-loop.ts';
import { OVERSHOOT_BYTES, POINTER } from '../fast/text-writer.ts';
import type { Frame } from '../fast/values.ts';
import type { Code } from '../fast/wasm-assembler.ts';
import type { RowPlan } from '../row-format.ts';
import type { Accumulator } from './bit-writer.ts';
import { BitWriter } from './bit-writer.ts';
import type { DeflateCode } from './huffman.ts';
import type { Linker } from './linked-texts.ts';
import type { RowFacts } from './piece-list.ts';
import { PieceList } from './piece-list.ts';

/** The row's first bracket behind the row before; the first row of a body has it without the first two bytes. */
const BRACKETS = { before: '],[', behind: '' };
const BETWEEN_BYTES = 2;
/** Behind the last row. */
const TAIL = new TextEncoder().encode(']]}');

/** Where the module's parameters are: the position in the text, and the bits that the head leaves over. */
const POSITION = PARAMETERS.length;
const HEAD_BITS = POSITION + 1;
const HEAD_BIT_COUNT = POSITION + 2;

/** What a module is made with. */
export interface DeflateParts {
  readonly code: DeflateCode;
  readonly link: Linker;
  readonly shape: ModuleShape;
}

/** The module that writes the plan's rows with this code. */
export function emitDeflateModule(plan: RowPlan, { code, link, shape }: DeflateParts): DeflateModule {
  const image = new MemoryImage();
  const maxRowBytes = maxRowBytesOf(plan);
  const bytes = assembleRowModule(plan, image, { shape, parameters: ['i32', 'i32', 'i32'] }, (values) => {
    const main = values.frame;
    const accumulator = { bits: main.locals.add('i64'), state: main.locals.add('i64') };
    const writer = new BitWriter(values, image, code);
    const row = new DeflateEmitter(plan, writer, { main, accumulator, link });
    return {
      pieces: piecesOfRow(plan, values, BRACKETS),
      writer: row,
      opens: (to) => row.begin(to),
      closes: (to) => row.end(to),
    };
  });
  return {
    bytes,
    chunks: image.chunks,
    memoryEnd: image.end,
    overshootBytes: OVERSHOOT_BYTES,
    maxRowBytes,
    header: code.header,
    literals: Array.from({ length: 256 }, (_, byte) => code.literal(byte)),
  };
}

/** The frame of the loop over rows, with the accumulator in two of its locals. */
interface Main {
  readonly main: Frame;
  readonly accumulator: Accumulator;
  readonly link: Linker;
}

/** What a row takes of its bound, about. */
const USUAL_SHARE = 0.85;

class DeflateEmitter implements PieceWriter {
  readonly #writer: BitWriter;
  readonly #main: Main;
  readonly #facts: RowFacts;
  /** Where the accumulator is between the functions of a module that has several. */
  readonly #cells: { readonly bits: number; readonly state: number };
  #list: PieceList;
  /** Only the first list of a row with anything in it begins it. */
  #begins = true;
  #accumulator: Accumulator;

  constructor(plan: RowPlan, writer: BitWriter, main: Main) {
    this.#writer = writer;
    this.#main = main;
    this.#accumulator = main.accumulator;
    this.#cells = { bits: writer.cell(8), state: writer.cell(8) };
    const maxRowBytes = maxRowBytesOf(plan);
    this.#facts = {
      rowBytes: maxRowBytes * USUAL_SHARE,
      maxRowBytes,
      firstRowAt: writer.cell(4),
      skippedBytes: BETWEEN_BYTES,
      link: main.link,
      fragments: new Map(),
    };
    this.#list = new PieceList(writer, this.#facts, 'start of row');
  }

  /** Before the first row: the head's last bits are held. */
  begin(code: Code): void {
    const { bits, state } = this.#main.accumulator;
    code.get(HEAD_BITS).do('i64.extend_i32_u').set(bits);
    code.get(POSITION).do('i64.extend_i32_u').i64(8n).do('i64.shl');
    code.get(HEAD_BIT_COUNT).do('i64.extend_i32_u', 'i64.or').set(state);
    code.i32(0).get(POSITION).memory('i32.store', this.#facts.firstRowAt);
    this.#keep(code, this.#main.accumulator);
  }

  /** Behind the last row: the tail, the end of the block and the last byte. */
  end(code: Code): void {
    if (this.#accumulator !== this.#main.accumulator) this.#fetch(code, this.#main.accumulator);
    const { bits, state } = this.#main.accumulator;
    this.#writer.enter(this.#main.accumulator);
    this.#writer.literal(TAIL);
    this.#writer.endOfBlock();
    this.#writer.settle();
    code.get(POINTER).get(bits).memory('i64.store8');
    code.get(POINTER).get(state).i64(0xffn).do('i64.and').i64(0n).do('i64.ne', 'i32.add');
  }

  open(): void {
    const { frame } = this.#writer.values;
    if (frame === this.#main.main) this.#accumulator = this.#main.accumulator;
    else {
      this.#accumulator = { bits: frame.locals.add('i64'), state: frame.locals.add('i64') };
      this.#fetch(frame.code, this.#accumulator);
    }
    this.#writer.enter(this.#accumulator);
    this.#list = new PieceList(this.#writer, this.#facts, this.#begins ? 'start of row' : 'in row');
  }

  piece(piece: Piece): void {
    this.#begins = false;
    this.#list.piece(piece);
  }

  close(): void {
    this.#list.end();
    this.#writer.settle();
    if (this.#accumulator !== this.#main.accumulator) this.#keep(this.#writer.values.code, this.#accumulator);
  }

  #keep(code: Code, { bits, state }: Accumulator): void {
    code.i32(0).get(bits).memory('i64.store', this.#cells.bits);
    code.i32(0).get(state).memory('i64.store', this.#cells.state);
  }

  #fetch(code: Code, { bits, state }: Accumulator): void {
    code.i32(0).memory('i64.load', this.#cells.bits).set(bits);
    code.i32(0).memory('i64.load', this.#cells.state).set(state);
  }
}
