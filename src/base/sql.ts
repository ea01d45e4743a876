/**
 * SQL text: names and literals, quoted part by part, so that nothing a user typed can become a statement.
 * Rules of CrateDB: https://cratedb.com/docs/crate/reference/en/latest/general/ddl/create-table.html#naming-restrictions
 */

export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** Where tables lie that name no schema. What is in it was made by crategen: it is dropped without further questions. */
export const OWN_SCHEMA = 'crategen';

/** Schemas that belong to the server. */
const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set(['sys', 'information_schema', 'pg_catalog', 'blob']);

/** CrateDB limits a relation name to 255 bytes. */
const MAX_NAME_BYTES = 255;

/** Double-quoted identifier: `a"b` → `"a""b"`. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Single-quoted text literal. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The statement that a superuser runs to let `user` in; null where nobody knows his name. */
export function grantOn(schema: string, privileges: string, user: string | null): string {
  return `GRANT ${privileges} ON SCHEMA ${quoteIdentifier(schema)} TO ${user === null ? '…' : quoteIdentifier(user)}`;
}

/** `{schema: 'a', table: 'b'}` → `"a"."b"`. */
export function quoteTable(name: TableName): string {
  return `${quoteIdentifier(name.schema)}.${quoteIdentifier(name.table)}`;
}

/** As people write it: `crategen.records`, quoted only where a part needs it. */
export function formatTable(name: TableName): string {
  const part = (text: string): string => (/^[a-z_][a-z0-9_]*$/.test(text) ? text : quoteIdentifier(text));
  return `${part(name.schema)}.${part(name.table)}`;
}

/** `['o', 'a', 'b']` → `o['a']['b']`: a column or a part of one, as CrateDB's own tables name it. */
export function formatColumnPath(path: readonly string[]): string {
  return path.map((part, index) => (index === 0 ? part : `[${quoteLiteral(part)}]`)).join('');
}

/** The same quoted: `o['a']` → `"o"['a']`; what has not exactly that form is one name. */
export function quoteColumnPath(path: string): string {
  const match = /^([^[\]]+)((?:\['(?:[^']|'')*'\])+)$/.exec(path);
  return match === null ? quoteIdentifier(path) : `${quoteIdentifier(match[1] ?? '')}${match[2] ?? ''}`;
}

export function isSystemSchema(schema: string): boolean {
  return SYSTEM_SCHEMAS.has(schema.toLowerCase());
}

export type ParsedTable =
  { readonly ok: true; readonly name: TableName } | { readonly ok: false; readonly why: string };

/**
 * Reads `schema.table`, each part bare or double-quoted. Bare parts fold to lower case, as in SQL. Refuses what
 * the server would refuse (system schemas, leading `_`, blanks, `.[]` inside, over 255 bytes) before it is sent.
 */
export function parseTableName(text: string): ParsedTable {
  const match = /^("(?:[^"]|"")+"|[^".\s]+)\.("(?:[^"]|"")+"|[^".\s]+)$/.exec(text);
  if (match === null)
    return { ok: false, why: 'expected SCHEMA.TABLE, parts with other characters in double quotes' };
  const [schema, table] = [unquote(match[1] ?? ''), unquote(match[2] ?? '')];
  for (const part of [schema, table]) {
    const why = refusedName(part);
    if (why !== null) return { ok: false, why };
  }
  if (isSystemSchema(schema)) return { ok: false, why: `${schema} is a system schema` };
  return { ok: true, name: { schema, table } };
}

function unquote(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase();
}

function refusedName(name: string): string | null {
  // CrateDB 6.4.3 refuses these in relation names; the rest is quoted and passed on.
  if (/[\\/*?"<>|\s,#.[\]\u0000-\u001f\u007f]/u.test(name))
    return `the name ${JSON.stringify(name)} has a character that CrateDB does not allow`;
  if (name.startsWith('_')) return `the name ${JSON.stringify(name)} starts with an underscore`;
  if (!/[a-z0-9\u0080-\uffff]/iu.test(name)) return `the name ${JSON.stringify(name)} has no letter`;
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `a name is longer than ${MAX_NAME_BYTES} bytes`;
  return null;
}
