/** SQL text cut into tokens, with their places for error messages. */
import { syntaxError, type SqlFailure } from '../failure.ts';

export interface Token {
  /** `end` closes every list of tokens. */
  readonly kind: 'word' | 'quoted' | 'text' | 'number' | 'bits' | 'param' | 'symbol' | 'end';
  /** Words in lower case, quoted names and texts without their quotes. */
  readonly value: string;
  readonly raw: string;
  readonly offset: number;
}

const TOKEN = new RegExp(
  [
    String.raw`(?<blank>\s+|--[^\n]*|/\*[\s\S]*?\*/)`,
    String.raw`[bB]'(?<bits>[01]*)'`,
    String.raw`(?<escaped>[eE]'(?:[^'\\]|''|\\[\s\S])*')`,
    String.raw`(?<word>[\p{L}_][\p{L}\p{N}_$@]*)`,
    String.raw`"(?<quoted>(?:[^"]|"")*)"`,
    String.raw`'(?<text>(?:[^']|'')*)'`,
    String.raw`(?<number>\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)`,
    String.raw`(?<param>\$\d+|\?)`,
    String.raw`(?<symbol>::|\|\||<=|>=|<>|!=|~\*|!~|[-+*/%^=<>()[\]{},.;:~&|#])`,
  ].join('|'),
  'uy',
);

/** Throws a syntax failure at the first character that begins no token. */
export function tokenise(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(sql);
    if (match === null) throw failureAt(sql, at, `token recognition error at: '${sql.slice(at, at + 1)}'`);
    const token = toToken(match.groups ?? {}, match[0], at);
    if (token !== null) tokens.push(token);
    at = TOKEN.lastIndex;
  }
  tokens.push({ kind: 'end', value: '<EOF>', raw: '<EOF>', offset: sql.length });
  return tokens;
}

function toToken(
  groups: Readonly<Record<string, string | undefined>>,
  raw: string,
  offset: number,
): Token | null {
  const { bits, escaped, word, quoted, text, number, param } = groups;
  if (groups['blank'] !== undefined) return null;
  if (bits !== undefined) return { kind: 'bits', value: bits, raw, offset };
  if (escaped !== undefined) return { kind: 'text', value: unescape(escaped.slice(2, -1)), raw, offset };
  if (word !== undefined) return { kind: 'word', value: word.toLowerCase(), raw, offset };
  if (quoted !== undefined) return { kind: 'quoted', value: quoted.replaceAll('""', '"'), raw, offset };
  if (text !== undefined) return { kind: 'text', value: text.replaceAll("''", "'"), raw, offset };
  if (number !== undefined) return { kind: 'number', value: number.replaceAll('_', ''), raw, offset };
  if (param !== undefined) return { kind: 'param', value: param, raw, offset };
  return { kind: 'symbol', value: raw, raw, offset };
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** C-style escapes of `E'…'`. */
function unescape(text: string): string {
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

/** A syntax failure with the line and column (both from 1) of an offset. */
export function failureAt(sql: string, offset: number, message: string): SqlFailure {
  const before = sql.slice(0, offset).split('\n');
  return syntaxError(before.length, (before.at(-1)?.length ?? 0) + 1, message);
}
