/** Well-known text as a tree of positions: `POLYGON ((0 0, 1 0, 1 1, 0 0))`. Third coordinates are dropped. */

export type Position = readonly [number, number];
/** A position or a list of such trees. */
export type WktTree = Position | { readonly items: readonly WktTree[] };

export interface WktShape {
  /** Upper case. */
  readonly name: string;
  readonly tree: WktTree | null;
  /** Members of a collection. */
  readonly members: readonly WktShape[];
}

const NUMBER = /\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;

/** Null when the text is no well-known text. */
export function parseWkt(text: string): WktShape | null {
  const reader = new WktReader(text);
  const shape = reader.shape();
  return shape !== null && reader.isAtEnd() ? shape : null;
}

class WktReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    return this.#text.slice(this.#at).trim() === '';
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  shape(): WktShape | null {
    const name = this.#match(/\s*([a-z]+)/iy)?.[1]?.toUpperCase();
    if (name === undefined) return null;
    if (this.#match(/\s*EMPTY/iy) !== null) return { name, tree: null, members: [] };
    if (name === 'GEOMETRYCOLLECTION') {
      const members = this.#list(() => this.shape());
      return members === null ? null : { name, tree: null, members };
    }
    const tree = this.#tree();
    return tree === null ? null : { name, tree, members: [] };
  }

  #list<T>(item: () => T | null): readonly T[] | null {
    if (this.#match(/\s*\(/y) === null) return null;
    const items: T[] = [];
    do {
      const next = item();
      if (next === null) return null;
      items.push(next);
    } while (this.#match(/\s*,/y) !== null);
    return this.#match(/\s*\)/y) === null ? null : items;
  }

  #tree(): WktTree | null {
    const items = this.#list(() => this.#position() ?? this.#tree());
    return items === null ? null : { items };
  }

  #position(): Position | null {
    const start = this.#at;
    const [x, y] = [this.#match(NUMBER)?.[1], this.#match(NUMBER)?.[1]];
    if (x !== undefined && y !== undefined) {
      this.#match(NUMBER);
      return [Number(x), Number(y)];
    }
    this.#at = start;
    return null;
  }
}
