/** Numbers as the renders show them: with their unit, short, and `–` for what was not measured. */
import { formatBytes, formatDuration, formatExact, formatShort } from '../base/units.ts';

export const NOT_MEASURED = '–';

/** Formats a measured value; null is not 0. */
export function orDash(value: number | null, format: (value: number) => string): string {
  return value === null || !Number.isFinite(value) ? NOT_MEASURED : format(value);
}

/** `1 row`, `2,410 rows`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatExact(count)} ${count === 1 ? one : many}`;
}

/** Latencies, from microseconds on: `0.03 ms`, `61 ms`, `2.4 s`. */
export function formatLatency(ms: number): string {
  return ms < 1 ? `${ms.toFixed(2)} ms` : formatDuration(ms);
}

export function formatRate(rowsPerSecond: number): string {
  return `${formatShort(rowsPerSecond)} rows/s`;
}

export function formatByteRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** 9.4 → `9 %`; 100 is one core. */
export function formatPercent(percent: number): string {
  return `${percent.toFixed(0)} %`;
}

/** 0.04 → `4 %`. */
export function formatShare(share: number): string {
  return formatPercent(share * 100);
}

export function formatSeconds(seconds: number): string {
  return seconds < 10
    ? seconds.toFixed(2)
    : seconds < 100
      ? seconds.toFixed(1)
      : formatExact(Math.round(seconds));
}

/** Bytes as whole MiB, without the unit: the column's header has it. */
export function formatMebibytes(bytes: number): string {
  return formatExact(Math.round(bytes / 2 ** 20));
}

/** Time of a running clock: 42,000 ms → `00:42`, over an hour `1:04:09`. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${two(minutes)}:${two(seconds % 60)}`;
}

/** The middle value; of two middle ones their mean. Null for none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [upper, lower] = [sorted[middle], sorted[middle - 1]];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}

/** `crategen.records`, or `crategen.records +2 tables` for a run that fills more. */
export function tablesText(main: string, others: number): string {
  return others === 0 ? main : `${main} +${counted(others, 'table')}`;
}
