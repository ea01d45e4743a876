/**
 * The module that writes a plan's rows column by column: the same loop over rows, with one pointer for each column
 * that lies in the module's memory while another column is written.
 */
import { maxColumnBytesOf, maxRowBytesOf } from '../intervals.ts';
import type { ColumnModule } from './fast-generator.ts';
import type { RowPlan } from '../row-format.ts';
import { MemoryImage } from './memory-image.ts';
import type { Piece } from './pieces.ts';
import { piecesOf } from './pieces.ts';
import { RowEmitter } from './row-emitter.ts';
import type { ModuleShape, PieceWriter } from './row-loop.ts';
import { USUAL_SHAPE, assembleRowModule } from './row-loop.ts';
import { OVERSHOOT_BYTES, POINTER } from './text-writer.ts';
import type { ValueEmitter } from './values.ts';

const POINTER_BYTES = 4;

/** The pieces of a row, and where a column's begin and end: nothing of two columns is written together. */
type ColumnPiece =
  | Piece
  | { readonly kind: 'begin'; readonly column: number }
  | { readonly kind: 'end'; readonly column: number };

/** The module that writes the plan's values, each with a comma behind it, where the pointers of the columns say. */
export function emitColumnModule(plan: RowPlan, shape: ModuleShape = USUAL_SHAPE): ColumnModule {
  const image = new MemoryImage();
  const pointers = image.reserve(plan.columns.length * POINTER_BYTES);
  const bytes = assembleRowModule<ColumnPiece>(plan, image, { shape }, (values) => ({
    pieces: piecesOfColumns(plan, values),
    writer: new ColumnEmitter(values, new RowEmitter(values, image), pointers),
    opens: () => undefined,
    closes: (code) => code.get(POINTER),
  }));
  return {
    bytes,
    chunks: image.chunks,
    memoryEnd: image.end,
    overshootBytes: OVERSHOOT_BYTES,
    maxRowBytes: maxRowBytesOf(plan),
    pointers,
    maxColumnBytes: maxColumnBytesOf(plan),
  };
}

function piecesOfColumns(plan: RowPlan, values: ValueEmitter): ColumnPiece[] {
  return plan.columns.flatMap(({ writes }, column) => [
    { kind: 'begin', column },
    ...piecesOf([...writes, { op: 'literal', text: ',' }], plan.pools, values),
    { kind: 'end', column },
  ]);
}

class ColumnEmitter implements PieceWriter<ColumnPiece> {
  readonly #values: ValueEmitter;
  readonly #text: RowEmitter;
  readonly #pointers: number;

  constructor(values: ValueEmitter, text: RowEmitter, pointers: number) {
    this.#values = values;
    this.#text = text;
    this.#pointers = pointers;
  }

  open(): void {
    this.#text.open();
  }

  close(): void {
    this.#text.close();
  }

  piece(piece: ColumnPiece): void {
    const { code } = this.#values;
    switch (piece.kind) {
      case 'begin':
        code.i32(0).memory('i32.load', this.#addressOf(piece.column)).set(POINTER);
        return;
      case 'end':
        this.#text.close();
        code.i32(0).get(POINTER).memory('i32.store', this.#addressOf(piece.column));
        return;
      default:
        return this.#text.piece(piece);
    }
  }

  #addressOf(column: number): number {
    return this.#pointers + column * POINTER_BYTES;
  }
}
