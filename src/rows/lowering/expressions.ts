/** Short forms of the row plan's expressions and writes, for the lowering of generators. */
import { keyOf } from '../hashing.ts';
import type { BinaryOp, Expression, Write } from '../row-format.ts';

export const ROW: Expression = { op: 'row' };

/** Negative numbers stay negative, so that intervals stay small: −5 is the number −5, not 2^64 − 5. */
export function constant(value: bigint | number): Expression {
  return { op: 'constant', value: BigInt(value) };
}

function binary(op: BinaryOp, left: Expression, right: Expression | number): Expression {
  return { op, left, right: typeof right === 'number' ? constant(right) : right };
}

export const add = (left: Expression, right: Expression | number): Expression =>
  right === 0 ? left : binary('add', left, right);
export const subtract = (left: Expression, right: Expression | number): Expression =>
  binary('subtract', left, right);
export const multiply = (left: Expression, right: Expression | number): Expression =>
  right === 1 ? left : binary('multiply', left, right);
export const divide = (left: Expression, right: number): Expression =>
  right === 1 ? left : binary('divide', left, right);
export const remainder = (left: Expression, right: number): Expression => binary('remainder', left, right);
export const and = (left: Expression, right: Expression | number): Expression => binary('and', left, right);
export const less = (left: Expression, right: Expression | number): Expression => binary('less', left, right);

export const shiftLeft = (of: Expression, bits: number): Expression =>
  bits === 0 ? of : { op: 'shiftLeft', of, bits };
export const shiftRight = (of: Expression, bits: number): Expression => ({ op: 'shiftRight', of, bits });
export const finish = (of: Expression): Expression => ({ op: 'finish', of });
export const mix = (of: Expression): Expression => ({ op: 'mix', of });
export const load = (table: number, index: Expression): Expression => ({ op: 'load', table, index });
export const local = (index: number): Expression => ({ op: 'local', local: index });

export function select(when: Expression, then: Expression, otherwise: Expression): Expression {
  return { op: 'select', when, then, otherwise };
}

/** The draw that belongs to a name. */
export function draw(name: string): Expression {
  return { op: 'draw', key: keyOf(name) };
}

/** 0…size − 1 from a draw; no range is needed for a single value. */
export function range(of: Expression, size: number | bigint): Expression {
  return BigInt(size) === 1n ? constant(0) : { op: 'range', of, size: BigInt(size) };
}

/** 1 in about `share` of the draws, else 0. */
export function happens(of: Expression, share: number): Expression {
  return less(shiftRight(of, 32), Math.round(share * 2 ** 32));
}

export const literal = (text: string): Write => ({ op: 'literal', text });
export const pool = (index: number, entry: Expression): Write => ({ op: 'pool', pool: index, index: entry });
export const set = (index: number, value: Expression): Write => ({ op: 'set', local: index, value });
