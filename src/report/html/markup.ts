/**
 * HTML that cannot hold a foreign tag: pieces are made by one template tag alone, which escapes every text that is put
 * into it and shows control and direction characters as symbols.
 */
import { printable } from '../../base/text.ts';

/** The longest text from outside that a report shows in one place. */
const MAX_TEXT = 4096;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A finished piece of HTML. Only `html`, `joined` and `verbatim` make one. */
export class Markup {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** What may stand in a template: null and false are nothing, lists stand one behind the other. */
export type Piece = Markup | string | number | null | false | readonly Piece[];

/** Escapes what is put in; attribute values must be quoted in the template. */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  const source = parts.reduce(
    (text, part, index) => text + sourceOf(pieces[index - 1] ?? null) + flat(part),
    '',
  );
  return new Markup(source);
}

export function joined(pieces: readonly Piece[], between = ''): Markup {
  return new Markup(pieces.map(sourceOf).join(between));
}

/** Our own style sheet, scripts and path data, which must not be escaped. Never text from a run. */
export function verbatim(source: string): Markup {
  return new Markup(source);
}

/** A value as the JSON of a data block in HTML: nothing in it can end the block. */
export function jsonBlock(value: unknown): Markup {
  return new Markup(
    JSON.stringify(value).replace(/[<\u2028\u2029]/g, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    }),
  );
}

export function escapeText(text: string): string {
  return printable(text, MAX_TEXT).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** The indentation of our source is none of the page's business. */
function flat(part: string): string {
  return part.replace(/\n\s+/g, '\n');
}

function sourceOf(piece: Piece): string {
  if (piece === null || piece === false) return '';
  if (typeof piece === 'number') return String(piece);
  if (typeof piece === 'string') return escapeText(piece);
  return piece instanceof Markup ? piece.source : piece.map(sourceOf).join('');
}
