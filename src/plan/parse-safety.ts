/** Patience and guards: how long is waited for what, and what stops a run early. */
import { DAY_MS, HOUR_MS, parseCount } from '../base/units.ts';
import type { DiskGuard, SafetyPlan, Tolerance } from './run-plan.ts';
import type { SettingReader } from './setting-reader.ts';

const MAX_BYTES = 2 ** 50;

/** `stored` is what holds where the command line says nothing: a resumed run keeps its own. */
export function readSafety(reader: SettingReader, stored?: SafetyPlan): SafetyPlan {
  const wait = { min: 0, max: DAY_MS };
  return {
    timeoutMs: reader.durationMs('timeout', { min: 100, max: HOUR_MS }, stored?.timeoutMs ?? 90_000),
    retries: reader.count('retries', { min: 0, max: 1000 }, stored?.retries ?? 3),
    drainTimeoutMs: reader.durationMs(
      'drain-timeout',
      { min: 0, max: HOUR_MS },
      stored?.drainTimeoutMs ?? 15_000,
    ),
    outageTimeoutMs: reader.durationMs('outage-timeout', wait, stored?.outageTimeoutMs ?? 120_000),
    blockTimeoutMs: reader.durationMs('block-timeout', wait, stored?.blockTimeoutMs ?? 60_000),
    maxFailed: reader.parsed(
      'max-failed',
      parseTolerance,
      'expected a number of rows or a share of them, as 100 or 0.1%',
      stored?.maxFailed ?? { kind: 'rows', rows: 0 },
    ),
    stopsAtMaxFailed: reader.isSpelledOut('max-failed') || (stored?.stopsAtMaxFailed ?? false),
    maxBytes: reader.bytes('max-bytes', { min: 4096, max: MAX_BYTES }, stored?.maxBytes ?? null),
    stopAtDisk: reader.parsed(
      'stop-at-disk',
      parseDiskGuard,
      'expected a percentage from 1% to 100%, as 80%, or off',
      stored?.stopAtDisk ?? { kind: 'watermark' },
    ),
    isConfirmed: reader.switch('yes', stored?.isConfirmed ?? false),
  };
}

function parseDiskGuard(text: string): DiskGuard | null {
  if (text.trim().toLowerCase() === 'off') return { kind: 'off' };
  const percent = /^(\d{1,3}(?:\.\d{1,3})?)\s*%$/.exec(text.trim())?.[1];
  const share = Number(percent) / 100;
  return percent !== undefined && share >= 0.01 && share <= 1 ? { kind: 'share', share } : null;
}

function parseTolerance(text: string): Tolerance | null {
  const percent = /^(\d{1,3}(?:\.\d{1,9})?)\s*%$/.exec(text.trim())?.[1];
  if (percent === undefined) {
    const rows = parseCount(text);
    return rows === null ? null : { kind: 'rows', rows };
  }
  return Number(percent) <= 100 ? { kind: 'share', share: Number(percent) / 100 } : null;
}
