/** What a worker gets to write rows with: a module made for the plan once for all workers, or the plan itself. */
import type { BatchBody } from './batch-body.ts';
import { createBatchBodies } from './batch-body.ts';
import type { DeflateModule } from './deflate/deflate-generator.ts';
import { createFastColumns, createFastGenerator } from './fast/fast-generator.ts';
import type { ColumnModule, RowModule } from './fast/fast-generator.ts';
import type { InsertForm } from './insert-form.ts';
import { IN_BRACKETS, WITHOUT_BRACKETS } from './row-generator.ts';
import type { ColumnGenerator, RowBrackets, RowGenerator } from './row-generator.ts';
import type { RowPlan } from './row-format.ts';

export type RowSource =
  | { readonly kind: 'module'; readonly module: RowModule }
  | { readonly kind: 'columns'; readonly module: ColumnModule }
  | { readonly kind: 'deflate'; readonly module: DeflateModule }
  | { readonly kind: 'plan'; readonly plan: RowPlan };

/** Makes the slots that the request bodies of one INSERT are written in. */
export interface BodySource {
  /** Proven upper bound of one row's bytes in plain text, without the comma after it. */
  readonly maxRowBytes: number;
  /** What the bodies are written in; null for plain text. */
  readonly encoding: 'deflate' | null;
  /** So many slots for requests of up to `maxRows` rows. */
  createBodies(maxRows: number, count: number): BatchBody[];
}

/** The bodies of one INSERT from its source. Loads what the two need, and nothing else. */
export async function openRowSource(source: RowSource, form: InsertForm): Promise<BodySource> {
  switch (source.kind) {
    case 'module':
      return await rowBodies(form, createFastGenerator(source.module));
    case 'columns':
      return await columnBodies(form, source.module.maxRowBytes, createFastColumns(source.module));
    case 'deflate': {
      const { createDeflateBodies } = await import('./deflate/deflate-generator.ts');
      return {
        maxRowBytes: source.module.maxRowBytes,
        encoding: 'deflate',
        createBodies: (maxRows, count) => createDeflateBodies(source.module, form, maxRows, count),
      };
    }
    case 'plan': {
      const { createReferenceColumns, createReferenceGenerator } =
        await import('./reference/reference-generator.ts');
      const generator = createReferenceGenerator(source.plan, bracketsOf(form));
      if (form.path !== 'unnest') return await rowBodies(form, generator);
      return await columnBodies(form, generator.maxRowBytes, createReferenceColumns(source.plan));
    }
  }
}

/** One statement takes the values of all its rows as one list. */
export function bracketsOf({ path }: Pick<InsertForm, 'path'>): RowBrackets {
  return path === 'values' ? WITHOUT_BRACKETS : IN_BRACKETS;
}

async function rowBodies(form: InsertForm, generator: RowGenerator): Promise<BodySource> {
  const { maxRowBytes } = generator;
  if (form.path === 'pg') {
    const { createBindBodies } = await import('./bind-body.ts');
    return {
      maxRowBytes,
      encoding: null,
      createBodies: (maxRows, count) => createBindBodies(form, generator, maxRows, count),
    };
  }
  return {
    maxRowBytes,
    encoding: null,
    createBodies: (maxRows, count) => createBatchBodies(form, generator, maxRows, count),
  };
}

async function columnBodies(
  form: InsertForm,
  maxRowBytes: number,
  generator: ColumnGenerator,
): Promise<BodySource> {
  const { createColumnBodies } = await import('./column-body.ts');
  return {
    maxRowBytes,
    encoding: null,
    createBodies: (maxRows, count) => createColumnBodies(form, generator, maxRows, count),
  };
}
