/**
 * Lines of text with a width and a style, from which every text surface is made: measured in terminal cells,
 * cut or wrapped to the width at hand, and only at the very end turned into characters and escape codes.
 */

/** What the reader of a text can show. */
export interface TextView {
  /** Terminal cells a line may take. */
  readonly columns: number;
  readonly colour: boolean;
  /** False: only ASCII is written. */
  readonly unicode: boolean;
}

export type Style = 'plain' | 'bold' | 'dim' | 'red' | 'redBold' | 'green' | 'yellow' | 'cyan';

export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** A line is spans side by side; none of them holds a control character. */
export type Line = readonly Span[];

const STYLE_CODES: Readonly<Record<Style, string>> = {
  plain: '',
  bold: '1',
  dim: '2',
  red: '31',
  redBold: '1;31',
  green: '32',
  yellow: '33',
  cyan: '36',
};

/** What is between the characters of a rendered line: it takes no cell. */
export const STYLE_CODE = /\u001b\[[\d;]*m/g;

/** Characters that take no cell: combining marks, joiners, variation selectors. */
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

/** Characters that take two: East Asian wide and full-width forms (Unicode 16, UAX #11), and emoji. */
const DOUBLE_WIDTH =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1af00}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}$/u;

/** Our own symbols where only ASCII is shown: one cell for one cell, so that nothing moves. */
const ASCII_FORMS: Readonly<Record<string, string>> = {
  '→': '>',
  '↑': '^',
  '↓': 'v',
  '·': '|',
  '–': '-',
  '—': '-',
  '…': '~',
  '×': 'x',
  '±': '~',
  '≤': '<',
  '≥': '>',
  '█': '#',
  '░': '.',
  '▁': '_',
  '▂': '.',
  '▃': '-',
  '▄': '=',
  '▅': '+',
  '▆': '*',
  '▇': '%',
  µ: 'u',
  '’': "'",
};

export function plain(text: string): Span {
  return { text, style: 'plain' };
}

export function styled(style: Style, text: string): Span {
  return { text, style };
}

/** Terminal cells that a text takes. */
export function textWidth(text: string): number {
  // Almost everything is ASCII, where a character is a cell.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

function cellsOf(character: string): number {
  // ASCII, and the blocks that bars and curves are made of.
  if (character <= '~' || (character >= '▀' && character <= '▟')) return 1;
  if (ZERO_WIDTH.test(character)) return 0;
  return DOUBLE_WIDTH.test(character) ? 2 : 1;
}

export function lineWidth(line: Line): number {
  return line.reduce((width, span) => width + textWidth(span.text), 0);
}

/** The first cells of a text, with `…` as the last one when something was cut. */
export function cut(text: string, cells: number): string {
  if (textWidth(text) <= cells) return text;
  if (cells <= 0) return '';
  let kept = '';
  let width = 0;
  for (const character of text) {
    width += cellsOf(character);
    if (width > cells - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

export function padEnd(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - textWidth(text)));
}

export function padStart(text: string, cells: number): string {
  return ' '.repeat(Math.max(0, cells - textWidth(text))) + text;
}

/** The line cut to `cells`; what does not fit ends in `…`. */
export function cutLine(line: Line, cells: number): Line {
  if (lineWidth(line) <= cells) return line;
  const kept: Span[] = [];
  let left = cells;
  for (const span of line) {
    if (left <= 0) break;
    const width = textWidth(span.text);
    // A span that fits exactly must still give a cell to the mark, since another one follows.
    const text = width < left ? span.text : cut(`${span.text}…`, left);
    kept.push({ text, style: span.style });
    left -= Math.min(width, left);
  }
  return kept;
}

/** `left` and `right` on one line of `cells`, the right one whole, the left one cut where they would touch. */
export function justify(left: Line, right: Line, cells: number): Line {
  const room = cells - lineWidth(right) - 2;
  if (room < 8) return cutLine([...left, plain('  '), ...right], cells);
  const shown = cutLine(left, room);
  return [...shown, plain(' '.repeat(cells - lineWidth(shown) - lineWidth(right))), ...right];
}

/** Breaks a text at blanks into lines of at most `cells`; a longer word is broken where it must be. */
export function wrap(text: string, cells: number): string[] {
  const room = Math.max(cells, 1);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > room) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    while (textWidth(line) > room) {
      const head = firstCells(line, room);
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}

/** At least one character, so that a caller's loop ends even where a wide character has no room. */
function firstCells(text: string, cells: number): string {
  let head = '';
  let width = 0;
  for (const character of text) {
    width += cellsOf(character);
    if (width > cells && head !== '') break;
    head += character;
  }
  return head;
}

/** The characters of a line: at most `columns` cells, with escape codes only where colours are shown. */
export function renderLine(line: Line, view: TextView): string {
  const shown = merged(trimEnd(cutLine(line, view.columns)));
  return shown
    .map((span) => paint(view.unicode ? span.text : toAscii(span.text), span.style, view.colour))
    .join('');
}

/** Neighbours of one style as one span: fewer escape codes. */
function merged(line: Line): Line {
  const spans: Span[] = [];
  for (const span of line) {
    const last = spans.at(-1);
    if (last?.style === span.style)
      spans[spans.length - 1] = { text: last.text + span.text, style: span.style };
    else spans.push(span);
  }
  return spans;
}

function trimEnd(line: Line): Line {
  const last = line.at(-1);
  if (last === undefined) return line;
  const text = last.text.trimEnd();
  if (text === last.text && text !== '') return line;
  return text === '' ? trimEnd(line.slice(0, -1)) : [...line.slice(0, -1), { ...last, text }];
}

function paint(text: string, style: Style, colour: boolean): string {
  const code = STYLE_CODES[style];
  return colour && code !== '' && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** Everything outside ASCII as our own stand-ins or `?`, cell for cell. */
function toAscii(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  let ascii = '';
  for (const character of text) {
    const known = character <= '~' ? character : ASCII_FORMS[character];
    ascii += known ?? '?'.repeat(cellsOf(character));
  }
  return ascii;
}
