/** What the samples of the clients come to: rates and CPU per row of each, and how crategen compares with the others. */
import { type Figure, type Goal, atLeast, atMost, figure, ratios } from '../figures.ts';
import { medianInterval } from './bootstrap.ts';
import { CLIENT_NAMES, type ClientId, type Sending } from './clients.ts';

export interface ClientSample extends Sending {
  /** CPU of all processes of the client, from their start to their end. */
  readonly treeCpuSeconds: number;
  /** CPU of the server from the start of the client to the end of a REFRESH; null when it was not read. */
  readonly serverCpuSeconds: number | null;
}

/** Of each client one sample a round, in the order of the rounds. */
export type SamplesByClient = ReadonlyMap<ClientId, readonly ClientSample[]>;

const COST_UNIT = 'CPU seconds per million rows';

/** Of the CPU from the first request on: what the start costs is paid once, however many rows follow. */
const COST_GOALS: Partial<Record<ClientId, Goal>> = {
  rust: atMost(0.5, 'G5'),
  axios: atMost(1 / 4, 'G5'),
  python: atMost(1 / 15, 'G5'),
};
const LEAST_RATE = atLeast(0.94, 'G5');
const RATE_REACHED = atLeast(0.97, 'G5');

/**
 * All that the measured clients have: a client that was left out has no figures. `few` are samples of fewer rows, of
 * the same rounds.
 */
export function clientFigures(samples: SamplesByClient, few: SamplesByClient): Figure[] {
  return [...rateFigures(samples), ...costFigures(samples), ...marginalFigures(samples, few)];
}

function rateFigures(samples: SamplesByClient): Figure[] {
  const group = 'Rows stored on a real CrateDB, metrics';
  const ours = samples.get('crategen')?.map(rateOf);
  const [theirs, before] = [samples.get('c')?.map(rateOf), samples.get('reference')?.map(rateOf)];
  const figures = [...samples].map(([id, taken]) =>
    figure(group, CLIENT_NAMES[id], 'rows/s', taken.map(rateOf)),
  );
  if (ours !== undefined && theirs !== undefined) {
    const paired = ratios(ours, theirs);
    const [low, high] = medianInterval(paired);
    figures.push(
      figure(group, 'rows/s, crategen ÷ C', 'times', paired, LEAST_RATE),
      figure(group, '… 95 % interval of the median, lower end', 'times', [low]),
      figure(group, '… 95 % interval of the median, upper end', 'times', [high], RATE_REACHED),
    );
  }
  if (ours !== undefined && before !== undefined)
    figures.push(figure(group, 'rows/s, crategen ÷ reference generator', 'times', ratios(ours, before)));
  return figures;
}

function rateOf({ stored, wallSeconds }: ClientSample): number {
  return stored / wallSeconds;
}

function costFigures(samples: SamplesByClient): Figure[] {
  const group = 'CPU per stored row on a real CrateDB, metrics';
  const each = (what: string, of: (sample: ClientSample) => number | null): Figure[] =>
    [...samples].flatMap(([id, taken]) => {
      const costs = costsOf(taken, of);
      if (costs !== null) return [figure(group, `${CLIENT_NAMES[id]}, ${what}`, COST_UNIT, costs)];
      process.stderr.write(`not measured in every round: ${CLIENT_NAMES[id]}, ${what}\n`);
      return [];
    });
  return [
    ...each('sending', ({ cpuSeconds }) => cpuSeconds),
    ...each('with start', ({ treeCpuSeconds }) => treeCpuSeconds),
    ...each('the server', ({ serverCpuSeconds }) => serverCpuSeconds),
    ...[...samples.keys()]
      .filter((id) => id !== 'crategen')
      .flatMap((id) => [
        ...comparison(samples, group, id, 'sending', ({ cpuSeconds }) => cpuSeconds, COST_GOALS[id]),
        ...comparison(samples, group, id, 'with start', ({ treeCpuSeconds }) => treeCpuSeconds),
      ]),
  ];
}

function comparison(
  samples: SamplesByClient,
  group: string,
  id: ClientId,
  what: string,
  of: (sample: ClientSample) => number | null,
  goal?: Goal,
): Figure[] {
  const [ours, theirs] = [costsOf(samples.get('crategen'), of), costsOf(samples.get(id), of)];
  if (ours === null || theirs === null) return [];
  return [
    figure(group, `${what}, crategen ÷ ${CLIENT_NAMES[id]}`, 'times', ratios(ours, theirs), goal ?? null),
  ];
}

/** CPU seconds per million stored rows; null where a sample has none. */
function costsOf(
  samples: readonly ClientSample[] | undefined,
  of: (sample: ClientSample) => number | null,
): number[] | null {
  const costs = samples?.flatMap((sample) => {
    const seconds = of(sample);
    return seconds === null ? [] : [(seconds / sample.stored) * 1e6];
  });
  return costs === undefined || costs.length !== samples?.length ? null : costs;
}

/** What rows cost once all is warm, and what a run costs beside them: from the difference of two sizes. */
function marginalFigures(many: SamplesByClient, few: SamplesByClient): Figure[] {
  const [sizes] = [...few.values()];
  const rows = sizes?.[0]?.stored ?? 0;
  const group = `CPU of sending, from the difference to runs of ${rows.toLocaleString('en-US')} rows`;
  const marginals = new Map<ClientId, number[]>();
  const fixed = new Map<ClientId, number[]>();
  for (const [id, taken] of many) {
    const pairs = taken.map((sample, round) => lineOf(sample, few.get(id)?.[round]));
    const known = pairs.flatMap((pair) => (pair === null ? [] : [pair]));
    if (known.length === 0 || known.length !== pairs.length) continue;
    marginals.set(
      id,
      known.map(({ perRow }) => perRow * 1e6),
    );
    fixed.set(
      id,
      known.map(({ perRun }) => perRun * 1000),
    );
  }
  const ours = marginals.get('crategen');
  return [
    ...[...marginals].map(([id, costs]) =>
      figure(group, `${CLIENT_NAMES[id]}, a million rows more`, COST_UNIT, costs),
    ),
    ...[...fixed].map(([id, costs]) =>
      figure(group, `${CLIENT_NAMES[id]}, a run beside its rows`, 'ms', costs),
    ),
    ...[...marginals].flatMap(([id, theirs]) =>
      ours === undefined || id === 'crategen'
        ? []
        : [
            figure(
              group,
              `a million rows more, crategen ÷ ${CLIENT_NAMES[id]}`,
              'times',
              ratios(ours, theirs),
            ),
          ],
    ),
  ];
}

/** Seconds per row and per run of the straight line through both samples; null where one was not measured. */
function lineOf(
  many: ClientSample,
  few: ClientSample | undefined,
): { readonly perRow: number; readonly perRun: number } | null {
  if (few === undefined || many.cpuSeconds === null || few.cpuSeconds === null) return null;
  const perRow = (many.cpuSeconds - few.cpuSeconds) / (many.stored - few.stored);
  return { perRow, perRun: few.cpuSeconds - perRow * few.stored };
}
