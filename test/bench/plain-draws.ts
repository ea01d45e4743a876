/** Draws as plain JavaScript makes them, for the rows that crategen's are compared with. */

/** The states of `records`, in percent. */
export const STATES = [
  { value: 'active', weight: 60 },
  { value: 'new', weight: 20 },
  { value: 'paused', weight: 12 },
  { value: 'closed', weight: 6 },
  { value: 'blocked', weight: 2 },
] as const;

export function pick<T>(list: readonly T[]): T {
  const entry = list[Math.floor(Math.random() * list.length)];
  if (entry === undefined) throw new RangeError('an empty list');
  return entry;
}

export function between(min: number, max: number): number {
  return min + Math.floor(Math.random() * (max - min + 1));
}
