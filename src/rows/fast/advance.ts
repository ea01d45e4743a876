/** How a value moves from row to row, if it moves slowly: such a number begins as it did in the row before. */
import type { Expression } from '../row-format.ts';

/** By how much the value grows a row on the average, and how far it may be from that line. */
export interface Advance {
  readonly step: number;
  readonly jitter: number;
}

/** Null for what jumps. `localValue` is what a local was set to, if that is known. */
export function advanceOf(
  expression: Expression,
  localValue: (local: number) => Expression | undefined,
): Advance | null {
  const of = (part: Expression): Advance | null => advanceOf(part, localValue);
  switch (expression.op) {
    case 'row':
      return { step: 1, jitter: 0 };
    case 'constant':
      return { step: 0, jitter: 0 };
    case 'range':
      return { step: 0, jitter: Number(expression.size) };
    case 'local': {
      const value = localValue(expression.local);
      return value === undefined ? null : of(value);
    }
    case 'add': {
      const [left, right] = [of(expression.left), of(expression.right)];
      if (left === null || right === null) return null;
      return { step: left.step + right.step, jitter: left.jitter + right.jitter };
    }
    case 'multiply':
      return scaled(of(expression.left), expression.right, (value, by) => value * by);
    case 'divide':
      return scaled(of(expression.left), expression.right, (value, by) => value / by);
    default:
      return null;
  }
}

function scaled(
  advance: Advance | null,
  by: Expression,
  scale: (value: number, by: number) => number,
): Advance | null {
  if (advance === null || by.op !== 'constant') return null;
  const factor = Number(by.value);
  // A quotient moves in steps of one.
  return { step: scale(advance.step, factor), jitter: scale(advance.jitter, factor) + 1 };
}
