/** What the comparison of the ledger with the server came to; the shape that the run file keeps. */
export interface Verification {
  readonly method: 'count' | 'delta' | 'rows' | 'none';
  /** What the server counted; null when there was no count. */
  readonly stored: number | null;
  /**
   * `match` within bounds; `mismatch` the server contradicts the ledger; `advisory` a count that proves nothing;
   * `unavailable` there was no count to be had; `skipped` not asked for, or ended by a signal.
   */
  readonly verdict: 'match' | 'mismatch' | 'advisory' | 'unavailable' | 'skipped';
  /** One sentence with the numbers. */
  readonly detail: string;
}

/** Nothing was compared, and why. */
export function notVerified(detail: string): Verification {
  return { method: 'none', stored: null, verdict: 'skipped', detail };
}

/** The worst first: what one table came to, the run came to. */
const WORST_FIRST: readonly Verification['verdict'][] = [
  'mismatch',
  'unavailable',
  'skipped',
  'advisory',
  'match',
];

/** The verifications of a run's tables as one: as bad as the worst of them, its count their sum. */
export function verifiedTogether(
  tables: readonly { readonly name: string; readonly verification: Verification }[],
): Verification {
  const [first, ...others] = tables.map(({ verification }) => verification);
  if (first === undefined) return notVerified('');
  if (others.length === 0) return first;
  const rank = ({ verdict }: Verification): number => WORST_FIRST.indexOf(verdict);
  const worst = others.reduce((a, b) => (rank(b) < rank(a) ? b : a), first);
  const stored = [first, ...others].reduce<number | null>(
    (sum, each) => (sum === null || each.stored === null ? null : sum + each.stored),
    0,
  );
  const isGood = worst.verdict === 'match';
  const told = tables.filter(({ verification }) => isGood || verification.verdict !== 'match');
  const isOne =
    told.length === tables.length && told.every((each) => each.verification.detail === worst.detail);
  const detail = isOne
    ? worst.detail
    : told.map(({ name, verification }) => `${name}: ${verification.detail}`).join('; ');
  return { method: worst.method, stored, verdict: worst.verdict, detail };
}
