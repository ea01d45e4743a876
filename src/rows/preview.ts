/** The first rows of a plan as values, for people who want to see them before anything is sent. */
import { createReferenceGenerator } from './reference-generator.ts';
import type { RowPlan } from './row-plan.ts';

/** Rows `[first, first + count)`, each the values of the inserted columns as parsed JSON. */
export function previewRows(plan: RowPlan, first: number, count: number): unknown[][] {
  const generator = createReferenceGenerator(plan);
  const row = new Uint8Array(generator.maxRowBytes);
  return Array.from({ length: count }, (_, index) => {
    const end = generator.writeRows(row, 0, first + index, 1);
    return parseRow(Buffer.from(row.buffer, 0, end).toString('utf8'));
  });
}

function parseRow(text: string): unknown[] {
  const row: unknown = JSON.parse(text);
  return Array.isArray(row) ? row : [];
}
