/**
 * The writes of a plan as the pieces that code is written for: neighbouring literals are one, and whatever takes
 * one of few ready texts is a fragment, together with the literals and the fragments beside it.
 */
import type { Expression, Pools, RowPlan, Write } from '../row-format.ts';
import type { RowBrackets } from '../row-generator.ts';
import { fitsWord, tableBytes } from './fragments.ts';
import type { ValueEmitter } from './values.ts';

export type Piece =
  | { readonly kind: 'literal'; readonly text: Uint8Array }
  | Fragment
  | { readonly kind: 'write'; readonly write: PlainWrite }
  | { readonly kind: 'if'; readonly when: Expression; readonly then: Piece[]; readonly otherwise: Piece[] }
  | {
      readonly kind: 'loop';
      readonly count: Expression;
      readonly separator: Uint8Array;
      readonly body: Piece[];
    };

/** Writes that make their text from a value. */
export type PlainWrite = Exclude<Write, { readonly op: 'literal' | 'pool' | 'if' | 'loop' }>;

/** Which of the texts: the value less `from`, or 1 if the value is not 0. */
export type FragmentIndex =
  | { readonly by: 'value'; readonly value: Expression; readonly from: bigint }
  | { readonly by: 'truth'; readonly value: Expression };

/** One of some ready texts. */
export interface Fragment {
  readonly kind: 'fragment';
  /** What a text is made of, in order: entries, of which a text takes the one with its number, or a literal. */
  readonly parts: readonly (readonly Uint8Array[] | Uint8Array)[];
  /** Of the texts. */
  readonly lengths: readonly number[];
  readonly index: FragmentIndex;
}

/** The texts of a fragment. */
export function textsOf({ parts, lengths }: Fragment): Uint8Array[] {
  return lengths.map((length, number) => {
    const [only, ...more] = parts.flatMap((part) =>
      part instanceof Uint8Array ? [part] : (part[number] ?? []),
    );
    if (only === undefined) return new Uint8Array();
    return more.length === 0 ? only : concat([only, ...more], length);
  });
}

function fragmentOf(texts: readonly Uint8Array[], index: FragmentIndex): Fragment {
  return { kind: 'fragment', parts: [texts], lengths: texts.map(({ length }) => length), index };
}

/** Numbers of so few different values are ready texts. */
const MAX_NUMBERS = 1024;
/** Memory that a table may take so that more stands in one text. */
const MAX_FUSED_BYTES = 1 << 20;
const MAX_FOLDED_BYTES = 1 << 16;
const MAX_FOLDED_LITERAL = 16;
/** Memory that words may take as vectors. */
const MAX_WIDENED_BYTES = 1 << 10;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Leaves the text's number on the stack, an i32. */
export function pushIndex(values: ValueEmitter, index: FragmentIndex): void {
  if (index.by === 'truth') return values.pushTruth(index.value);
  const { value, from } = index;
  if (from === 0n) return values.pushI32(value);
  if (value.op === 'add' && value.right.op === 'constant' && value.right.value === from) {
    return values.pushI32(value.left);
  }
  values.pushI32(value);
  values.code.i32(Number(BigInt.asIntN(32, from))).do('i32.sub');
}

/** The row with its brackets and commas between its values. The prologue is not in it. */
export function piecesOfRow(plan: RowPlan, values: ValueEmitter, brackets: RowBrackets): Piece[] {
  const literal = (text: string): Write => ({ op: 'literal', text });
  const columns = plan.columns.flatMap(({ writes }, index) => [
    literal(index === 0 ? brackets.before : ','),
    ...writes,
  ]);
  const row = [...(columns.length === 0 ? [literal(brackets.before)] : columns), literal(brackets.behind)];
  return piecesOf(row, plan.pools, values);
}

export function piecesOf(writes: readonly Write[], pools: Pools, values: ValueEmitter): Piece[] {
  return joinedSuffixes(
    joinedFragments(
      literalsFirst(writes).map((write) => pieceOf(write, pools, values)),
      values,
    ),
  );
}

/** Literals before the locals that are set there, so that they stand beside what is written before. */
function literalsFirst(writes: readonly Write[]): Write[] {
  const ordered: Write[] = [];
  let sets: Write[] = [];
  for (const write of writes) {
    if (write.op === 'set') sets.push(write);
    else if (write.op === 'literal') ordered.push(write);
    else {
      ordered.push(...sets, write);
      sets = [];
    }
  }
  return [...ordered, ...sets];
}

/** Neighbouring literals are one; fragments with the same number are one, with what stands between them. */
function joinedFragments(pieces: readonly Piece[], values: ValueEmitter): Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    const before = joined.at(-2);
    if (piece.kind === 'literal' && last?.kind === 'literal') {
      joined[joined.length - 1] = {
        kind: 'literal',
        text: concat([last.text, piece.text], last.text.length + piece.text.length),
      };
    } else if (piece.kind === 'fragment' && last?.kind === 'fragment') {
      const both = zipped([last, piece], values);
      if (both === null) joined.push(piece);
      else joined[joined.length - 1] = both;
    } else if (piece.kind === 'fragment' && last?.kind === 'literal' && before?.kind === 'fragment') {
      const all = zipped([withSuffix(before, last.text), piece], values);
      if (all === null) joined.push(piece);
      else joined.splice(-2, 2, all);
    } else joined.push(piece);
  }
  return joined;
}

