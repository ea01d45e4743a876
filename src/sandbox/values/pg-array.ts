/** PostgreSQL array texts: `{1,2}`, `{"a b",NULL}`, `{{1},{2}}`. */
import type { Json } from './json.ts';

/** Nested lists of texts and nulls, or null when the text is no such array. */
export function parsePgArray(text: string): readonly Json[] | null {
  const reader = { text: text.trim(), at: 0 };
  const list = readList(reader);
  return list !== null && reader.at === reader.text.length ? list : null;
}

interface Position {
  readonly text: string;
  at: number;
}

function readList(reader: Position): readonly Json[] | null {
  if (reader.text[reader.at] !== '{') return null;
  reader.at += 1;
  const items: Json[] = [];
  if (reader.text[reader.at] === '}') {
    reader.at += 1;
    return items;
  }
  for (;;) {
    const item = readItem(reader);
    if (item === undefined) return null;
    items.push(item);
    const separator = reader.text[reader.at];
    reader.at += 1;
    if (separator === '}') return items;
    if (separator !== ',') return null;
  }
}

function readItem(reader: Position): Json | undefined {
  if (reader.text[reader.at] === '{') return readList(reader) ?? undefined;
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}\\]+))\s*/y;
  pattern.lastIndex = reader.at;
  const match = pattern.exec(reader.text);
  if (match === null) return undefined;
  reader.at = pattern.lastIndex;
  if (match[1] !== undefined) return match[1].replace(/\\(.)/g, '$1');
  const word = (match[2] ?? '').trim();
  return /^null$/i.test(word) ? null : word;
}
