/** SQLite below the tables: one SQLite table for each, rows in the order of arrival, the key as a unique index. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Column, Table } from './catalog.ts';
import { createTableText } from './format.ts';
import { cellDeclaration } from '../values/cells.ts';

/** A table as it is kept beside its rows, to be read back after a restart. */
export interface KeptTable {
  readonly id: number;
  readonly ddl: string;
  /** JSON of what the statement does not say: partitions, closed. */
  readonly state: string;
}

const META =
  'CREATE TABLE IF NOT EXISTS meta (id INTEGER PRIMARY KEY, ddl TEXT NOT NULL, state TEXT NOT NULL)';

export class Store {
  readonly #database: DatabaseSync;
  readonly #persistent: boolean;
  readonly #pageSizeBytes: number;
  readonly #pageCount: StatementSync;
  readonly #freePages: StatementSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens the file, or memory for null. Throws SQLite's error for an unusable file. */
  constructor(file: string | null) {
    this.#database = new DatabaseSync(file ?? ':memory:');
    this.#persistent = file !== null;
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY');
    if (this.#persistent) this.#database.exec(META);
    this.#pageSizeBytes = this.#pragma('page_size');
    this.#pageCount = this.#database.prepare('PRAGMA page_count');
    this.#freePages = this.#database.prepare('PRAGMA freelist_count');
  }

  #pragma(name: string): number {
    return firstNumber(this.#database.prepare(`PRAGMA ${name}`));
  }

  /** Bytes that rows and keys take, freed pages not counted. */
  usedBytes(): number {
    return (firstNumber(this.#pageCount) - firstNumber(this.#freePages)) * this.#pageSizeBytes;
  }

  create(table: Table): void {
    const cells = table.columns.map(cellDefinition).join(', ');
    this.#database.exec(`CREATE TABLE ${rowsOf(table)} (${cells})`);
    const keys = keyCells(table);
    if (keys.length > 0)
      this.#database.exec(`CREATE UNIQUE INDEX k${table.id} ON ${rowsOf(table)} (${keys.join(', ')})`);
    this.keep(table);
  }

  /** Writes a table's metadata; nothing in memory mode. */
  keep(table: Table): void {
    if (!this.#persistent) return;
    const state = JSON.stringify({ partitions: [...table.partitions.keys()], closed: table.closed });
    this.prepare('INSERT OR REPLACE INTO meta (id, ddl, state) VALUES (?, ?, ?)').run(
      table.id,
      createTableText(table),
      state,
    );
  }

  kept(): readonly KeptTable[] {
    if (!this.#persistent) return [];
    return this.prepare('SELECT id, ddl, state FROM meta ORDER BY id')
      .all()
      .map((row) => ({ id: Number(row['id']), ddl: String(row['ddl']), state: String(row['state']) }));
  }

  addColumn(table: Table, column: Column): void {
    this.#statements.clear();
    this.#database.exec(`ALTER TABLE ${rowsOf(table)} ADD COLUMN ${cellDefinition(column)}`);
  }

  drop(table: Table): void {
    this.#statements.clear();
    this.#database.exec(`DROP TABLE ${rowsOf(table)}`);
    if (this.#persistent) this.prepare('DELETE FROM meta WHERE id = ?').run(table.id);
  }

  /** A statement whose integers come back as bigint; compiled once per text. */
  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs `work` in one transaction: all of its changes stay, or none when it throws. */
  transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}

/** Statements kept compiled; the texts repeat, so this is a safety bound only. */
const MAX_STATEMENTS = 200;

function firstNumber(statement: StatementSync): number {
  return Number(Object.values(statement.get() ?? {})[0] ?? 0);
}

/** SQLite's name of a table's rows. */
export function rowsOf(table: Table): string {
  return `t${table.id}`;
}

/** Cells of the primary key, in its order. */
export function keyCells(table: Table): readonly string[] {
  return table.primaryKey.flatMap((name) =>
    table.columns.filter((column) => column.name === name).map((column) => column.cell),
  );
}

function cellDefinition(column: Column): string {
  return `${column.cell} ${cellDeclaration(column.type)}`;
}
