/**
 * The language that rows are described in: expressions over unsigned 64-bit integers that wrap, writes that put
 * their values into a row, and the pools that both read. There is no floating point and no Math.* in it, so any
 * two implementations agree to the last bit.
 */

/** The version of the op language and of the seeding: other numbers, other rows. */
export const ROW_FORMAT = 2;

/** Rows of a run are numbered below this, so that row × step stays exact in a double for all usual steps. */
export const MAX_ROWS = 2 ** 44;

/**
 * An unsigned 64-bit integer, wrapping. With key(row) = mix(seed64 + (row + 1) · 0x9E3779B97F4A7C15), replaced
 * inside a loop by finish(key + (element + 1) · 0xD1342543DE82EF95):
 * - `draw` is finish(key + constant), one independent draw per constant;
 * - `range` spreads a draw over 0…size−1: for sizes up to 2^16 (high half · size) >> 32, above the high 64 bits
 *   of draw · size;
 * - `load` reads a table of 32-bit values; `less` is 1 or 0, unsigned; `select` takes `then` if `when` ≠ 0;
 * - `divide` and `remainder` are unsigned; their right side is never 0.
 */
export type Expression =
  | { readonly op: 'constant'; readonly value: bigint }
  | { readonly op: 'row' }
  | { readonly op: 'draw'; readonly key: bigint }
  | { readonly op: 'mix' | 'finish'; readonly of: Expression }
  | { readonly op: BinaryOp; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'shiftLeft' | 'shiftRight'; readonly of: Expression; readonly bits: number }
  | { readonly op: 'range'; readonly of: Expression; readonly size: bigint }
  | { readonly op: 'load'; readonly table: number; readonly index: Expression }
  | {
      readonly op: 'select';
      readonly when: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
    }
  | { readonly op: 'local'; readonly local: number };

export type BinaryOp =
  'add' | 'subtract' | 'multiply' | 'divide' | 'remainder' | 'and' | 'or' | 'xor' | 'less';

/**
 * One step of a row. Locals are set once, before they are read.
 * - `decimal` writes value · 10^-scale, the value taken as signed (two's complement) if `signed`, with at least
 *   `digits` digits; `timestamp` writes an unsigned integer, as a decimal of scale 0 would (it advances slowly,
 *   which a generator may use);
 * - `hex` writes the value's last `digits` hexadecimal digits; `uuid` is version 4 from draw and
 *   finish(draw + 0xD1342543DE82EF95);
 * - `base62` and `bits` take blocks finish(draw + block · 0xD1342543DE82EF95): 8 characters of a block, four
 *   from the high half first, each the high word of (half · 62), going on with the low word; or its 64 bits,
 *   lowest first.
 */
export type Write =
  | { readonly op: 'literal'; readonly text: string }
  | { readonly op: 'pool'; readonly pool: number; readonly index: Expression }
  | {
      readonly op: 'decimal';
      readonly value: Expression;
      readonly scale: number;
      readonly signed: boolean;
      readonly digits: number;
    }
  | { readonly op: 'timestamp'; readonly value: Expression }
  | { readonly op: 'hex'; readonly value: Expression; readonly digits: number }
  | { readonly op: 'uuid'; readonly draw: Expression }
  | { readonly op: 'base62'; readonly draw: Expression; readonly length: Expression }
  | { readonly op: 'bits'; readonly draw: Expression; readonly length: number }
  | { readonly op: 'set'; readonly local: number; readonly value: Expression }
  | {
      readonly op: 'if';
      readonly when: Expression;
      readonly then: readonly Write[];
      readonly otherwise: readonly Write[];
    }
  | {
      readonly op: 'loop';
      readonly count: Expression;
      readonly separator: string;
      readonly body: readonly Write[];
    };

/**
 * Ready JSON fragments and tables of distributions, shared by all rows of a schema. Fragments of texts stand
 * without their quotes, so that several can make one text.
 */
export interface Pools {
  readonly bytes: Uint8Array;
  /** Fragment f is bytes[offsets[f]] to bytes[offsets[f + 1]]. */
  readonly offsets: Uint32Array;
  /** A pool's entries are the fragments first … first + count − 1. */
  readonly pools: readonly { readonly key: string; readonly first: number; readonly count: number }[];
  readonly tables: readonly { readonly key: string; readonly values: Uint32Array }[];
  /** sha256 over all of it, hexadecimal: other pools, other rows. */
  readonly hash: string;
}

/** What distinguishes one run's rows from another's of the same schema. The target table is not part of it. */
export interface RowIdentity {
  readonly seed: number;
  readonly runId: string;
  /** Wall-clock milliseconds at which time in the rows starts. */
  readonly timeOriginMs: number;
}

/** An inserted column and what writes its value. */
export interface ColumnPlan {
  readonly name: string;
  readonly writes: readonly Write[];
}

/** Everything that row `i` is a function of, as plain data that crosses a process boundary. */
export interface RowPlan {
  readonly rowFormat: typeof ROW_FORMAT;
  readonly schemaName: string;
  readonly identity: RowIdentity;
  readonly seed64: bigint;
  /** Writes that set the locals which several columns share; they write nothing. */
  readonly prologue: readonly Write[];
  /** The inserted columns, in the order of the statement. */
  readonly columns: readonly ColumnPlan[];
  readonly locals: number;
  readonly pools: Pools;
}
