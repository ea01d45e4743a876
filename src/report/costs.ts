/** What a process of a run cost, as every report works it out from the run file. Pure. */
import { sumOfKnown } from '../metrics/measured.ts';
import type { RunFileWorker } from './run-file-schema.ts';

/** CPU seconds, user and system; null where neither was measured. */
export function cpuSecondsOf({ cpu }: Pick<RunFileWorker, 'cpu'>): number | null {
  return sumOfKnown([cpu.userSeconds, cpu.systemSeconds]);
}

/** An amount for a million of `rows`; null without either. */
export function perMillionRows(amount: number | null, rows: number | null): number | null {
  return amount === null || rows === null || rows <= 0 ? null : (amount / rows) * 1e6;
}

/** Rows acknowledged in this part of the run: what a worker's times and costs belong to. */
export function ownRows({ ledger, earlierRows }: Pick<RunFileWorker, 'ledger' | 'earlierRows'>): number {
  return ledger.acknowledged - earlierRows;
}
