/** What a worker gets to write rows with: a module made for the plan once for all workers, or the plan itself. */
import { createFastGenerator } from './fast-generator.ts';
import type { RowModule } from './fast-generator.ts';
import type { RowGenerator } from './row-generator.ts';
import type { RowPlan } from './row-plan.ts';

export type RowSource =
  { readonly kind: 'module'; readonly module: RowModule } | { readonly kind: 'plan'; readonly plan: RowPlan };

/** The generator of a source: the fast one of a module, the reference of a plan. */
export async function openRowSource(source: RowSource): Promise<RowGenerator> {
  if (source.kind === 'module') return createFastGenerator(source.module);
  // Workers that do not need the reference generator do not load it.
  const { createReferenceGenerator } = await import('./reference-generator.ts');
  return createReferenceGenerator(source.plan);
}
