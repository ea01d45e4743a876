/** CrateDB's version numbers, as `GET /` and sys.nodes give them. */

/** True when `version` (`6.4.3`, `6.5.0-SNAPSHOT`) is `least` or later; false for what is no version. */
export function versionAtLeast(version: string, least: string): boolean {
  const [have, want] = [numbersOf(version), numbersOf(least)];
  if (have === null || want === null) return false;
  for (const [index, part] of want.entries()) {
    const difference = (have[index] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** The oldest of several versions, or null of none. */
export function oldestOf(versions: readonly string[]): string | null {
  return versions.reduce<string | null>(
    (oldest, version) => (oldest === null || !versionAtLeast(version, oldest) ? version : oldest),
    null,
  );
}

/** What an answer to a bulk means only together with the version of the node that gave it. */
export interface BulkHabits {
  /**
   * A 403 block or 503 for the whole request means that no row was written. True from 6.4.3 on; older servers
   * raise the trouble of one shard for the whole request while other shards have written.
   */
  readonly wholeErrorsAreWhole: boolean;
  /**
   * One row that cannot be cast, or breaks a constraint, is told as the error of every row, and none is written:
   * 5.10.0 to 5.10.10. Later servers refuse such a request as a whole.
   */
  readonly oneRowFailsAll: boolean;
}

/** The habits of a node; null is one that has not said its version, of which nothing good is believed. */
export function bulkHabits(version: string | null): BulkHabits {
  const since = (least: string): boolean => version !== null && versionAtLeast(version, least);
  return {
    wholeErrorsAreWhole: since('6.4.3'),
    oneRowFailsAll: since('5.10.0') && !since('5.10.11'),
  };
}

function numbersOf(version: string): readonly number[] | null {
  const match = /^(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?/.exec(version);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}
