/**
 * Verification row by row: the run's rows are generated again and compared with what the server gives back.
 * Finds rows that were acknowledged and are not there, rows that are there more than once, and changed values.
 */
import type { TableName } from '../base/sql.ts';
import { quoteIdentifier } from '../base/sql.ts';
import { formatExact } from '../base/units.ts';
import type { Answer, AskOptions } from '../cratedb/ask.ts';
import type { CrateClient } from '../cratedb/client.ts';
import { parseExact } from '../cratedb/query-reply.ts';
import {
  type RowRange,
  type RunRows,
  type Share,
  countRun,
  listRows,
  readRows,
  refresh,
} from '../cratedb/statements.ts';
import { createReferenceGenerator } from '../rows/reference/reference-generator.ts';
import type { RowGenerator } from '../rows/row-generator.ts';
import type { RowPlan } from '../rows/row-format.ts';
import { type Column, type TableSchema, insertedColumns } from '../rows/schema.ts';
import type { Verification } from './verification.ts';

/** A batch that was begun, and how many of its rows the server said it has. */
export interface OfferedBatch {
  readonly firstRow: number;
  readonly rows: number;
  readonly acknowledged: number;
}

/** How a value that was sent compares with what a SELECT gives back. */
type Comparison = 'equal' | 'different' | 'notComparable';

export interface OfferedRun {
  readonly plan: RowPlan;
  readonly schema: TableSchema;
  readonly table: TableName;
  readonly runId: string;
  /** Ascending by `firstRow`, without overlap. */
  readonly batches: readonly OfferedBatch[];
  /** This machine's part of the run's batches, or null for all. */
  readonly share: Share | null;
}

/** Rows of one kind, and the `seq` of the first 20 of them. */
export interface FoundRows {
  readonly rows: number;
  readonly seqs: readonly number[];
}

export interface RowVerification {
  /** Rows of offered batches that the server has, without copies: each was compared. */
  readonly checked: number;
  /** Acknowledged and not there. In a batch that was only partly acknowledged nobody knows which: no `seqs`. */
  readonly lost: FoundRows;
  /** Copies beyond the first. */
  readonly duplicated: FoundRows;
  /** Other values than were sent. */
  readonly altered: FoundRows;
  /** Of this run id, and in no batch that was begun. */
  readonly unexpected: FoundRows;
  /** Columns whose values have no form to compare: only whether they are there was. */
  readonly notComparableColumns: readonly string[];
}

export interface VerifyRowsOptions {
  readonly compare: (column: Column, sent: unknown, got: unknown) => Comparison;
  readonly signal?: AbortSignal | null;
  /** After each page: offered rows gone through so far. */
  readonly onProgress?: (rows: number) => void;
}

/** Compares all offered rows, a page at a time. The failure is the server's: a page could not be read. */
export async function verifyRows(
  client: CrateClient,
  run: OfferedRun,
  options: VerifyRowsOptions,
): Promise<Answer<RowVerification>> {
  const ask: AskOptions = { timeoutMs: PAGE_TIMEOUT_MS, signal: options.signal ?? null };
  const refreshed = await refresh(client, run.table, ask);
  if (!refreshed.ok) return refreshed;
  const check = new RowCheck(run, options.compare);
  const pages = pagesOf(run.batches, check.pageRows);
  const reader = {
    client,
    run,
    columns: ['seq', ...check.columns.map(({ name }) => quoteIdentifier(name))],
    ask,
  };
  const ahead: Promise<Answer<PageRows>>[] = [];
  for (const [index, page] of pages.entries()) {
    while (ahead.length < READ_AHEAD) {
      const next = pages[index + ahead.length];
      if (next === undefined) break;
      ahead.push(readRange(reader, rangeOf(next)));
    }
    const rows = await ahead.shift();
    if (rows === undefined) break;
    if (!rows.ok) return rows;
    check.page(page, rows.value);
    options.onProgress?.(check.gone);
  }
  return strangers(reader, check);
}

const PAGE_TIMEOUT_MS = 120_000;
/** Pages that are on their way while one is compared. */
const READ_AHEAD = 3;
/** An answer of about this size is read and parsed at once. */
const PAGE_BYTES = 4 * 1024 * 1024;
const MAX_PAGE_ROWS = 5_000;
const MAX_SEQS = 20;

