/**
 * The ways an INSERT takes its rows: what the statement looks like, in which form its parameters are sent, and
 * what a way cannot carry. Plain data that crosses a process boundary.
 */
import type { TableName } from '../base/sql.ts';
import { keyOf } from './hashing.ts';
import { type Column, type ColumnType, type TableSchema, insertedColumns } from './schema.ts';

/**
 * `bulk-args` sends rows to a statement for one row, and is told of each; `unnest` sends columns to
 * INSERT … SELECT; `values` sends up to ten rows to one statement that names them all; `pg` binds each row over
 * the PostgreSQL wire.
 */
export const INSERT_PATHS = ['bulk-args', 'unnest', 'values', 'pg'] as const;
export type InsertPath = (typeof INSERT_PATHS)[number];

/** CrateDB 6.4.3 never answers a statement of several VALUES of which eleven rows of one shard are bad. */
export const MAX_VALUES_ROWS = 10;
/** The server's `statement_max_length`. */
const MAX_STATEMENT_CHARACTERS = 262_144;

/** How the JSON of a value becomes the text of a PostgreSQL parameter: arrays and points have a form of their own. */
export type PgParameter = 'plain' | 'point' | 'array' | 'pointArray';

interface Statement {
  /** The statement is `head`, `row` once for each row that it names with commas between, and `tail`. */
  readonly head: string;
  readonly row: string;
  readonly tail: string;
  /** Columns that it gives values for. */
  readonly columns: number;
}

/** Its answer counts the rows that it wrote, and says nothing of the others: what is wrong with the table is asked. */
interface CountedStatement extends Statement {
  readonly table: TableName;
}

/** The INSERT of one table over the PostgreSQL wire. */
export interface PgForm extends CountedStatement {
  readonly path: 'pg';
  /** One for each column. */
  readonly parameters: readonly PgParameter[];
}

/** One table's INSERT. */
export type InsertForm =
  | (Statement & { readonly path: 'bulk-args' })
  | (CountedStatement & { readonly path: 'unnest' | 'values' })
  | PgForm;

/** A form whose answers leave out why rows are missing. */
export type CountedForm = Exclude<InsertForm, { readonly path: 'bulk-args' }>;

/** The statement for so many rows: only that of `values` depends on their number. */
export function statementOf(form: InsertForm, rows = 1): string {
  const named = form.path === 'values' ? rows : 1;
  return `${form.head}${Array.from({ length: named }, () => form.row).join(',')}${form.tail}`;
}

/** What a PostgreSQL session calls the prepared statement: another one for another statement. */
export function statementName(form: InsertForm): string {
  return keyOf(statementOf(form)).toString(36);
}

const MAX_NAME_BYTES = 13;
/** A Bind and an Execute without the name and the values; a value has its length before it. */
const BIND_BYTES = 23;
const LENGTH_BYTES = 4;
const SYNC_BYTES = 5;

/** The most bytes that the messages of so many rows have: in an array every byte of JSON may become two. */
export function pgBodyBytes(form: InsertForm, maxRowBytes: number, rows: number): number {
  const fixed = BIND_BYTES + MAX_NAME_BYTES + form.columns * LENGTH_BYTES;
  return rows * (fixed + 2 * maxRowBytes) + SYNC_BYTES;
}

/** A whole statement for one row as the form of a bulk request. */
export function bulkForm(statement: string): InsertForm {
  return { path: 'bulk-args', head: statement, row: '', tail: '', columns: 1 };
}

/** What keeps the rows of this schema from taking this way, one sentence each; empty when nothing does. */
export function pathProblems(schema: TableSchema, form: InsertForm): string[] {
  const { path } = form;
  if (path === 'unnest') {
    return insertedColumns(schema).flatMap((column) => {
      const why = unnestProblem(column);
      return why === null ? [] : [`--insert-path unnest: cannot carry the column ${column.name}, ${why}`];
    });
  }
  const { length } = statementOf(form, MAX_VALUES_ROWS);
  return length > MAX_STATEMENT_CHARACTERS
    ? [
        `--insert-path ${path}: a statement of ${length} characters, and the server takes ${MAX_STATEMENT_CHARACTERS}`,
      ]
    : [];
}

/** UNNEST takes arrays of arrays apart to the last level, and guesses one type for all objects of a column. */
function unnestProblem({ type, generator }: Column): string | null {
  if (type.kind === 'array') return 'an array: UNNEST would flatten it; expected another path';
  if (type.kind === 'float_vector') return 'a vector: UNNEST would flatten it; expected another path';
  const isFreeForm = type.kind === 'object' && generator?.kind !== 'object';
  return isFreeForm ? 'objects of free form: UNNEST wants all of one type; expected another path' : null;
}

/** The placeholder of a column in UNNEST: a point would be taken for two numbers. */
export function unnestPlaceholder({ kind }: ColumnType): string {
  return kind === 'geo_point' ? '?::ARRAY(GEO_POINT)' : '?';
}

/** Arrays of arrays and objects travel as JSON. */
export function pgParameter(type: ColumnType): PgParameter {
  if (type.kind === 'geo_point') return 'point';
  if (type.kind === 'float_vector') return 'array';
  if (type.kind !== 'array' || type.of.kind === 'array') return 'plain';
  return type.of.kind === 'geo_point' ? 'pointArray' : 'array';
}
