/**
 * The schema of a table that is there already, or of a statement in a file: asked for once, before there is a run,
 * and kept in its plan. What a person should know before the first insert comes with it.
 */
import { TargetError, UsageError } from '../base/errors.ts';
import { type TableName, OWN_SCHEMA, formatTable } from '../base/sql.ts';
import { printable } from '../base/text.ts';
import type { AskOptions } from '../cratedb/ask.ts';
import { type CrateClient, createClient } from '../cratedb/client.ts';
import {
  type ValueKind,
  analyze,
  countColumn,
  largestValue,
  prefixPresent,
  readStatistics,
  readTableText,
  textsPresent,
} from '../cratedb/read-table.ts';
import { countTable, refresh } from '../cratedb/statements.ts';
import type { SchemaSource, TargetAccess } from '../plan/run-plan.ts';
import { columnsByPath } from '../rows/column-paths.ts';
import {
  type ColumnShape,
  type FilledTable,
  NO_FACTS,
  fillTable,
  growingColumn,
} from '../rows/existing/fill.ts';
import { type TableDefinition, parseDdl } from '../rows/existing/parse-ddl.ts';
import {
  type ColumnFigures,
  madeUpPrefix,
  madeUpTexts,
  shapesOf as tableShapes,
} from '../rows/existing/shape.ts';
import type { Column } from '../rows/schema.ts';
import { validateSchema } from '../rows/validate-schema.ts';
import { answered } from './target-hints.ts';

type LikeSource = Extract<SchemaSource, { readonly kind: 'like' }>;

export interface ExistingTableParts {
  readonly source: LikeSource;
  /** Where the rows will go: sequences go on behind what it holds. Null: nowhere yet. */
  readonly target: TableName | null;
  readonly access: TargetAccess;
  /** Wall-clock ms. */
  readonly nowMs: number;
  /** How many rows will be made, if that is known: a sequence must not end within them. */
  readonly rows?: number | null;
  /** Larger tables are not read as a whole, column by column: the server's statistics of a sample have to do. */
  readonly countedRows?: number;
}

const COUNTED_ROWS = 5_000_000;
const CONNECTIONS = 2;
const ASK: AskOptions = { timeoutMs: 30_000 };

/** Throws a TargetError when the table cannot be read, a UsageError when no rows can be made for it. */
export async function schemaOfTable(parts: ExistingTableParts): Promise<FilledTable> {
  const { source, target, access, nowMs, rows = null, countedRows = COUNTED_ROWS } = parts;
  const client = createClient(access, { connectionsPerNode: CONNECTIONS });
  try {
    const definition = await definitionOf(client, source.table);
    const shapes = source.shape ? await shapesOf(client, source, definition, countedRows) : NO_SHAPES;
    const largest = target === null ? NO_FACTS.largest : await largestIn(client, target, definition);
    const filled = fillTable(definition, { nowMs, largest, shapes: shapes.columns });
    const isCopy = target === null || !isSame(source.table, target);
    const leftOut = isCopy ? definition.leftOut.map((what) => `a copy does not have ${what}`) : [];
    const notes = [...shapes.notes, ...filled.notes, ...leftOut];
    return checked(formatTable(source.table), { ...filled, notes }, rows);
  } finally {
    await client.destroy();
  }
}

/** The schema of one CREATE TABLE statement; `name` is what messages call the file. */
export function schemaOfDdl(
  text: string,
  name: string,
  nowMs: number,
): FilledTable & { readonly table: TableName } {
  const parsed = parseDdl(text);
  if (!parsed.ok) {
    throw new UsageError(
      parsed.problems.map(({ line, column, message }) => `${name}:${line}:${column}: ${printable(message)}`),
      { hint: 'It holds one CREATE TABLE statement, such as SHOW CREATE TABLE prints.' },
    );
  }
  const { definition } = parsed;
  const filled = fillTable(definition, { ...NO_FACTS, nowMs });
  const notes = [...filled.notes, ...definition.leftOut.map((what) => `the table will not have ${what}`)];
  const { schema, table } = definition.name;
  return { ...checked(name, { ...filled, notes }, null), table: { schema: schema ?? OWN_SCHEMA, table } };
}

async function definitionOf(client: CrateClient, table: TableName): Promise<TableDefinition> {
  const name = formatTable(table);
  const text = answered(await readTableText(client, table, ASK), `${name} cannot be looked at`);
  if (text.kind === 'missing')
    throw new TargetError(`the table ${name} does not exist, or this user has no privilege on it`, {
      hint: 'SHOW TABLES lists what is there; reading a table needs DQL on it.',
    });
  if (text.kind === 'notTable')
    throw new TargetError(`${name} is no table that rows can be inserted into: ${printable(text.type)}`);
  const parsed = parseDdl(text.ddl);
  if (parsed.ok) return parsed.definition;
  throw new TargetError(
    parsed.problems
      .map(
        ({ line, column, message }) =>
          `${name}: line ${line}:${column} of its statement: ${printable(message)}`,
      )
      .join('\n'),
    { hint: `SHOW CREATE TABLE ${name} shows the statement; a schema file can leave columns out.` },
  );
}

