/** Which generator writes a plan's rows: both write the same bytes. */
import { createFastGenerator } from './fast-generator.ts';
import { createReferenceGenerator } from './reference-generator.ts';
import type { RowGenerator } from './row-generator.ts';
import type { RowPlan } from './row-plan.ts';

/** `fast` needs what `canGenerateFast()` asks for. */
export function createGenerator(choice: 'fast' | 'reference', plan: RowPlan): RowGenerator {
  return choice === 'fast' ? createFastGenerator(plan) : createReferenceGenerator(plan);
}
