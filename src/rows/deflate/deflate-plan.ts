/** From a row plan to its module: the code is made from what a first module, with a code for any text, writes. */
import type { DeflateModule } from './deflate-generator.ts';
import { createDeflateBodies } from './deflate-generator.ts';
import type { ModuleShape } from '../fast/row-loop.ts';
import { USUAL_SHAPE } from '../fast/row-loop.ts';
import { bulkForm } from '../insert-form.ts';
import type { RowPlan } from '../row-format.ts';
import { emitDeflateModule } from './deflate-emitter.ts';
import type { SymbolCounts } from './huffman.ts';
import { createLinker } from './linked-texts.ts';
import { DeflateCode, END_OF_BLOCK, newCounts } from './huffman.ts';

/** Enough for the frequencies of a hundred symbols. */
const SAMPLE_BYTES = 200_000;
const MAX_SAMPLE_ROWS = 1000;

/** The module that writes the plan's rows as DEFLATE codes. */
export function deflateModuleOf(plan: RowPlan, shape: ModuleShape = USUAL_SHAPE): DeflateModule {
  const usual = new DeflateCode(usualCounts());
  const link = createLinker(usual);
  const first = emitDeflateModule(plan, { code: usual, link, shape });
  const rows = Math.max(1, Math.min(MAX_SAMPLE_ROWS, Math.floor(SAMPLE_BYTES / first.maxRowBytes)));
  const [body] = createDeflateBodies(first, bulkForm(''), rows, 1);
  const counts = usual.countSymbols(body?.write(0, rows) ?? new Uint8Array());
  return emitDeflateModule(plan, { code: new DeflateCode(counts), link, shape });
}

/** JSON of numbers and words, with half of it matches. */
function usualCounts(): SymbolCounts {
  const counts = newCounts();
  const weigh = (text: string, weight: number): void => {
    for (const byte of new TextEncoder().encode(text)) counts.literals[byte] = weight;
  };
  counts.literals.fill(1);
  weigh('abcdefghijklmnopqrstuvwxyz', 40);
  weigh('ABCDEFGHIJKLMNOPQRSTUVWXYZ[]{}:-. ', 10);
  weigh('0123456789,"', 200);
  counts.literals.fill(30, END_OF_BLOCK + 1);
  counts.distances.fill(30);
  return counts;
}
