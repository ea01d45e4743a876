/**
 * A terminal as far as the live screen needs one: text, CR, LF, cursor up, erased and deleted rows, modes, and what
 * happens to its rows when it is resized: they are broken anew at the new width, those that find no room at the top
 * go into the scrollback, and come back from there when the terminal grows, if it is one that does so.
 */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ScreenOutput } from '../../../src/report/watching/live-writer.ts';
import { textWidth } from '../../../src/report/styled-text.ts';

/** One row; each string is a cell, '' the second cell of a wide character. */
interface Row {
  cells: string[];
  /** The row goes on in the next one. */
  isBroken: boolean;
}

export class SmallTerminal extends EventEmitter implements ScreenOutput {
  columns: number;
  rows: number;
  readonly modes = new Map<string, boolean>([
    ['25', true],
    ['7', true],
    ['2026', false],
  ]);
  writes = 0;
  takesMore = true;
  readonly #bringsBack: boolean;
  /** Scrollback and screen. */
  #lines: Row[] = [emptyRow()];
  /** The first row of the screen. */
  #top = 0;
  #row = 0;
  #column = 0;

  constructor(columns = 100, rows = 30, { bringsBack = true } = {}) {
    super();
    [this.columns, this.rows, this.#bringsBack] = [columns, rows, bringsBack];
  }

  write(text: string): boolean {
    this.writes += 1;
    for (const [token] of text.matchAll(/\u001b\[[?0-9;]*[A-Za-z]|[\s\S]/gu)) this.#take(token);
    return this.takesMore;
  }

  /** Scrollback and screen, without blanks at the ends of rows. */
  get text(): string {
    return this.#textFrom(0);
  }

  /** What can be seen. */
  get screen(): string {
    return this.#textFrom(this.#top);
  }

  resize(columns: number, rows: number): void {
    if (columns !== this.columns) this.#breakAnew(columns);
    const grown = rows - this.rows;
    [this.columns, this.rows] = [columns, rows];
    if (this.#bringsBack && grown > 0) this.#top = Math.max(0, this.#top - grown);
    this.#showCursor();
    this.emit('resize');
  }

  #textFrom(row: number): string {
    return this.#lines
      .slice(row)
      .map(({ cells }) => cells.join('').trimEnd())
      .join('\n')
      .trimEnd();
  }

  #take(token: string): void {
    const [, mode, setting] = /^\u001b\[\?(\d+)([hl])$/.exec(token) ?? [];
    const [, amount, action] = /^\u001b\[(\d+)([AM])$/.exec(token) ?? [];
    if (mode !== undefined) this.modes.set(mode, setting === 'h');
    else if (action === 'A') this.#row = Math.max(this.#top, this.#row - Number(amount));
    else if (action === 'M') this.#lines.splice(this.#row, Number(amount));
    else if (token === '\u001b[K') this.#line().cells.splice(this.#column);
    else if (/^\u001b\[[\d;]*m$/.test(token)) return;
    else if (token === '\r') this.#column = 0;
    else if (token === '\n') this.#row += 1;
    else if (token.startsWith('\u001b')) assert.fail(`the terminal does not know ${JSON.stringify(token)}`);
    else this.#put(token);
    this.#line();
    this.#showCursor();
  }

  #put(character: string): void {
    const width = textWidth(character);
    if (this.#column + width > this.columns) {
      if (this.modes.get('7') === false) this.#column = this.columns - width;
      else {
        this.#line().isBroken = true;
        [this.#row, this.#column] = [this.#row + 1, 0];
      }
    }
    const { cells } = this.#line();
    while (cells.length < this.#column) cells.push(' ');
    cells.splice(this.#column, width, character, ...Array.from({ length: width - 1 }, () => ''));
    this.#column += width;
  }

  #line(): Row {
    while (this.#lines.length <= this.#row) this.#lines.push(emptyRow());
    const line = this.#lines[this.#row];
    assert.ok(line !== undefined);
    return line;
  }

  /** The cursor stands at the beginning of its row whenever somebody resizes: the screen leaves it there. */
  #breakAnew(columns: number): void {
    const before = this.#row - this.#top;
    const anew: Row[] = [];
    let row = 0;
    let joined: string[] = [];
    this.#lines.forEach((line, index) => {
      if (index === this.#row) row = anew.length;
      joined = [...joined, ...line.cells];
      if (line.isBroken) return;
      anew.push(...broken(joined, columns));
      joined = [];
    });
    [this.#lines, this.#row] = [anew, row];
    this.#top = Math.max(0, row - before);
  }

  #showCursor(): void {
    this.#top = Math.max(this.#top, this.#row - this.rows + 1);
  }
}

function emptyRow(): Row {
  return { cells: [], isBroken: false };
}

function broken(cells: readonly string[], columns: number): Row[] {
  const rows: Row[] = [];
  for (let from = 0; from === 0 || from < cells.length; from += columns) {
    rows.push({ cells: cells.slice(from, from + columns), isBroken: from + columns < cells.length });
  }
  return rows;
}
