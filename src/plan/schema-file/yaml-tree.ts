/**
 * YAML or JSON as a tree of plain data in which every node knows its line and column, so that each problem of a file
 * can be told where it is. Data only, and bounded: size, aliases, depth and number of nodes.
 */
import { printable } from '../../base/text.ts';
import { MAX_YAML_ALIASES } from '../config-file.ts';

/** Objects in arrays in objects: more than CrateDB's own 20 levels, less than any stack. */
const MAX_DEPTH = 60;
/** Aliases may repeat what they stand for. */
const MAX_NODES = 200_000;

/** From 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export type Scalar = string | number | boolean | null;

export interface TreeEntry {
  readonly key: Scalar;
  readonly keyAt: Place;
  readonly value: Tree;
}

export type Tree =
  | { readonly kind: 'scalar'; readonly at: Place; readonly value: Scalar }
  | { readonly kind: 'list'; readonly at: Place; readonly items: readonly Tree[] }
  /** Keys are different from each other. */
  | { readonly kind: 'map'; readonly at: Place; readonly entries: readonly TreeEntry[] };

export type ReadTree =
  | { readonly ok: true; readonly tree: Tree }
  | { readonly ok: false; readonly problems: readonly { readonly at: Place; readonly what: string }[] };

const START: Place = { line: 1, column: 1 };

/** YAML 1.2 core schema: no tags, no duplicate keys, one document. JSON is YAML. */
export async function readTree(text: string): Promise<ReadTree> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const placeOf = (offset: number | undefined): Place => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const refused = (at: Place, what: string): ReadTree => ({ ok: false, problems: [{ at, what }] });
  try {
    const documents = yaml.parseAllDocuments(text.replace(/^\uFEFF/, ''), {
      schema: 'core',
      strict: true,
      uniqueKeys: true,
      prettyErrors: false,
      lineCounter: lines,
    });
    const [document, second] = Array.isArray(documents) ? documents : [];
    if (document === undefined) return refused(START, 'the file is empty');
    if (second !== undefined) return refused(placeOf(second.range[0]), 'a second YAML document');
    const flaws = [...document.errors, ...document.warnings];
    if (flaws.length > 0) {
      const problems = flaws.map(({ pos, code, message }) => ({
        at: placeOf(pos[0]),
        what: `not valid YAML: ${printable(message, 120)} (${code})`,
      }));
      return { ok: false, problems };
    }
    let [nodes, aliases] = [0, 0];
    const treeOf = (node: unknown, depth: number): Tree => {
      nodes += 1;
      if (nodes > MAX_NODES) throw new TooLarge(`more than ${MAX_NODES} values`);
      if (depth > MAX_DEPTH) throw new TooLarge(`more than ${MAX_DEPTH} levels`);
      if (yaml.isAlias(node)) {
        aliases += 1;
        if (aliases > MAX_YAML_ALIASES) throw new TooLarge(`more than ${MAX_YAML_ALIASES} aliases`);
        return treeOf(node.resolve(document), depth + 1);
      }
      if (yaml.isSeq(node))
        return {
          kind: 'list',
          at: placeOf(node.range?.[0]),
          items: node.items.map((item) => treeOf(item, depth + 1)),
        };
      if (yaml.isMap(node))
        return {
          kind: 'map',
          at: placeOf(node.range?.[0]),
          entries: node.items.map((pair) => entryOf(pair, depth)),
        };
      if (!yaml.isScalar(node)) return { kind: 'scalar', at: START, value: null };
      return { kind: 'scalar', at: placeOf(node.range?.[0]), value: scalarOf(node.value) };
    };
    const entryOf = (pair: { key: unknown; value: unknown }, depth: number): TreeEntry => {
      const key = treeOf(pair.key, depth + 1);
      if (key.kind !== 'scalar') throw new TooLarge('a key that is no single value', key.at);
      const nothing: Tree = { kind: 'scalar', at: key.at, value: null };
      return {
        key: key.value,
        keyAt: key.at,
        value: pair.value === null ? nothing : treeOf(pair.value, depth + 1),
      };
    };
    return { ok: true, tree: treeOf(document.contents, 0) };
  } catch (error) {
    if (error instanceof TooLarge) return refused(error.at, `${error.message}, which no schema needs`);
    if (error instanceof RangeError) return refused(START, 'nested too deeply');
    throw error;
  }
}

class TooLarge extends Error {
  readonly at: Place;

  constructor(message: string, at: Place = START) {
    super(message);
    this.at = at;
  }
}

/** Big integers and dates do not occur in the core schema. */
function scalarOf(value: unknown): Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
