/** A figure of the benchmarks: its samples, what they come to, and the goal it is held against. */

export interface Goal {
  /** Its number in the list of goals ("G4"), to be found by; null for one that is not in it. */
  readonly id: string | null;
  readonly kind: 'atLeast' | 'atMost';
  readonly value: number;
}

/** A goal that the median is to reach. */
export function atLeast(value: number, id: string | null = null): Goal {
  return { id, kind: 'atLeast', value };
}

/** A goal that the median is not to exceed. */
export function atMost(value: number, id: string | null = null): Goal {
  return { id, kind: 'atMost', value };
}

export interface Figure {
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly goal: Goal | null;
  readonly samples: readonly number[];
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Whether the median meets the goal; null without one. */
  readonly isMet: boolean | null;
}

/** Throws on no samples: a figure that was not measured is left out, not shown as 0. */
export function figure(
  group: string,
  name: string,
  unit: string,
  samples: readonly number[],
  goal: Goal | null = null,
): Figure {
  const middle = median(samples);
  const isMet = goal === null ? null : goal.kind === 'atLeast' ? middle >= goal.value : middle <= goal.value;
  return {
    group,
    name,
    unit,
    goal,
    samples,
    median: middle,
    min: Math.min(...samples),
    max: Math.max(...samples),
    isMet,
  };
}

/** How many times as much `a` is as `b`, round by round. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, round) => value / (b[round] ?? Number.NaN));
}

function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  if (low === undefined || high === undefined) throw new RangeError('no samples');
  return (low + high) / 2;
}

const HEADER = ['figure', 'median', 'min', 'max', 'unit', 'goal', ''] as const;

/** Figures as a table of text, one group after the other. */
export function tableOf(figures: readonly Figure[]): string {
  const groups = [...new Set(figures.map(({ group }) => group))];
  const widths = HEADER.map((header, column) =>
    Math.max(header.length, ...figures.map((each) => (cellsOf(each)[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column >= 1 && column <= 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return groups
    .flatMap((group) => [
      '',
      group,
      line(HEADER),
      ...figures.filter((each) => each.group === group).map((each) => line(cellsOf(each))),
    ])
    .join('\n');
}

function cellsOf({ name, median: middle, min, max, unit, goal, isMet }: Figure): string[] {
  const wanted =
    goal === null
      ? ''
      : `${goal.id === null ? '' : `${goal.id} `}${goal.kind === 'atLeast' ? '≥' : '≤'} ${short(goal.value)}`;
  const verdict = isMet === null ? '' : isMet ? 'met' : 'MISSED';
  return [name, short(middle), short(min), short(max), unit, wanted, verdict];
}

/** Three significant digits; whole numbers from 1,000 on. */
function short(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
