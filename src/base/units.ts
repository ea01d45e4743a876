/**
 * Quantities as people write and read them: rows, bytes, durations, rates. Parsing returns null for anything
 * that is not exactly such a quantity; the caller knows the flag and says what is accepted.
 */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

const COUNT_FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
const BYTE_FACTORS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
const DURATION_FACTORS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };

/** What each parser accepts, for error messages. */
export const ACCEPTED = {
  count: 'a whole number, with k, m or g for thousands, millions or billions (250k, 1.5m)',
  bytes: 'a size in bytes, with k, m or g for KiB, MiB or GiB (16m)',
  duration: 'a duration with its unit: ms, s, m or h (500ms, 30s, 5m, 1.5h)',
  rate: 'rows per second, with k or m (50k)',
} as const;

/** `10m` → 10,000,000 rows. Null unless a whole number from 0 to 2^53-1 comes out. */
export function parseCount(text: string): number | null {
  return scaled(text, COUNT_FACTORS);
}

/** `16m` → 16,777,216 bytes. */
export function parseBytes(text: string): number | null {
  return scaled(text.replace(/i?b$/i, ''), BYTE_FACTORS);
}

/** `1.5h` → 5,400,000 ms. The unit is required, except for a bare 0. */
export function parseDurationMs(text: string): number | null {
  return text.trim() === '0' ? 0 : scaled(text, DURATION_FACTORS_MS);
}

/** `50k` → 50,000 rows/s; `50k/s` and `50k rows/s` too. Null for 0: a rate of nothing is no rate. */
export function parseRate(text: string): number | null {
  const rate = scaled(text.replace(/\s*(rows)?\/s$/i, ''), COUNT_FACTORS);
  return rate === 0 ? null : rate;
}

function scaled(text: string, factors: Readonly<Record<string, number>>): number | null {
  const match = /^(\d{1,16}(?:\.\d{1,6})?)\s*([a-z]*)$/i.exec(text.trim());
  if (match === null) return null;
  const factor = factors[(match[2] ?? '').toLowerCase()];
  if (factor === undefined) return null;
  const value = Number(match[1]) * factor;
  const whole = Math.round(value);
  return Math.abs(value - whole) < 1e-6 && Number.isSafeInteger(whole) ? whole : null;
}

/** 17200000 → `17,200,000`. */
export function formatExact(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Three significant digits and a unit: 57312 → `57.3 k`, 2410000 → `2.41 m`, 302 → `302`. */
export function formatShort(count: number): string {
  return scaleDown(count, 1000, ['', ' k', ' m', ' g', ' t']);
}

/** 14.1e6 → `13.4 MiB`. */
export function formatBytes(bytes: number): string {
  return scaleDown(bytes, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']);
}

function scaleDown(value: number, base: number, units: readonly string[]): string {
  let size = Math.abs(value);
  let step = 0;
  while (step < units.length - 1 && Number(threeDigits(size)) >= base) {
    size /= base;
    step += 1;
  }
  return `${value < 0 ? '-' : ''}${threeDigits(size)}${units[step] ?? ''}`;
}

function threeDigits(size: number): string {
  if (size >= 100 || Number.isInteger(size)) return size.toFixed(0);
  return size >= 10 ? size.toFixed(1) : size.toFixed(2);
}

/** What a percentage of CPU is of, where 100 is one core: `800 %`, or `one core`, of which a process may take more. */
export function formatCores(cores: number): string {
  return cores === 1 ? 'one core' : `${Math.round(cores * 100)} %`;
}

/** Milliseconds for people: `0.8 ms`, `61 ms`, `2.4 s`, `5m 02s`, `1h 04m`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  const seconds = Math.round(ms / 1000);
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s`;
  return `${Math.floor(seconds / 3600)}h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')}m`;
}

/** Milliseconds as a flag takes them back: 90000 → `90s`, 1500 → `1500ms`. */
export function durationFlag(ms: number): string {
  if (ms % 3.6e6 === 0 && ms > 0) return `${ms / 3.6e6}h`;
  if (ms % 6e4 === 0 && ms > 0) return `${ms / 6e4}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
