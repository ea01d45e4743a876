/**
 * Reads a schema file and what it names: value files and other schemas, beside it. Data only, each file bounded as
 * the config file is; problems come as lines that name file, line and column.
 */
import { basename, dirname, extname, resolve } from 'node:path';
import { printable } from '../../base/text.ts';
import { PRESET_NAMES, presetSchema } from '../../rows/presets.ts';
import { readLimited } from '../read-limited.ts';
import type { Referred } from './parse-generator.ts';
import { type ChosenBy, type ParsedSchema, columnAt, columnOf, parseSchema } from './parse-schema.ts';
import { type Tree, readTree } from './yaml-tree.ts';

/** A schema with more neighbours than this was not written by a person. */
const MAX_FILES = 50;
/** Problems told one by one; the rest is counted. */
const MAX_PROBLEMS = 50;

export type ReadSchemaFile =
  ({ readonly ok: true } & ParsedSchema) | { readonly ok: false; readonly problems: readonly string[] };

export type { ChosenBy };

/** Reads the schema at `path`; `name` is what messages call a file that cannot be read (`--schema orders.yaml`). */
export async function readSchemaFile(path: string, name: string): Promise<ReadSchemaFile> {
  const read = await readLimited(path);
  if (read.kind !== 'text') return { ok: false, problems: [`${printable(name, 300)}: ${read.why}`] };
  return await parseSchemaText(read.text, path);
}

/** The schema in a text that stands at `path`: what it names is read relative to there. */
export async function parseSchemaText(text: string, path: string): Promise<ReadSchemaFile> {
  const shown = printable(path, 300);
  const line = (at: { line: number; column: number }, where: string, what: string): string =>
    `${shown}:${at.line}:${at.column}: ${where === '' ? '' : `${where}: `}${printable(what, 400)}`;
  const read = await readTree(text);
  if (!read.ok)
    return { ok: false, problems: limited(read.problems.map(({ at, what }) => line(at, '', what))) };
  const near = await readNeighbours(read.tree, dirname(path));
  const parsed = parseSchema(read.tree, {
    stem: stemOf(path),
    valueFiles: near.valueFiles,
    otherColumn: (to) => otherColumn(to, near.schemas),
  });
  if (parsed.ok) return parsed;
  return {
    ok: false,
    problems: limited(parsed.problems.map(({ at, path: where, what }) => line(at, where, what))),
  };
}

/** Letters and digits of the file's name: it becomes a table's name and a part of every draw. */
function stemOf(path: string): string {
  const stem = basename(path, extname(path))
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, '_');
  return /^[a-z]/.test(stem) ? stem.slice(0, 100) : `table_${stem}`.slice(0, 100);
}

function limited(problems: readonly string[]): readonly string[] {
  const rest = problems.length - MAX_PROBLEMS;
  return rest > 0 ? [...problems.slice(0, MAX_PROBLEMS), `… and ${rest} more problems`] : problems;
}

interface Neighbours {
  readonly valueFiles: Map<string, readonly string[] | { readonly problem: string }>;
  readonly schemas: Map<
    string,
    { readonly tree: Tree; readonly stem: string } | { readonly problem: string }
  >;
}

async function readNeighbours(tree: Tree, folder: string): Promise<Neighbours> {
  const near: Neighbours = { valueFiles: new Map(), schemas: new Map() };
  const named = [...namedFiles(tree)];
  for (const { kind, path } of named.slice(0, MAX_FILES)) {
    const read = await readLimited(resolve(folder, path));
    if (kind === 'values') {
      near.valueFiles.set(path, read.kind === 'text' ? linesOf(read.text) : { problem: read.why });
      continue;
    }
    const other = read.kind === 'text' ? await readTree(read.text) : null;
    if (other?.ok === true) near.schemas.set(path, { tree: other.tree, stem: stemOf(path) });
    else near.schemas.set(path, { problem: read.kind === 'text' ? 'it is not valid YAML' : read.why });
  }
  for (const { kind, path } of named.slice(MAX_FILES)) {
    const problem = { problem: `more than ${MAX_FILES} files` };
    if (kind === 'values') near.valueFiles.set(path, problem);
    else near.schemas.set(path, problem);
  }
  return near;
}

const linesOf = (text: string): readonly string[] => text.split(/\r?\n/).filter((line) => line !== '');

interface NamedFile {
  readonly kind: 'values' | 'schema';
  readonly path: string;
}

/** `file:` names values, `to:` another schema before its `#`. */
function* namedFiles(tree: Tree): Generator<NamedFile> {
  if (tree.kind === 'list') for (const item of tree.items) yield* namedFiles(item);
  if (tree.kind !== 'map') return;
  for (const { key, value } of tree.entries) {
    yield* namedFiles(value);
    if (value.kind !== 'scalar' || typeof value.value !== 'string') continue;
    if (key === 'file') yield { kind: 'values', path: value.value };
    const other = key === 'to' ? splitReference(value.value) : null;
    if (other !== null) yield { kind: 'schema', path: other.file };
  }
}

/** `customers.yaml#id` → the file and the column; null for a column of this file or a preset. */
function splitReference(to: string): { readonly file: string; readonly column: string } | null {
  const match = /^(.+\.(?:ya?ml|json))[#.](.+)$/i.exec(to);
  return match === null ? null : { file: match[1] ?? '', column: match[2] ?? '' };
}

function otherColumn(to: string, schemas: Neighbours['schemas']): Referred | { readonly problem: string } {
  const named = splitReference(to);
  if (named === null) return presetColumn(to);
  const other = schemas.get(named.file);
  if (other === undefined || 'problem' in other)
    return { problem: `${named.file}: ${other?.problem ?? 'not read'}` };
  const around = { stem: other.stem, valueFiles: new Map(), otherColumn: null };
  return columnOf(other.tree, named.column, null, around);
}

function presetColumn(to: string): Referred | { readonly problem: string } {
  const [preset = '', ...names] = to.split('.');
  const schema = presetSchema(preset);
  const column = schema === null ? null : columnAt(schema.columns, names);
  if (schema === null || column?.generator == null)
    return {
      problem: `no column ${to}; expected one of this file, of another (customers.yaml#id) or of a preset (${PRESET_NAMES.join(', ')})`,
    };
  return { schemaName: schema.name, path: names.join('.'), generator: column.generator };
}
