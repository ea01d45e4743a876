/** `--fail-on METRIC OP VALUE`, as often as wanted. */
import { parseCount, parseDurationMs } from '../base/units.ts';
import { THRESHOLD_METRICS, THRESHOLD_OPERATORS, type Threshold } from './run-plan.ts';
import type { SettingReader } from './setting-reader.ts';

const MAX_THRESHOLDS = 50;

/** What does not parse is among the reader's problems. */
export function readThresholds(reader: SettingReader): readonly Threshold[] {
  const given = reader.list('fail-on');
  if (given.length > MAX_THRESHOLDS)
    reader.problems.push(`--fail-on: expected at most ${MAX_THRESHOLDS} conditions`);
  const thresholds: Threshold[] = [];
  for (const one of given.slice(0, MAX_THRESHOLDS)) {
    const threshold = parseThreshold(one.value);
    if (threshold === null) {
      reader.problem(
        one,
        `expected METRIC OP VALUE, as "p99>200ms", "rows/s<50k", "failed>0" or "cpu>150"; metrics ${THRESHOLD_METRICS.join(' ')}, operators > >= < <=`,
      );
    } else thresholds.push(threshold);
  }
  return thresholds;
}

function parseThreshold(text: string): Threshold | null {
  const match = /^\s*([a-z0-9/]+)\s*(>=|<=|>|<)\s*(\S+)\s*$/i.exec(text);
  const metric = THRESHOLD_METRICS.find((name) => name === match?.[1]?.toLowerCase());
  const operator = THRESHOLD_OPERATORS.find((name) => name === match?.[2]);
  if (metric === undefined || operator === undefined) return null;
  const value = thresholdValue(metric, match?.[3] ?? '');
  return value === null ? null : { metric, operator, value, text: text.trim() };
}

/** Latencies in ms, rates in rows/s, rows as counts, CPU in percent of a core. */
function thresholdValue(metric: Threshold['metric'], text: string): number | null {
  switch (metric) {
    case 'rows/s':
      return parseCount(text.replace(/(rows)?\/s$/i, ''));
    case 'rejected':
    case 'failed':
    case 'unknown':
      return parseCount(text);
    case 'cpu':
      return /^\d{1,6}(\.\d{1,3})?%?$/.test(text) ? Number.parseFloat(text) : null;
    default:
      return parseDurationMs(text);
  }
}
