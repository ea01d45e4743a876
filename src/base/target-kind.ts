/** What takes the rows of a run: a CrateDB, or something that stands in for one and says so itself. */
export type TargetKind = 'cratedb' | 'sandbox' | 'discard';

/** As sentences name it. */
export const TARGET_NAMES: Readonly<Record<TargetKind, string>> = {
  cratedb: 'the cluster',
  sandbox: 'the sandbox',
  discard: 'the discarding target',
};
