/** Where the lines of a chart's grid go: round values, few of them. Pure arithmetic, apart from any drawing. */

export interface Axis {
  readonly min: number;
  readonly max: number;
  /** Round values within [min, max], rising. */
  readonly ticks: readonly number[];
}

/** Steps of a time axis, in ms: what a clock has names for. */
const TIME_STEPS_MS = [
  100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 1.2e5, 3e5, 6e5, 9e5, 1.8e6, 3.6e6, 7.2e6, 1.44e7,
  2.16e7, 4.32e7, 8.64e7,
];

/** From 0 to a round value at or over `highest`, in about `wanted` steps of 1, 2 or 5 times a power of ten. */
export function valueAxis(highest: number, wanted = 4): Axis {
  // Less than a billionth of any unit here is nothing.
  const top = Number.isFinite(highest) && highest > 1e-9 ? highest : 1;
  const rough = top / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const steps = Math.ceil(top / step - 1e-9);
  return {
    min: 0,
    max: steps * step,
    ticks: Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12))),
  };
}

/** The same for bytes, whose round values are those of KiB, MiB and so on, as they are written. */
export function byteAxis(highest: number, wanted = 4): Axis {
  const step = Number.isFinite(highest) ? Math.max(1, highest / wanted) : 1;
  const unit = 1024 ** Math.floor(Math.log2(step) / 10);
  const { min, max, ticks } = valueAxis(highest / unit, wanted);
  return { min, max: max * unit, ticks: ticks.map((tick) => tick * unit) };
}

/** From 0 to `endMs` exactly, with at most about `wanted` marks. */
export function timeAxis(endMs: number, wanted = 6): Axis {
  const max = Math.max(endMs, 1);
  const step = TIME_STEPS_MS.find((each) => max / each <= wanted) ?? wholeDays(max / wanted);
  const ticks = Array.from({ length: Math.floor(max / step) + 1 }, (_, index) => index * step);
  return { min: 0, max, ticks };
}

function wholeDays(ms: number): number {
  return Math.ceil(ms / 8.64e7) * 8.64e7;
}