/** A literal behind fragments stands in each of them, if they stay small. */
function joinedSuffixes(pieces: readonly Piece[]): Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (piece.kind === 'literal' && last?.kind === 'fragment' && isWorthFolding(last, piece.text)) {
      joined[joined.length - 1] = withSuffix(last, piece.text);
    } else joined.push(piece);
  }
  return joined;
}

function pieceOf(write: Write, pools: Pools, values: ValueEmitter): Piece {
  switch (write.op) {
    case 'literal':
      return { kind: 'literal', text: encode(write.text) };
    case 'pool':
      return fragmentOf(entriesOf(write.pool, pools), { by: 'value', value: write.index, from: 0n });
    case 'decimal':
      return numbersOf(write, values) ?? { kind: 'write', write };
    case 'if': {
      const then = piecesOf(write.then, pools, values);
      const otherwise = piecesOf(write.otherwise, pools, values);
      return choiceOf(write.when, then, otherwise) ?? { kind: 'if', when: write.when, then, otherwise };
    }
    case 'loop': {
      const body = piecesOf(write.body, pools, values);
      return { kind: 'loop', count: write.count, separator: encode(write.separator), body };
    }
    default:
      return { kind: 'write', write };
  }
}

function entriesOf(pool: number, { bytes, offsets, pools }: Pools): Uint8Array[] {
  const { first = 0, count = 0 } = pools[pool] ?? {};
  return Array.from({ length: count }, (_, entry) =>
    bytes.subarray(offsets[first + entry], offsets[first + entry + 1]),
  );
}

/** A number of few different values as one of their texts. */
function numbersOf(write: Write & { op: 'decimal' }, values: ValueEmitter): Fragment | null {
  const { min, max } = values.intervalOf(write.value);
  if (max - min >= BigInt(MAX_NUMBERS) || max >= 1n << 63n || (min < 0n && !write.signed)) return null;
  const texts = Array.from({ length: Number(max - min) + 1 }, (_, index) =>
    encode(decimalText(min + BigInt(index), write.scale, write.digits)),
  );
  const fragment = fragmentOf(texts, { by: 'value', value: write.value, from: min });
  return texts.length > 256 && !fitsWord(fragment.lengths) ? null : fragment;
}

function decimalText(value: bigint, scale: number, digits: number): string {
  const size = (value < 0n ? -value : value).toString().padStart(Math.max(digits, scale + 1), '0');
  const text = scale === 0 ? size : `${size.slice(0, -scale)}.${size.slice(-scale)}`;
  return value < 0n ? `-${text}` : text;
}

/** Two literals are two texts: no branch to predict. */
function choiceOf(when: Expression, then: readonly Piece[], otherwise: readonly Piece[]): Fragment | null {
  const [yes, no] = [literalOf(then), literalOf(otherwise)];
  if (yes === null || no === null) return null;
  return fragmentOf([no, yes], { by: 'truth', value: when });
}

function literalOf(pieces: readonly Piece[]): Uint8Array | null {
  const [piece] = pieces;
  if (piece === undefined) return new Uint8Array();
  return piece.kind === 'literal' && pieces.length === 1 ? piece.text : null;
}

/** Two fragments that have the same number in every row, as one; null if they have not, or would be too large. */
function zipped([left, right]: readonly [Fragment, Fragment], values: ValueEmitter): Fragment | null {
  if (!isSameIndex(left.index, right.index, values)) return null;
  const count = Math.min(left.lengths.length, right.lengths.length);
  const lengths = left.lengths.slice(0, count).map((length, number) => length + (right.lengths[number] ?? 0));
  if (tableBytes(lengths) > MAX_FUSED_BYTES) return null;
  return { ...left, parts: [...left.parts, ...right.parts], lengths };
}

function withSuffix(fragment: Fragment, suffix: Uint8Array): Fragment {
  const lengths = fragment.lengths.map((length) => length + suffix.length);
  return { ...fragment, parts: [...fragment.parts, suffix], lengths };
}

function isWorthFolding(fragment: Fragment, suffix: Uint8Array): boolean {
  const { lengths } = withSuffix(fragment, suffix);
  const bytes = tableBytes(lengths);
  if (bytes <= tableBytes(fragment.lengths)) return true;
  if (fitsWord(fragment.lengths) && !fitsWord(lengths) && bytes > MAX_WIDENED_BYTES) return false;
  return suffix.length <= MAX_FOLDED_LITERAL && bytes <= MAX_FOLDED_BYTES;
}

function isSameIndex(left: FragmentIndex, right: FragmentIndex, values: ValueEmitter): boolean {
  if (left.by !== right.by || !values.isSame(left.value, right.value)) return false;
  return left.by === 'truth' || (right.by === 'value' && left.from === right.from);
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