type Page = readonly OfferedBatch[];

function pagesOf(batches: readonly OfferedBatch[], pageRows: number): readonly Page[] {
  const pages: OfferedBatch[][] = [];
  for (const batch of batches) {
    const page = pages.at(-1);
    const first = page?.[0];
    if (page !== undefined && first !== undefined && batch.firstRow + batch.rows - first.firstRow <= pageRows)
      page.push(batch);
    else pages.push([batch]);
  }
  return pages;
}

function rangeOf(page: Page): RowRange {
  const last = page.at(-1);
  return { from: page[0]?.firstRow ?? 0, to: last === undefined ? 0 : last.firstRow + last.rows };
}

interface PageReader {
  readonly client: CrateClient;
  readonly run: OfferedRun;
  /** Quoted; the first is `seq`. */
  readonly columns: readonly string[];
  readonly ask: AskOptions;
}

interface PageRows {
  readonly rows: readonly (readonly unknown[])[];
  /** Copies of one row that were counted and not read, as they were too many. */
  readonly furtherCopies: number;
}

/** Rows of a range; a range with so many copies that they do not fit an answer is read in halves. */
async function readRange(reader: PageReader, range: RowRange): Promise<Answer<PageRows>> {
  const { client, run, columns, ask } = reader;
  const rows: RunRows = { table: run.table, runId: run.runId, range, share: run.share };
  const limit = 2 * (range.to - range.from) + 100;
  const answer = await readRows(client, rows, columns, limit, ask);
  if (!answer.ok) return answer;
  if (answer.value.length < limit) return { ok: true, value: { rows: answer.value, furtherCopies: 0 } };
  if (range.to - range.from === 1) {
    const counted = await countRun(client, rows, ask);
    return counted.ok
      ? { ok: true, value: { rows: answer.value, furtherCopies: counted.value - answer.value.length } }
      : counted;
  }
  const middle = Math.floor((range.from + range.to) / 2);
  const left = await readRange(reader, { from: range.from, to: middle });
  if (!left.ok) return left;
  const right = await readRange(reader, { from: middle, to: range.to });
  if (!right.ok) return right;
  const furtherCopies = left.value.furtherCopies + right.value.furtherCopies;
  return { ok: true, value: { rows: [...left.value.rows, ...right.value.rows], furtherCopies } };
}

/** Rows of the run outside of all pages: they are only counted, and those after the last page named. */
async function strangers(
  { client, run, ask }: PageReader,
  check: RowCheck,
): Promise<Answer<RowVerification>> {
  const all: RunRows = { table: run.table, runId: run.runId, range: null, share: run.share };
  const counted = await countRun(client, all, ask);
  if (!counted.ok) return counted;
  const outside = counted.value - check.seen;
  if (outside > 0) {
    const after = run.batches.at(-1);
    const range = {
      from: after === undefined ? 0 : after.firstRow + after.rows,
      to: Number.MAX_SAFE_INTEGER,
    };
    const named = await listRows(client, { ...all, range }, MAX_SEQS, ask);
    check.outside(outside, named.ok ? named.value : []);
  }
  return { ok: true, value: check.result() };
}

/** Collects rows of one kind. */
class Finding {
  #rows = 0;
  readonly #seqs: number[] = [];

