/**
 * One sample of making bodies, in a process of its own, nothing sent: rows per CPU second of a preset or of one
 * kind of column, by crategen or in plain JavaScript, or how soon crategen's first body is there. Prints one line of
 * JSON; `node test/bench/generator-sample.ts '{"task":…}'` runs (and profiles) a single one by hand.
 */
import { argv } from 'node:process';
import { createBatchBodies } from '../../src/rows/batch-body.ts';
import { bulkForm } from '../../src/rows/insert-form.ts';
import { insertStatement } from '../../src/rows/ddl.ts';
import { type RowModule, createFastGenerator } from '../../src/rows/fast/fast-generator.ts';
import { emitRowModule } from '../../src/rows/fast/row-emitter.ts';
import { buildPools } from '../../src/rows/pools.ts';
import { type PresetName, presetSchema } from '../../src/rows/presets.ts';
import { makeRowPlan } from '../../src/rows/row-plan.ts';
import type { TableSchema } from '../../src/rows/schema.ts';
import { COLUMN_KINDS, plainRowsOfKind, schemaOfKind } from './column-kinds.ts';
import type { PlainPreset } from './plain-rows.ts';

export interface PresetTask {
  readonly task: 'preset';
  readonly preset: PlainPreset;
  /**
   * crategen's generator; rows made as objects and turned into JSON batch by batch; batches made beforehand and
   * turned into JSON; rows of `records` with faker called for each field, turned into JSON.
   */
  readonly maker: 'fast' | 'plain' | 'stringify' | 'faker';
}

export interface ColumnTask {
  readonly task: 'column';
  /** A name of COLUMN_KINDS. */
  readonly kind: string;
  readonly maker: 'fast' | 'plain';
}

export interface StartTask {
  readonly task: 'start';
  readonly preset: PresetName;
}

export interface RateSample {
  readonly rowsPerCpuSecond: number;
}

export interface StartSample {
  /** From the emitted module to the first body, on the clock. */
  readonly firstBatchMs: number;
  /** Rates of the first CPU second, which begins with the emitted module, and of the seconds after it. */
  readonly firstRowsPerCpuSecond: number;
  readonly laterRowsPerCpuSecond: number;
}

/** Makes the body of the batch that begins with a row; returns its length. */
type MakeBatch = (firstRow: number) => number;

const BATCH_ROWS = 1000;
/** As many as a worker has in flight: they fill no cache. */
const SLOTS = 20;
/** Reading the CPU time costs as much as some hundred rows. */
const READING_INTERVAL_MS = 5;
/** Long enough for the engine to have compiled what is hot. */
const PRESET_SECONDS = { warmUp: 0.4, measured: 0.6 } as const;
const COLUMN_SECONDS = { warmUp: 0.1, measured: 0.15 } as const;
const LATER_SECONDS = 2;

async function moduleOf(schema: TableSchema): Promise<RowModule> {
  const identity = { seed: 1, runId: 'benchmark', timeOriginMs: Date.UTC(2026, 0, 1) };
  return emitRowModule(makeRowPlan(schema, identity, await buildPools(schema)));
}

function statementOf(schema: TableSchema): string {
  const conflictColumns = schema.primaryKey.length === 0 ? null : schema.primaryKey;
  return insertStatement(schema, { schema: 'crategen', table: schema.name }, { conflictColumns });
}

function schemaOfPreset(preset: PresetName): TableSchema {
  const schema = presetSchema(preset);
  if (schema === null) throw new RangeError(`no preset ${preset}`);
  return schema;
}

function openFast(module: RowModule, statement: string): MakeBatch {
  const bodies = createBatchBodies(bulkForm(statement), createFastGenerator(module), BATCH_ROWS, SLOTS);
  return (firstRow) => {
    const body = bodies[(firstRow / BATCH_ROWS) % SLOTS];
    if (body === undefined) throw new RangeError(`no slot for row ${firstRow}`);
    return body.write(firstRow, BATCH_ROWS).length;
  };
}

interface PlainBatch {
  readonly stmt: string;
  readonly bulk_args: readonly (readonly unknown[])[];
}

type RowOf = (seq: number) => readonly unknown[];

function plainBatch(statement: string, rowOf: RowOf, firstRow: number): PlainBatch {
  const rows: (readonly unknown[])[] = [];
  for (let seq = firstRow; seq < firstRow + BATCH_ROWS; seq += 1) rows.push(rowOf(seq));
  return { stmt: statement, bulk_args: rows };
}

