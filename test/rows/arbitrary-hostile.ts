/** Columns of text that naive encoders break on: quotes, DEL, U+2028, lone surrogates, long and empty texts. */
import fc from 'fast-check';
import type { Column, JsonValue } from '../../src/rows/schema.ts';

/** Text that breaks naive encoders. */
const anyHostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom(
    '"',
    '\\',
    '\\"',
    '\u007f',
    '\u0000',
    '\u2028',
    '\ud800',
    '\udfff\ud800',
    '🚀',
    '</script>',
    '',
  ),
  fc.integer({ min: 1, max: 3000 }).map((length) => '"\\é'.repeat(length)),
);
const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const anyValue = fc.oneof(
  anyHostileText,
  anyNumber,
  fc.boolean(),
  fc.dictionary(anyHostileText, anyHostileText, { maxKeys: 3 }),
) as fc.Arbitrary<JsonValue>;

/** A column without its name, and whether a value may be one of its. */
export interface HostileColumn {
  readonly column: Omit<Column, 'name'>;
  readonly isValue: (value: unknown) => boolean;
}

/** A column of hostile text. */
export const anyHostileColumn: fc.Arbitrary<HostileColumn> = fc.oneof(
  anyValue.map((value) => ({
    column: { type: { kind: 'text' as const }, generator: { kind: 'constant' as const, value } },
    isValue: (found: unknown) => JSON.stringify(found) === JSON.stringify(value),
  })),
  fc.array(anyHostileText, { minLength: 1, maxLength: 20 }).map((values) => ({
    column: {
      type: { kind: 'text' as const },
      generator: { kind: 'pool' as const, pool: { from: 'values' as const, values } },
      nulls: 0.2,
    },
    isValue: (found: unknown) => found === null || (typeof found === 'string' && values.includes(found)),
  })),
  fc.tuple(anyHostileText, anyHostileText).map(([before, after]) => ({
    column: {
      type: { kind: 'text' as const },
      generator: {
        kind: 'template' as const,
        parts: [before, { kind: 'digits' as const, min: 0, max: 99_999, width: 3 }, after],
      },
    },
    isValue: (found: unknown) =>
      typeof found === 'string' &&
      found.startsWith(before) &&
      found.endsWith(after) &&
      /^\d{3,5}$/.test(found.slice(before.length, found.length - after.length)),
  })),
);
