/**
 * What happened to a run at which moment, for the marks of its charts and the list beside them: deaths, pauses and the
 * stop as the coordinator noted them, outages as the nodes' own record has them. Pure.
 */
import { printable } from '../base/text.ts';
import { reasonOf } from '../metrics/node-counts.ts';
import type { RunFile } from './run-file-schema.ts';

/** What a mark is about, for its colour: something was lost, nothing could be sent, or the run was ended. */
export type MarkTone = 'loss' | 'pause' | 'stop';

export interface EventMark {
  /** From 1 on, in the order of time. */
  readonly number: number;
  readonly fromMs: number;
  /** Null for what took no time. */
  readonly toMs: number | null;
  readonly tone: MarkTone;
  /** Two words or so, for a chart. */
  readonly name: string;
  /** A whole sentence. */
  readonly text: string;
}

/** A run file made by hand could have any number; crategen keeps 500 events. */
export const MAX_MARKS = 1000;

const MAX_NAME = 24;

/** Pauses end with `recovered`, with the next pause, or with the run. */
const KINDS: ReadonlyMap<string, { readonly name: string; readonly tone: MarkTone }> = new Map([
  ['workerDied', { name: 'worker died', tone: 'loss' }],
  ['workersKeepDying', { name: 'workers keep dying', tone: 'stop' }],
  ['outage', { name: 'nobody reachable', tone: 'pause' }],
  ['blocked', { name: 'table blocked', tone: 'pause' }],
  ['overload', { name: 'overload', tone: 'pause' }],
  ['diskLow', { name: 'disk low', tone: 'loss' }],
  ['maxFailed', { name: 'too many missing', tone: 'stop' }],
  ['signal', { name: 'signal', tone: 'stop' }],
]);

/** Told better elsewhere: outages by the nodes' record, the server's silence by the note beside its figures. */
const TOLD_ELSEWHERE: ReadonlySet<string> = new Set(['recovered', 'nodeOut', 'nodeBack', 'serverUnseen']);

/** In the order of time; the first of too many. */
export function eventMarks(run: RunFile): readonly EventMark[] {
  const endMs = Math.max(run.series.at(-1)?.tMs ?? 0, run.run.runningMs ?? 0);
  return [...notedMarks(run.events, endMs), ...outageMarks(run)]
    .toSorted((a, b) => a.fromMs - b.fromMs)
    .slice(0, MAX_MARKS)
    .map((mark, position) => ({ ...mark, number: position + 1 }));
}

type Unnumbered = Omit<EventMark, 'number'>;

function notedMarks(events: RunFile['events'], endMs: number): Unnumbered[] {
  return events.flatMap((noted, position): Unnumbered[] => {
    const { tMs, level, event, message } = noted;
    const kind = KINDS.get(event);
    if (TOLD_ELSEWHERE.has(event) || (kind === undefined && level === 'info')) return [];
    const { name, tone } = kind ?? { name: event, tone: 'loss' };
    // A pause that ends the run is noted as an error, and is a stop.
    const isPause = tone === 'pause' && level !== 'error';
    return [
      {
        fromMs: tMs,
        toMs: isPause ? pauseEndMs(events, position, endMs) : null,
        tone: tone === 'pause' && !isPause ? 'stop' : tone,
        name: printable(name, MAX_NAME),
        text: message,
      },
    ];
  });
}

function pauseEndMs(events: RunFile['events'], position: number, endMs: number): number {
  const next = events
    .slice(position + 1)
    .find(({ event }) => event === 'recovered' || KINDS.get(event)?.tone === 'pause');
  return Math.max(events[position]?.tMs ?? 0, next?.tMs ?? endMs);
}

function outageMarks({ nodes }: RunFile): Unnumbered[] {
  return nodes.flatMap(({ origin, outages }) =>
    outages.map(({ fromMs, toMs, why }) => ({
      fromMs,
      toMs: Math.max(fromMs, toMs),
      tone: 'loss' as const,
      name: printable(`${hostOf(origin)} out`, MAX_NAME),
      text: `${origin} got no requests: ${reasonOf(origin, why)}`,
    })),
  );
}

/** `http://db-2:4200` → `db-2:4200`. */
function hostOf(origin: string): string {
  return origin.replace(/^https?:\/\//, '');
}
