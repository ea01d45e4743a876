/** Numbers as ASCII digits into a buffer: the leaves of the reference generator. Each returns the end offset. */

const ZERO = 48;
const POINT = 46;
const MINUS = 45;
const GROUP = 1e9;

/** A whole number below 2^53 with at least `digits` digits. */
export function writeWhole(target: Uint8Array, at: number, value: number, digits: number): number {
  if (value >= GROUP) {
    const high = Math.floor(value / GROUP);
    return writeFixed(target, writeWhole(target, at, high, digits - 9), value - high * GROUP, 9);
  }
  let length = Math.max(digits, 1);
  for (let limit = 10 ** length; value >= limit; limit *= 10) length += 1;
  return writeFixed(target, at, value, length);
}

/** A whole number below 10^digits, filled with leading zeros. */
export function writeFixed(target: Uint8Array, at: number, value: number, digits: number): number {
  if (digits > 9) {
    const high = Math.floor(value / GROUP);
    return writeFixed(target, writeFixed(target, at, high, digits - 9), value - high * GROUP, 9);
  }
  let rest = value | 0;
  for (let place = at + digits - 1; place >= at; place -= 1) {
    const shorter = (rest / 10) | 0;
    target[place] = ZERO + rest - shorter * 10;
    rest = shorter;
  }
  return at + digits;
}

/** value · 10^-scale for an integer within ±(2^53 − 1): `-0.05`, `12.30`, `7`. */
export function writeDecimal(
  target: Uint8Array,
  at: number,
  value: number,
  scale: number,
  digits: number,
): number {
  let start = at;
  if (value < 0) {
    target[start] = MINUS;
    start += 1;
  }
  const size = Math.abs(value);
  if (scale === 0) return writeWhole(target, start, size, digits);
  const unit = 10 ** scale;
  const whole = Math.floor(size / unit);
  const point = writeWhole(target, start, whole, digits - scale);
  target[point] = POINT;
  return writeFixed(target, point + 1, size - whole * unit, scale);
}

/** The same for any 64-bit integer. */
export function writeLongDecimal(
  target: Uint8Array,
  at: number,
  value: bigint,
  scale: number,
  digits: number,
): number {
  const size = (value < 0n ? -value : value).toString().padStart(Math.max(digits, scale + 1), '0');
  const text = scale === 0 ? size : `${size.slice(0, -scale)}.${size.slice(-scale)}`;
  return writeAscii(target, at, value < 0n ? `-${text}` : text);
}

export function writeAscii(target: Uint8Array, at: number, text: string): number {
  for (let place = 0; place < text.length; place += 1) target[at + place] = text.charCodeAt(place);
  return at + text.length;
}
