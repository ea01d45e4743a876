/** How large the whole numbers are that a column's type holds: for validation, and for sequences that end there. */
import type { ColumnType, SequenceGenerator } from './schema.ts';

export interface Limits {
  readonly min: number;
  readonly max: number;
}

const SAFE: Limits = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };

/** The whole numbers that the type holds exactly, and JavaScript too; those of a bigint for what holds no numbers. */
export function wholeLimits(type: ColumnType): Limits {
  switch (type.kind) {
    case 'byte':
      return signed(7);
    case 'smallint':
      return signed(15);
    case 'integer':
      return signed(31);
    case 'real':
      return { min: -(2 ** 24), max: 2 ** 24 };
    case 'numeric': {
      const max = Math.min(10 ** (type.precision - type.scale) - 1, SAFE.max);
      return { min: -max, max };
    }
    default:
      return SAFE;
  }
}

function signed(bits: number): Limits {
  return { min: -(2 ** bits), max: 2 ** bits - 1 };
}

/** After how many rows the sequence begins again in a column of these limits: 0 if it cannot even start, or is none. */
export function sequencePeriod({ start, step, wrap }: SequenceGenerator, { min, max }: Limits): number {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(step) || step === 0) return 0;
  if (start < min || start > max) return 0;
  const room = step > 0 ? BigInt(max) - BigInt(start) : BigInt(start) - BigInt(min);
  return wrap ?? Number(room / BigInt(Math.abs(step))) + 1;
}
