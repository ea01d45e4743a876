/**
 * Pushes the measures of a run to an OpenTelemetry collector over OTLP/HTTP with JSON, at an interval and at the end.
 * One request at a time, each with a deadline; a collector that fails is said once and costs the run nothing. Loaded
 * only with `--otlp-endpoint`.
 */
import type { Clock } from '../../base/clock.ts';
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import { printable } from '../../base/text.ts';
import { formatDuration } from '../../base/units.ts';
import type { RunObserver, RunState } from '../../coordinator/run-state.ts';
import { measuresOf } from './measures.ts';
import { otlpMetrics } from './otlp.ts';

export interface OtlpPushOptions {
  /** Where requests go, with the path. */
  readonly url: string;
  /** Sent with each request; they may be secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  readonly crategenVersion: string;
  readonly clock: Clock;
  /** Told once, in words without any header. */
  readonly onProblem: (message: string) => void;
}

export interface OtlpPush {
  readonly observer: RunObserver;
  /** Pushes the last state, and waits for that as long as for any other push. */
  close(): Promise<void>;
}

/** Of one request. */
const PUSH_TIMEOUT_MS = 5000;
/** Of the last one, for which the command waits: a second Ctrl-C ends it within two seconds. */
const LAST_TIMEOUT_MS = 1500;
/** An answer is a few bytes; of a longer one the beginning is enough. */
const MAX_ANSWER_BYTES = 65_536;

export function openOtlpPush(options: OtlpPushOptions): OtlpPush {
  return new Push(options);
}

class Push implements OtlpPush {
  readonly #options: OtlpPushOptions;
  readonly #startMs: number;
  #state: RunState | null = null;
  #nextMs = 0;
  #pushing: { readonly done: Promise<void>; readonly stop: AbortController } | null = null;
  #hasFailed = false;

  constructor(options: OtlpPushOptions) {
    this.#options = options;
    this.#startMs = options.clock.wallMs();
    this.#nextMs = options.clock.monotonicMs() + options.intervalMs;
  }

  readonly observer: RunObserver = (event) => {
    if (event.kind === 'note') return;
    this.#state = event.state;
    const nowMs = this.#options.clock.monotonicMs();
    // A collector that is slower than the interval gets fewer, never two at once.
    if (nowMs < this.#nextMs || this.#pushing !== null) return;
    this.#nextMs = nowMs + this.#options.intervalMs;
    const stop = new AbortController();
    const done = this.#push(event.state, PUSH_TIMEOUT_MS, stop.signal).finally(() => (this.#pushing = null));
    this.#pushing = { done, stop };
  };

  async close(): Promise<void> {
    // What is on its way is older than what follows.
    this.#pushing?.stop.abort();
    await this.#pushing?.done;
    if (this.#state !== null) await this.#push(this.#state, LAST_TIMEOUT_MS, new AbortController().signal);
  }

  /** Never rejects. */
  async #push(state: RunState, timeoutMs: number, stopped: AbortSignal): Promise<void> {
    try {
      const problem = await this.#send(state, AbortSignal.any([AbortSignal.timeout(timeoutMs), stopped]));
      if (problem !== null) this.#fail(problem);
    } catch (error) {
      if (!stopped.aborted) this.#fail(reasonOf(error, timeoutMs));
    }
  }

  /** Null when the collector took everything. */
  async #send(state: RunState, signal: AbortSignal): Promise<string | null> {
    const { url, headers, clock, crategenVersion } = this.#options;
    const measures = measuresOf(state, crategenVersion);
    const times = { startMs: this.#startMs, nowMs: clock.wallMs() };
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(otlpMetrics(measures, [['service.instance.id', state.plan.runId]], times)),
      // The headers are for this collector alone.
      redirect: 'error',
      signal,
    });
    const text = await beginningOf(response);
    if (!response.ok) return `it answered ${response.status}`;
    const rejected = rejectedPoints(text);
    return rejected === 0 ? null : `it refused ${rejected} data points`;
  }

  #fail(why: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const { origin } = new URL(this.#options.url);
    this.#options.onProblem(
      `the collector at ${printable(origin)} did not take the metrics: ${printable(why)}; the run goes on, and this is said once`,
    );
  }
}

async function beginningOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ['', 0];
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (body === null) return '';
  for await (const chunk of body) {
    bytes += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    // Leaving the loop cancels what is still to come.
    if (bytes > MAX_ANSWER_BYTES) break;
  }
  return text;
}

/** A collector that took only a part says how much it did not take (`partialSuccess`). */
function rejectedPoints(text: string): number {
  const [, points] = /"rejectedDataPoints"\s*:\s*"?(\d{1,15})/.exec(text) ?? [];
  return Number(points ?? 0);
}

/** By its code where it has one: a message may repeat what was sent. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `no answer within ${formatDuration(timeoutMs)}`;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return systemCodeOf(cause) || messageOf(cause);
}