function openPlain(statement: string, rowOf: RowOf): MakeBatch {
  return (firstRow) => JSON.stringify(plainBatch(statement, rowOf, firstRow)).length;
}

/** Turns batches into JSON that are there already. */
function openStringify(statement: string, rowOf: RowOf): MakeBatch {
  const batches = Array.from({ length: SLOTS }, (_, batch) =>
    plainBatch(statement, rowOf, batch * BATCH_ROWS),
  );
  return (firstRow) => JSON.stringify(batches[(firstRow / BATCH_ROWS) % SLOTS]).length;
}

async function openPreset({ preset, maker }: PresetTask): Promise<MakeBatch> {
  const schema = schemaOfPreset(preset);
  const statement = statementOf(schema);
  switch (maker) {
    case 'fast':
      return openFast(await moduleOf(schema), statement);
    case 'plain':
      return openPlain(statement, (await import('./plain-rows.ts')).plainRows(preset));
    case 'stringify':
      return openStringify(statement, (await import('./plain-rows.ts')).plainRows(preset));
    case 'faker':
      if (preset !== 'records') throw new RangeError(`no rows of ${preset} with faker`);
      return openPlain(statement, (await import('./faker-rows.ts')).fakerRecords());
  }
}

async function openColumn({ kind, maker }: ColumnTask): Promise<MakeBatch> {
  const found = COLUMN_KINDS.find(({ name }) => name === kind);
  if (found === undefined) throw new RangeError(`no kind of column ${kind}`);
  const schema = schemaOfKind(found);
  const statement = statementOf(schema);
  return maker === 'fast'
    ? openFast(await moduleOf(schema), statement)
    : openPlain(statement, plainRowsOfKind(found));
}

/** CPU seconds of the whole process so far, all its threads. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

interface Stretch {
  readonly endRow: number;
  readonly endSeconds: number;
}

/** Makes batches from `firstRow` on until the process has used `untilSeconds` of CPU. */
function makeUntil(makeBatch: MakeBatch, firstRow: number, untilSeconds: number): Stretch {
  let [row, seconds] = [firstRow, cpuSeconds()];
  while (seconds < untilSeconds) {
    const readingMs = performance.now() + READING_INTERVAL_MS;
    do {
      if (makeBatch(row) === 0) throw new Error('an empty body');
      row += BATCH_ROWS;
    } while (performance.now() < readingMs);
    seconds = cpuSeconds();
  }
  return { endRow: row, endSeconds: seconds };
}

function rateOf(
  makeBatch: MakeBatch,
  { warmUp, measured }: { warmUp: number; measured: number },
): RateSample {
  const warm = makeUntil(makeBatch, 0, cpuSeconds() + warmUp);
  const end = makeUntil(makeBatch, warm.endRow, warm.endSeconds + measured);
  return { rowsPerCpuSecond: (end.endRow - warm.endRow) / (end.endSeconds - warm.endSeconds) };
}

async function start({ preset }: StartTask): Promise<StartSample> {
  const schema = schemaOfPreset(preset);
  const [module, statement] = [await moduleOf(schema), statementOf(schema)];
  const [startedMs, startSeconds] = [performance.now(), cpuSeconds()];
  const makeBatch = openFast(module, statement);
  makeBatch(0);
  const firstBatchMs = performance.now() - startedMs;
  const first = makeUntil(makeBatch, BATCH_ROWS, startSeconds + 1);
  const later = makeUntil(makeBatch, first.endRow, first.endSeconds + LATER_SECONDS);
  return {
    firstBatchMs,
    firstRowsPerCpuSecond: first.endRow / (first.endSeconds - startSeconds),
    laterRowsPerCpuSecond: (later.endRow - first.endRow) / (later.endSeconds - first.endSeconds),
  };
}

async function run(task: PresetTask | ColumnTask | StartTask): Promise<RateSample | StartSample> {
  switch (task.task) {
    case 'preset':
      return rateOf(await openPreset(task), PRESET_SECONDS);
    case 'column':
      return rateOf(await openColumn(task), COLUMN_SECONDS);
    case 'start':
      return start(task);
  }
}

// The only caller is generator-figures.ts, of the same build: its line is the type it is sent as.
const sample = await run(JSON.parse(argv[2] ?? '') as PresetTask | ColumnTask | StartTask);
process.stdout.write(`${JSON.stringify(sample)}\n`);
