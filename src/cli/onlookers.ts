/**
 * Who watches a run beside the terminal: the live page and an OpenTelemetry collector. Loaded only when a flag asks for
 * it; whatever happens to an onlooker is news for the user and nothing to the run.
 */
import { systemClock } from '../base/clock.ts';
import type { RunNote, RunObserver } from '../coordinator/run-state.ts';
import type { OtlpPlan, OutputPlan } from '../plan/parse-output.ts';
import type { LivePage } from '../report/watching/live-page.ts';
import type { OtlpPush } from '../report/measures/otlp-push.ts';
import type { RunFile } from '../report/run-file-schema.ts';

export interface Onlookers {
  readonly observer: RunObserver;
  /** What is to be told to the user since it was asked for the last time. */
  news(): readonly RunNote[];
  /** Tells everyone how the run ended (null: it came to no result), and waits for them a second and a half at most. */
  end(run: RunFile | null): Promise<void>;
}

/** Throws a UsageError when one of them cannot begin. */
export async function openOnlookers(output: OutputPlan, crategenVersion: string): Promise<Onlookers> {
  const waiting: RunNote[] = [];
  const tell: Tell = (level, event, message) => {
    waiting.push({ kind: 'note', level, event, message, atMs: null });
  };
  const page = output.web === null ? null : await openPage(output.web, crategenVersion, tell);
  if (page !== null) tell('info', 'livePage', `${page.url} (metrics for Prometheus at ${page.url}metrics)`);
  const push = output.otlp === null ? null : await openPush(output.otlp, crategenVersion, tell);
  return {
    observer: (event) => {
      page?.observer(event);
      push?.observer(event);
    },
    news: () => waiting.splice(0),
    end: async (run) => {
      await Promise.all([page?.close(run), push?.close()]);
    },
  };
}

type Tell = (level: RunNote['level'], event: string, message: string) => void;

async function openPage(
  { port }: NonNullable<OutputPlan['web']>,
  crategenVersion: string,
  tell: Tell,
): Promise<LivePage> {
  const { openLivePage } = await import('../report/watching/live-page.ts');
  const onProblem = (message: string): void => tell('warning', 'livePage', message);
  return await openLivePage({ port, crategenVersion, clock: systemClock, onProblem });
}

async function openPush(otlp: OtlpPlan, crategenVersion: string, tell: Tell): Promise<OtlpPush> {
  const { openOtlpPush } = await import('../report/measures/otlp-push.ts');
  const onProblem = (message: string): void => tell('warning', 'otlp', message);
  return openOtlpPush({ ...otlp, crategenVersion, clock: systemClock, onProblem });
}
