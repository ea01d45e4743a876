/**
 * How a ceiling is read: what this client did into a target that stores nothing, what that costs each process, and which
 * share of it a real run reached. Pure, from run files alone.
 */
import { usableCores } from '../base/host.ts';
import { formatCores, formatShort } from '../base/units.ts';
import { printable } from '../base/text.ts';
import { meanOfKnown, sumOfKnown } from '../metrics/measured.ts';
import { underLoad } from '../metrics/telemetry.ts';
import { cpuSecondsOf, perMillionRows } from './costs.ts';
import {
  counted,
  formatByteRate,
  formatPercent,
  formatRate,
  formatSeconds,
  formatShare,
  orDash,
} from './quantities.ts';
import type { RunFile } from './run-file-schema.ts';

/** A run this near to its ceiling had hardly anything left in its client. */
const NEAR_CEILING = 0.8;
/** Below it the client waited most of the time. */
const FAR_FROM_CEILING = 0.5;
/** More than the ceiling is not the client's doing: what took its cores then was gone. */
const ABOVE_CEILING = 1.05;
/** Of a core: less is what any system does beside. */
const DISTURBING_PERCENT = 25;

export interface TitledText {
  readonly title: string;
  readonly text: string;
}

/** What to say about a ceiling, each with a short title; nothing about other runs. */
export function ceilingTexts(run: RunFile): readonly TitledText[] {
  if (run.plan.command !== 'ceiling') return [];
  // A run that was stopped at once has a rate of 0, which is not what the client can do.
  if ((run.throughput.acknowledgedRowsPerSecond ?? 0) === 0)
    return [
      { title: 'ceiling', text: 'none: the run ended before it had a rate, or the rate was lost with it' },
    ];
  return [
    { title: 'ceiling', text: rateText(run) },
    { title: 'each', text: eachText(run) },
    { title: 'target', text: targetCostText(run) },
    ...(run.measuredFor === null
      ? [{ title: 'read it', text: READ_IT }]
      : measuredTexts(run, run.measuredFor)),
  ];
}

const READ_IT =
  'a run of this plan near this rate is limited by this client; one far below it waits for the network, the cluster or its rate. crategen ceiling --run RUN says which share a run reached.';

function rateText({ throughput, cost, plan }: RunFile): string {
  return [
    `${orDash(throughput.acknowledgedRowsPerSecond, formatRate)}`,
    orDash(throughput.bodyBytesPerSecond, formatByteRate),
    `${orDash(cost.cpuSecondsPerMillionRows, formatSeconds)} CPU s per million rows: what ${counted(plan.procs, 'process', 'processes')} of this client can do here with this plan`,
  ].join(' · ');
}

/** The mean of the workers; the table has each of them. */
function eachText({ throughput, plan, workers, coordinator, ledger }: RunFile): string {
  const each = (value: number | null): number | null => (value === null ? null : value / plan.procs);
  const perMillion = (seconds: number | null): string =>
    orDash(perMillionRows(seconds, ledger.acknowledged), formatSeconds);
  return [
    orDash(each(throughput.acknowledgedRowsPerSecond), formatRate),
    orDash(each(throughput.bodyBytesPerSecond), formatByteRate),
    `per million rows ${perMillion(sumOfKnown(workers.map(cpuSecondsOf)))} CPU s in the workers and ${perMillion(cpuSecondsOf(coordinator))} in the parent`,
  ].join(' · ');
}

/** The target shares the host, and so may other programs: what they take the client could not have. */
function targetCostText(run: RunFile): string {
  const samples = underLoad(run.server?.samples ?? []);
  const percent = meanOfKnown(samples.map(({ nodes }) => sumOfKnown(nodes.map((node) => node.cpuPercent))));
  const others = othersPercent(run, percent);
  const taken =
    percent === null
      ? 'its CPU was not measured'
      : `its CPU was ${formatPercent(percent)} of ${formatCores(usableCores(run.host))}`;
  const meaning =
    run.bottleneck.verdict === 'cluster'
      ? 'and was the limit: this client can do more'
      : 'so that this is a lower bound of what the client can do alone';
  const disturbed =
    others === null || others < DISTURBING_PERCENT
      ? ''
      : `; other programs took ${formatPercent(others)}: measure again when this host rests`;
  return `a process of its own on this host; ${taken}, ${meaning}${disturbed}`;
}

/** CPU of the programs that are none of the run's; null where the host, or the run, was not measured. */
function othersPercent({ host, workers, coordinator }: RunFile, target: number | null): number | null {
  const all = meanOfKnown(host.samples.map(({ busyPercent }) => busyPercent));
  const own = sumOfKnown([coordinator, ...workers].map(({ cpu }) => cpu.percentMean));
  return all === null || own === null ? null : Math.max(0, all - own - (target ?? 0));
}

type MeasuredFor = NonNullable<RunFile['measuredFor']>;

function measuredTexts(run: RunFile, measured: MeasuredFor): readonly TitledText[] {
  const { runId, rowsPerSecond, share, hostDiffers } = measured;
  const ceiling = run.throughput.acknowledgedRowsPerSecond;
  const id = printable(runId);
  if (share === null || rowsPerSecond === null || ceiling === null)
    return [{ title: 'share', text: `none: run ${id} has no rate` }];
  return [
    {
      title: 'share',
      text: `run ${id} reached ${share > 0 && share < 0.01 ? 'less than 1 %' : formatShare(share)} of what this client can do here: ${formatShort(rowsPerSecond)} of ${formatRate(ceiling)}`,
    },
    { title: 'meaning', text: meaningOf(share, measured, run.bottleneck.verdict === 'cluster') },
    ...(hostDiffers.length === 0
      ? []
      : [
          {
            title: 'differs',
            text: `${hostDiffers.map((each) => printable(each)).join('; ')}: the share compares two machines`,
          },
        ]),
  ];
}

/** What follows from a share; `isLowerBound`: the ceiling was that of its target. */
export function meaningOf(
  share: number,
  { limitedBy }: Pick<MeasuredFor, 'limitedBy'>,
  isLowerBound: boolean,
): string {
  if (share > ABOVE_CEILING)
    return 'more than the ceiling: the target or other programs had the cores now; measure again when this host rests';
  if (limitedBy === 'rate' && share < NEAR_CEILING)
    return 'the run went at the rate that was asked for: this client can go faster, up to the ceiling';
  if (share < FAR_FROM_CEILING)
    return 'far below: not the client limited it, but what it waited for; more processes here will not help';
  if (isLowerBound) return 'at most: the target limited this ceiling, and the client can do more';
  if (share >= NEAR_CEILING)
    return 'near the ceiling: this client limited it; another machine would help (--machine), more nodes of the cluster would not';
  return 'between: the client took much of its time, and waited for the rest; look at both sides';
}
