/** What a worker gets to write rows with: a module made for the plan once for all workers, or the plan itself. */
import type { BatchBody } from './batch-body.ts';
import { createBatchBodies } from './batch-body.ts';
import type { DeflateModule } from './deflate-generator.ts';
import { createFastGenerator } from './fast-generator.ts';
import type { RowModule } from './fast-generator.ts';
import type { RowGenerator } from './row-generator.ts';
import type { RowPlan } from './row-plan.ts';

export type RowSource =
  | { readonly kind: 'module'; readonly module: RowModule }
  | { readonly kind: 'deflate'; readonly module: DeflateModule }
  | { readonly kind: 'plan'; readonly plan: RowPlan };

/** Makes the slots that request bodies are written in. */
export interface BodySource {
  /** Proven upper bound of one row's bytes in plain text, without the comma after it. */
  readonly maxRowBytes: number;
  /** What the bodies are written in; null for plain text. */
  readonly encoding: 'deflate' | null;
  /** So many slots for requests of up to `maxRows` rows. */
  createBodies(statement: string, maxRows: number, count: number): BatchBody[];
}

/** Loads what the source needs, and nothing else. */
export async function openRowSource(source: RowSource): Promise<BodySource> {
  switch (source.kind) {
    case 'module':
      return plainBodies(createFastGenerator(source.module));
    case 'deflate': {
      const { createDeflateBodies } = await import('./deflate-generator.ts');
      return {
        maxRowBytes: source.module.maxRowBytes,
        encoding: 'deflate',
        createBodies: (statement, maxRows, count) =>
          createDeflateBodies(source.module, statement, maxRows, count),
      };
    }
    case 'plan': {
      const { createReferenceGenerator } = await import('./reference-generator.ts');
      return plainBodies(createReferenceGenerator(source.plan));
    }
  }
}

function plainBodies(generator: RowGenerator): BodySource {
  return {
    maxRowBytes: generator.maxRowBytes,
    encoding: null,
    createBodies: (statement, maxRows, count) => createBatchBodies(statement, generator, maxRows, count),
  };
}
