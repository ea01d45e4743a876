/** Plans and rows for the tests of rows: one identity unless told otherwise, pools built once per schema. */
import { createHash } from 'node:crypto';
import { createFastGenerator } from '../../src/rows/fast/fast-generator.ts';
import { emitRowModule } from '../../src/rows/fast/row-emitter.ts';
import { type ModuleShape, USUAL_SHAPE } from '../../src/rows/fast/row-loop.ts';
import { buildPools } from '../../src/rows/pools.ts';
import { presetSchema } from '../../src/rows/presets.ts';
import { createReferenceGenerator } from '../../src/rows/reference/reference-generator.ts';
import type { RowGenerator } from '../../src/rows/row-generator.ts';
import type { RowIdentity, RowPlan } from '../../src/rows/row-format.ts';
import { makeRowPlan } from '../../src/rows/row-plan.ts';
import type { Column, TableSchema } from '../../src/rows/schema.ts';

export const IDENTITY: RowIdentity = {
  seed: 1,
  runId: 'golden',
  timeOriginMs: Date.UTC(2026, 0, 1),
};

export function preset(name: string): TableSchema {
  const schema = presetSchema(name);
  if (schema === null) throw new Error(`no preset ${name}`);
  return schema;
}

/** A table of these columns and nothing else. */
export function tableOf(columns: readonly Column[], facts: Partial<TableSchema> = {}): TableSchema {
  return {
    name: 'tested',
    description: 'for a test',
    columns,
    primaryKey: [],
    clusteredBy: null,
    partitionedBy: [],
    checks: [],
    settings: {},
    axis: { entities: 1, stepMs: 1000 },
    ...facts,
  };
}

export async function planOf(schema: TableSchema, identity: Partial<RowIdentity> = {}): Promise<RowPlan> {
  return makeRowPlan(schema, { ...IDENTITY, ...identity }, await buildPools(schema));
}

/** The bytes of rows [first, first + rows), in the room that the generator asks for. */
export function bytesOf(plan: RowPlan, first: number, rows: number): Buffer {
  const generator = createReferenceGenerator(plan);
  const buffer = Buffer.alloc(rows * (generator.maxRowBytes + 1));
  return buffer.subarray(0, generator.writeRows(buffer, 0, first, rows));
}

/** Reads single rows, here and there, with one generator. */
export function readerOf(plan: RowPlan): (row: number) => readonly unknown[] {
  const generator = createReferenceGenerator(plan);
  const buffer = Buffer.alloc(generator.maxRowBytes + 1);
  return (row) => JSON.parse(buffer.toString('utf8', 0, generator.writeRows(buffer, 0, row, 1))) as unknown[];
}

export function rowsOf(plan: RowPlan, first: number, rows: number): readonly (readonly unknown[])[] {
  return JSON.parse(`[${bytesOf(plan, first, rows).toString('utf8')}]`) as unknown[][];
}

/** The values of one column in the first rows. */
export async function valuesOf(
  column: Omit<Column, 'name'>,
  rows: number,
  facts: Partial<TableSchema> = {},
): Promise<readonly unknown[]> {
  const plan = await planOf(tableOf([{ name: 'value', ...column }], facts));
  return rowsOf(plan, 0, rows).map(([value]) => value);
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function fastGeneratorOf(plan: RowPlan, shape: ModuleShape = USUAL_SHAPE): RowGenerator {
  return createFastGenerator(emitRowModule(plan, shape));
}
