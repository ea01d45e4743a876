/**
 * SQL text cut into tokens with their places. Of CrateDB's grammar only what CREATE TABLE needs: names, texts,
 * numbers, symbols; comments are blanks.
 */

export interface Token {
  /** `end` closes every list of tokens; `bad` is a character that begins none, and the last one before the end. */
  readonly kind: 'word' | 'quoted' | 'text' | 'number' | 'symbol' | 'end' | 'bad';
  /** Words in lower case; quoted names and texts without their quotes. */
  readonly value: string;
  /** Half open, in UTF-16 units of the text. */
  readonly start: number;
  readonly end: number;
}

const TOKEN = new RegExp(
  [
    String.raw`(?<blank>\s+|--[^\n]*|/\*[\s\S]*?\*/)`,
    String.raw`[eE]'(?<escaped>(?:[^'\\]|''|\\[\s\S])*)'`,
    String.raw`[bB]'(?<bits>[01]*)'`,
    String.raw`(?<word>[\p{L}_][\p{L}\p{N}_$@]*)`,
    String.raw`"(?<quoted>(?:[^"]|"")*)"`,
    String.raw`'(?<text>(?:[^']|'')*)'`,
    String.raw`(?<number>\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)`,
    String.raw`(?<symbol>(?!/\*)(?:::|\|\||<=|>=|<>|!=|!~\*?|~\*|[-+*/%^=<>()[\]{},.;:~&|#?$]))`,
  ].join('|'),
  'uy',
);

/** All tokens and the `end` after them; nothing is read behind a `bad` one. Never throws. */
export function tokensOf(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length && tokens.at(-1)?.kind !== 'bad') {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(sql);
    const end = match === null ? at + 1 : TOKEN.lastIndex;
    if (match?.groups?.['blank'] === undefined) {
      tokens.push({ ...meaningOf(match, sql[at] ?? ''), start: at, end });
    }
    at = end;
  }
  tokens.push({ kind: 'end', value: '', start: sql.length, end: sql.length });
  return tokens;
}

function meaningOf(match: RegExpExecArray | null, character: string): Pick<Token, 'kind' | 'value'> {
  if (match === null) return { kind: 'bad', value: character };
  const { escaped, bits, word, quoted, text, number } = match.groups ?? {};
  if (escaped !== undefined) return { kind: 'text', value: unescaped(escaped) };
  if (bits !== undefined) return { kind: 'text', value: bits };
  if (word !== undefined) return { kind: 'word', value: word.toLowerCase() };
  if (quoted !== undefined) return { kind: 'quoted', value: quoted.replaceAll('""', '"') };
  if (text !== undefined) return { kind: 'text', value: text.replaceAll("''", "'") };
  if (number !== undefined) return { kind: 'number', value: number.replaceAll('_', '') };
  return { kind: 'symbol', value: match[0] };
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** C-style escapes of `E'…'`. */
function unescaped(text: string): string {
  return text
    .replaceAll("''", "'")
    .replace(
      /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{1,2})|([\s\S]))/g,
      (_, wide?: string, narrow?: string, plain?: string) =>
        plain === undefined
          ? String.fromCharCode(Number.parseInt(wide ?? narrow ?? '0', 16))
          : (ESCAPES[plain] ?? plain),
    );
}

/** Line and column, both from 1, of an offset. */
export function placeOf(sql: string, offset: number): { readonly line: number; readonly column: number } {
  const before = sql.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
