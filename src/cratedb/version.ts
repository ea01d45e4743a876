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

function numbersOf(version: string): readonly number[] | null {
  const match = /^(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?/.exec(version);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}
