/** What a run is about to do to a table that crategen did not invent, in lines for people. */
import { unreachable } from '../../base/errors.ts';
import { formatTable } from '../../base/sql.ts';
import { printable } from '../../base/text.ts';
import type { SchemaSource, TablePlan } from '../../plan/run-plan.ts';
import type { TableSchema } from '../../rows/schema.ts';
import { columnFacts } from './columns.ts';

/** A head, one line a column, one a note; printable. */
export function existingLines(table: TablePlan, notes: readonly string[]): readonly string[] {
  const { source, schema, name, create } = table;
  const target = formatTable(name);
  const isSame = source.kind === 'like' && formatTable(source.table) === target;
  const where = isSame
    ? `fills ${target} itself`
    : `fills ${target}${create ? ', made if it is missing' : ''}`;
  return [`${sourceText(source)}: ${where}`, ...columnLines(schema), ...noteLines(notes)];
}

/** Name, type and how its values are made, in columns. */
export function columnLines(schema: TableSchema): readonly string[] {
  const facts = columnFacts(schema);
  const width = Math.max(...facts.map(({ name }) => name.length));
  const typeWidth = Math.max(...facts.map(({ type }) => type.length));
  return facts.map(({ name, type, made }) =>
    printable(`  ${name.padEnd(width)}  ${type.padEnd(typeWidth)}  ${made}`).trimEnd(),
  );
}

export function noteLines(notes: readonly string[]): readonly string[] {
  return notes.map((note) => printable(`  note: ${note}`));
}

function sourceText(source: SchemaSource): string {
  switch (source.kind) {
    case 'like':
      return `like ${formatTable(source.table)}${source.shape ? ', with its shape' : ''}`;
    case 'ddl':
    case 'file':
      return printable(source.path);
    case 'preset':
      return source.name;
    default:
      return unreachable(source);
  }
}
