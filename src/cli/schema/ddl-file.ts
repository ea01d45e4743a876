/** A file with a CREATE TABLE statement, for `--ddl`: read, understood, and made into a schema. */
import { UsageError } from '../../base/errors.ts';
import { OWN_SCHEMA } from '../../base/sql.ts';
import { printable } from '../../base/text.ts';
import { schemaOfDdl } from '../../coordinator/existing-table.ts';
import type { ResolvedSchema } from '../../plan/schema-source.ts';
import { readLimited } from '../../plan/read-limited.ts';

/** `name` is the flag, as messages call it. The rows go to the table of that name in the schema crategen. */
export async function readDdlFile(name: string, path: string): Promise<ResolvedSchema> {
  const read = await readLimited(path);
  if (read.kind !== 'text') return { ok: false, problems: [`${name} ${printable(path)}: ${read.why}`] };
  try {
    const { schema, notes, table } = schemaOfDdl(read.text, printable(path), Date.now());
    return { ok: true, schema, notes, table: { schema: OWN_SCHEMA, table: table.table } };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { ok: false, problems: error.problems };
  }
}
