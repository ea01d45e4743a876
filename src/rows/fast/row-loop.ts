/**
 * The loop over ticks, entities and rows that a module of a row plan has, whatever it writes for a row: what
 * writes the pieces of a row is given.
 */
import { assert } from '../../base/errors.ts';
import { ROW_STEP } from '../hashing.ts';
import type { RowPlan } from '../row-format.ts';
import { RECORD_BYTES } from './entity-records.ts';
import type { Piece } from './pieces.ts';
import { POINTER } from './text-writer.ts';
import type { Frame } from './values.ts';
import { ValueEmitter } from './values.ts';
import type { MemoryImage } from './memory-image.ts';
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

/** Writes code for the pieces of a row, in the frame that the values are in. */
export interface PieceWriter<P = Piece> {
  /** At the start of each function that writes pieces. */
  open(): void;
  piece(piece: P): void;
  /** At its end: the pointer stands behind all that was written. */
  close(): void;
}

/** What a module writes: its pieces, who writes them, and the code before the first row and behind the last. */
export interface RowWriting<P = Piece> {
  readonly pieces: readonly P[];
  readonly writer: PieceWriter<P>;
  opens(code: Code): void;
  closes(code: Code): void;
}

/** Parameters of `writeRows`: the pointer, the first row, the number of rows, and what the module wants besides. */
export const PARAMETERS: readonly ValueType[] = ['i32', 'f64', 'i32'];

/** The bytes of a module that writes rows of the plan. `writing` is asked once the values are known. */
export function assembleRowModule<P = Piece>(
  plan: RowPlan,
  image: MemoryImage,
  { shape, parameters = [] }: { readonly shape: ModuleShape; readonly parameters?: readonly ValueType[] },
  writing: (values: ValueEmitter) => RowWriting<P>,
): Uint8Array<ArrayBuffer> {
  const main = newFrame([...PARAMETERS, ...parameters]);
  const hasParts = plan.columns.length >= shape.minColumnsInParts;
  const values = new ValueEmitter(plan, image, main, hasParts);
  values.survey([...plan.prologue, ...plan.columns.flatMap(({ writes }) => writes)]);
  const row = writing(values);
  const { rowCode, parts } = codeOfRow(plan, { values, main, row }, hasParts ? shape.maxPartBytes : null);
  const code = new Code();
  main.code = code;
  row.opens(code);
  code.append(loopOverRows(plan, main, values, rowCode));
  main.code = code;
  row.closes(code);
  const prepare = prepareFunction(values);
  const writeRows = { exportName: 'writeRows', locals: main.locals, results: ['i32'] as const, code };
  return assembleModule([...parts, writeRows, prepare]);
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

interface RowParts<P> {
  readonly values: ValueEmitter;
  readonly main: Frame;
  readonly row: RowWriting<P>;
}

/** The code of one row in the main frame, and the functions that it calls, if it is to have any. */
function codeOfRow<P>(
  plan: RowPlan,
  { values, main, row }: RowParts<P>,
  maxPartBytes: number | null,
): { rowCode: Code; parts: WasmFunction[] } {
  const rowCode = new Code();
  main.code = rowCode;
  for (const write of plan.prologue) {
    assert(write.op === 'set', 'a prologue writes nothing');
    values.set(write.local, write.value);
  }
  if (maxPartBytes === null) {
    row.writer.open();
    for (const piece of row.pieces) row.writer.piece(piece);
    row.writer.close();
    return { rowCode, parts: [] };
  }
  const parts = partsOf({ values, main, row }, maxPartBytes);
  values.enter(main);
  parts.forEach((_, index) => {
    const { row: number, key, entity, tick, record } = main;
    rowCode.get(POINTER).get(number).get(key).get(entity).get(tick).get(record).call(index).set(POINTER);
  });
  return { rowCode, parts };
}

function partsOf<P>({ values, row }: RowParts<P>, maxPartBytes: number): WasmFunction[] {
  const functions: WasmFunction[] = [];
  let frame = newPartFrame();
  const open = (): void => {
    values.enter(frame);
    row.writer.open();
  };
  const close = (): void => {
    row.writer.close();
    const code = frame.code.get(POINTER);
    functions.push({ exportName: null, locals: frame.locals, results: ['i32'], code });
  };
  open();
  for (const piece of row.pieces) {
    if (frame.code.length > maxPartBytes) {
      close();
      frame = newPartFrame();
      open();
    }
    row.writer.piece(piece);
  }
  close();
  return functions;
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
  return code.end();
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
