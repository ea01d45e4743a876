/** A file with a CREATE TABLE statement, for `--ddl`: read, understood, and made into a schema. */
import { open } from 'node:fs/promises';
import { UsageError } from '../base/errors.ts';
import { printable } from '../base/text.ts';
import { schemaOfDdl } from '../coordinator/existing-table.ts';
import type { ResolvedSchema } from '../plan/parse-run-plan.ts';
import { whyUnreadable } from './secrets.ts';

/** More than any statement that CrateDB takes. */
const MAX_BYTES = 1_048_576;

/** `name` is the flag, as messages call it. The rows go to the table of that name in the schema crategen. */
export async function readDdlFile(name: string, path: string): Promise<ResolvedSchema> {
  const problem = (why: string): ResolvedSchema => ({
    ok: false,
    problems: [`${name} ${printable(path)}: ${why}`],
  });
  let text: string;
  try {
    text = await readLimited(path);
  } catch (error) {
    return problem(error instanceof RangeError ? error.message : whyUnreadable(error));
  }
  try {
    const { schema, notes, table } = schemaOfDdl(text, printable(path), Date.now());
    return { ok: true, schema, notes, table: { schema: 'crategen', table: table.table } };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { ok: false, problems: error.problems };
  }
}

async function readLimited(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > MAX_BYTES) throw new RangeError(`longer than ${MAX_BYTES} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
