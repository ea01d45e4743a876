/** Decimal numbers as Java's BigDecimal rounds them: to a precision first, then to a scale, halves away from zero. */

export interface Decimal {
  readonly unscaled: bigint;
  /** Digits after the point; negative for trailing zeros that are not written out. */
  readonly scale: number;
}

const DECIMAL = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,9}))?$/;

/** Digits after which a text is taken for an attack rather than a number, as the server's JSON reader does. */
const MAX_DIGITS = 1000;

/** Decimal digits of other scripts as ASCII: Java's number parsers take them all. */
export function asciiDigits(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text;
  return text.replace(/\p{Nd}/gu, (digit) => {
    // Every script has its ten digits in a row, and no row begins right after another one's 9 without being whole.
    const code = digit.codePointAt(0) ?? 0;
    let first = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first -= 1;
    return String((code - first) % 10);
  });
}

/** Reads `12.5`, `-.5`, `1e3`; null for anything else. */
export function parseDecimal(text: string): Decimal | null {
  const match = DECIMAL.exec(asciiDigits(text));
  if (match === null || text.length > MAX_DIGITS) return null;
  const fraction = match[3] ?? match[4] ?? '';
  const unscaled = BigInt(`${match[2] ?? ''}${fraction}`);
  return {
    unscaled: match[1] === '-' ? -unscaled : unscaled,
    scale: fraction.length - Number(match[5] ?? 0),
  };
}

/** Number of digits of the unscaled value; 1 for zero. */
export function digitCount(decimal: Decimal): number {
  return String(decimal.unscaled < 0n ? -decimal.unscaled : decimal.unscaled).length;
}

export function roundToPrecision(decimal: Decimal, precision: number): Decimal {
  const surplus = digitCount(decimal) - precision;
  if (surplus <= 0) return decimal;
  const rounded = { unscaled: divideHalfUp(decimal.unscaled, surplus), scale: decimal.scale - surplus };
  return roundToPrecision(rounded, precision); // 99.5 → 100 has a digit more than asked for
}

export function roundToScale(decimal: Decimal, scale: number): Decimal {
  const surplus = decimal.scale - scale;
  if (surplus > digitCount(decimal) + 1) return { unscaled: 0n, scale };
  if (surplus > 0) return { unscaled: divideHalfUp(decimal.unscaled, surplus), scale };
  return { unscaled: decimal.unscaled * 10n ** BigInt(-surplus), scale };
}

function divideHalfUp(value: bigint, digits: number): bigint {
  const divisor = 10n ** BigInt(digits);
  const magnitude = value < 0n ? -value : value;
  const rounded = (magnitude + divisor / 2n) / divisor;
  return value < 0n ? -rounded : rounded;
}

/** `12.5000`; a negative scale is written out with zeros. */
export function decimalText(decimal: Decimal): string {
  if (decimal.scale <= 0) return String(decimal.unscaled * 10n ** BigInt(-decimal.scale));
  const sign = decimal.unscaled < 0n ? '-' : '';
  const digits = String(decimal.unscaled < 0n ? -decimal.unscaled : decimal.unscaled).padStart(
    decimal.scale + 1,
    '0',
  );
  const point = digits.length - decimal.scale;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Orders two decimals: negative, 0 or positive. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const scale = Math.max(left.scale, right.scale);
  const difference = roundToScale(left, scale).unscaled - roundToScale(right, scale).unscaled;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