/** Where a sequence has to go on, if the target is there and the table has a key that is counted up. */
async function largestIn(
  client: CrateClient,
  target: TableName,
  definition: TableDefinition,
): Promise<ReadonlyMap<string, number>> {
  const path = growingColumn(definition);
  if (path === null) return NO_FACTS.largest;
  const found = answered(
    await readTableText(client, target, ASK),
    `${formatTable(target)} cannot be looked at`,
  );
  if (found.kind !== 'table') return NO_FACTS.largest;
  const largest = answered(
    await largestValue(client, target, path, ASK),
    `${formatTable(target)} cannot be read`,
  );
  return largest === null ? NO_FACTS.largest : new Map([[path, largest]]);
}

interface Shapes {
  readonly columns: ReadonlyMap<string, ColumnShape>;
  readonly notes: readonly string[];
}

const NO_SHAPES: Shapes = { columns: new Map(), notes: [] };

/**
 * The distributions of the source. Texts that are made up are looked for in it, and others made up where one is
 * there: no text of the source is in the copy.
 */
async function shapesOf(
  client: CrateClient,
  source: LikeSource,
  definition: TableDefinition,
  countedRows: number,
): Promise<Shapes> {
  const name = formatTable(source.table);
  answered(await refresh(client, source.table, ASK), `${name} cannot be refreshed`);
  const rows = answered(await countTable(client, source.table, ASK), `the rows of ${name} cannot be counted`);
  const { figures, notes } =
    rows <= countedRows
      ? await countedFigures(client, source.table, definition)
      : await sampledFigures(client, source.table);
  const options = { rows, copyValues: source.copyValues };
  const taken = new Map<string, ReadonlySet<string>>();
  let columns = tableShapes(definition, figures, { ...options, taken });
  for (let round = 0; round < MAX_LOOKS && !source.copyValues; round += 1) {
    const found = await textsFound(client, source.table, columns, taken);
    if (found === 0) break;
    columns = tableShapes(definition, figures, { ...options, taken });
  }
  const said = source.copyValues
    ? 'the most common values and the bounds are those of the source, as --copy-values says'
    : 'texts are made up, bounds of numbers and times are moved: no text of the source is copied';
  return { columns, notes: [...notes, said] };
}

interface Figures {
  readonly figures: readonly ColumnFigures[];
  readonly notes: readonly string[];
}

async function countedFigures(
  client: CrateClient,
  table: TableName,
  definition: TableDefinition,
): Promise<Figures> {
  const figures: ColumnFigures[] = [];
  for (const [path, column] of columnsByPath(definition.columns)) {
    if (column.generatedAs !== undefined) continue;
    const counted = await countColumn(client, table, { path, kind: valueKind(column) });
    figures.push(answered(counted, `the column ${path} of ${formatTable(table)} cannot be counted`));
  }
  return { figures, notes: [] };
}

async function sampledFigures(client: CrateClient, table: TableName): Promise<Figures> {
  const isFresh = await analyze(client);
  const name = formatTable(table);
  const figures = answered(
    await readStatistics(client, table, ASK),
    `the statistics of ${name} cannot be read`,
  );
  if (figures.length === 0)
    throw new TargetError(`the server has no statistics of ${name} yet`, {
      hint: 'ANALYZE, by a user with the privilege AL, collects them; without --shape none are needed.',
    });
  const age = isFresh ? '' : ', which the server collected earlier: ANALYZE is not allowed or failed';
  return { figures, notes: [`the shape is that of a sample of the rows${age}`] };
}

/** Texts that are indexed word by word cannot be grouped. */
function valueKind({ type, index }: Column): ValueKind {
  if (index?.kind === 'fulltext') return 'other';
  switch (type.kind) {
    case 'byte':
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'real':
    case 'double':
    case 'numeric':
    case 'timestamptz':
    case 'timestamp':
      return 'number';
    case 'boolean':
    case 'text':
    case 'varchar':
    case 'char':
    case 'ip':
      return 'text';
    default:
      return 'other';
  }
}

/** How often other texts are made up before the last ones are taken as they are; each round leaves fewer. */
const MAX_LOOKS = 5;

/** Adds the made-up texts that the source has to `taken`; how many they were. */
async function textsFound(
  client: CrateClient,
  table: TableName,
  columns: ReadonlyMap<string, ColumnShape>,
  taken: Map<string, ReadonlySet<string>>,
): Promise<number> {
  let found = 0;
  for (const [path, shape] of columns) {
    const [texts, prefix] = [madeUpTexts(shape.generator), madeUpPrefix(shape.generator)];
    if (texts.length === 0 && prefix === null) continue;
    const there = answered(
      prefix === null
        ? await textsPresent(client, table, path, texts, ASK)
        : await prefixPresent(client, table, path, prefix, ASK),
      `the texts of ${path} cannot be looked for`,
    );
    found += there.length;
    taken.set(path, new Set([...(taken.get(path) ?? []), ...there]));
  }
  return found;
}

/** A filler that makes what no row can be made of would be a bug, but the table's owner should hear it in words. */
function checked(name: string, filled: FilledTable, rows: number | null): FilledTable {
  const problems = validateSchema(filled.schema, rows);
  if (problems.length === 0) return filled;
  throw new UsageError(problems.map((problem) => `${name}: ${problem}`));
}

function isSame(one: TableName, other: TableName): boolean {
  return one.schema === other.schema && one.table === other.table;
}