  add(seq: number | null, rows = 1): void {
    this.#rows += rows;
    if (seq !== null && this.#seqs.length < MAX_SEQS && this.#seqs.at(-1) !== seq) this.#seqs.push(seq);
  }

  found(): FoundRows {
    return { rows: this.#rows, seqs: [...this.#seqs] };
  }
}

/** Compares pages of the server's rows with generated ones and adds up what it finds. */
class RowCheck {
  readonly columns: readonly Column[];
  readonly pageRows: number;
  /** Rows of the server that were looked at, copies and strangers too. */
  seen = 0;
  /** Offered rows gone through. */
  gone = 0;
  readonly #generator: RowGenerator;
  readonly #compare: VerifyRowsOptions['compare'];
  readonly #lost = new Finding();
  readonly #duplicated = new Finding();
  readonly #altered = new Finding();
  readonly #unexpected = new Finding();
  readonly #notComparable = new Set<string>();
  #checked = 0;

  constructor(run: OfferedRun, compare: VerifyRowsOptions['compare']) {
    this.columns = insertedColumns(run.schema);
    this.#generator = createReferenceGenerator(run.plan);
    this.#compare = compare;
    const fitting = Math.floor(PAGE_BYTES / (this.#generator.maxRowBytes + 1));
    this.pageRows = Math.min(Math.max(fitting, 1), MAX_PAGE_ROWS);
  }

  page(page: Page, { rows, furtherCopies }: PageRows): void {
    const bySeq = new Map<number, (readonly unknown[])[]>();
    for (const row of rows) {
      const seq = Number(row[0]);
      const copies = bySeq.get(seq);
      if (copies === undefined) bySeq.set(seq, [row]);
      else copies.push(row);
    }
    this.seen += rows.length + furtherCopies;
    if (furtherCopies > 0) this.#duplicated.add(null, furtherCopies);
    for (const batch of page) this.#batch(batch, bySeq);
    for (const [seq, copies] of bySeq) this.#unexpected.add(seq, copies.length);
  }

  outside(rows: number, seqs: readonly number[]): void {
    for (const seq of seqs) this.#unexpected.add(seq);
    this.#unexpected.add(null, rows - seqs.length);
  }

  /** Takes the batch's rows out of `bySeq`: what is left at the end belongs to no batch. */
  #batch(batch: OfferedBatch, bySeq: Map<number, (readonly unknown[])[]>): void {
    const missing: number[] = [];
    const sent = this.#generate(batch);
    for (let index = 0; index < batch.rows; index += 1) {
      const seq = batch.firstRow + index;
      const copies = bySeq.get(seq);
      bySeq.delete(seq);
      if (copies === undefined) {
        missing.push(seq);
        continue;
      }
      this.#checked += 1;
      if (copies.length > 1) this.#duplicated.add(seq, copies.length - 1);
      if (copies.some((got) => !this.#isSame(sent[index] ?? [], got))) this.#altered.add(seq);
    }
    this.gone += batch.rows;
    const mayBeMissing = batch.rows - batch.acknowledged;
    if (mayBeMissing === 0) for (const seq of missing) this.#lost.add(seq);
    else if (missing.length > mayBeMissing) this.#lost.add(null, missing.length - mayBeMissing);
  }

  #generate({ firstRow, rows }: OfferedBatch): readonly (readonly unknown[])[] {
    const buffer = Buffer.allocUnsafe(rows * (this.#generator.maxRowBytes + 1));
    const end = this.#generator.writeRows(buffer, 0, firstRow, rows);
    return parseExact(`[${buffer.toString('utf8', 0, end)}]`) as readonly (readonly unknown[])[];
  }

  #isSame(sent: readonly unknown[], got: readonly unknown[]): boolean {
    let same = true;
    for (const [index, column] of this.columns.entries()) {
      const [put, back] = [sent[index], got[index + 1]];
      const comparison = this.#compare(column, put, back);
      if (comparison === 'notComparable') {
        this.#notComparable.add(column.name);
        same &&= (put === null) === (back === null);
      } else same &&= comparison === 'equal';
    }
    return same;
  }

  result(): RowVerification {
    return {
      checked: this.#checked,
      lost: this.#lost.found(),
      duplicated: this.#duplicated.found(),
      altered: this.#altered.found(),
      unexpected: this.#unexpected.found(),
      notComparableColumns: [...this.#notComparable].toSorted(),
    };
  }
}

/** The verdict for the run file: lost, duplicated or altered rows contradict the ledger. */
export function verdictOfRows(found: RowVerification): Verification {
  const kinds = [
    ['lost', found.lost],
    ['duplicated', found.duplicated],
    ['altered', found.altered],
  ] as const;
  const wrong = kinds
    .filter(([, { rows }]) => rows > 0)
    .map(([kind, { rows }]) => `${formatExact(rows)} ${kind}`);
  const compared = `${formatExact(found.checked)} rows compared with what was generated`;
  return {
    method: 'rows',
    stored: found.checked + found.duplicated.rows,
    verdict: wrong.length === 0 ? 'match' : 'mismatch',
    detail:
      wrong.length === 0
        ? `${compared}: none lost, duplicated or altered`
        : `${compared}: ${wrong.join(', ')}`,
  };
}
