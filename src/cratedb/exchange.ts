/**
 * One HTTP request and its reply over a pool of connections, with a deadline, a way to abort and a size limit.
 * It knows bytes and time, nothing of SQL; it never rejects.
 *
 * Hand-over: undici calls onRequestStart after a connection stands and before it writes the first byte to it, and
 * never when connecting failed. A kept-alive connection that the server closed meanwhile is noticed before the
 * next request is written to it, unless the close is still on its way: that request counts as handed over.
 *
 * A request that has been in flight for a while is old for V8, and what hangs on it is kept until old objects are
 * collected, seconds after its end. So the bytes of its reply, 16 kB and more, are taken off it.
 */
import type { Dispatcher } from 'undici';
import type { AbortListeners } from '../base/abort-listeners.ts';
import { type Clock, MAX_TIMEOUT_MS } from '../base/clock.ts';
import { formatDuration } from '../base/units.ts';
import type { ReplyHeaders } from './reply.ts';

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  /** Left alone by the caller until the exchange is over. */
  readonly body: Uint8Array | null;
  /** From the call to the end of the reply. */
  readonly timeoutMs: number;
  readonly maxReplyBytes: number;
  readonly signal: AbortSignal | null;
  /** Called once, before the first byte is written; if it throws, nothing is sent. */
  readonly onHandedOver: () => void;
}

export type Exchange =
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly headers: ReplyHeaders;
      /** The body in the pieces it came in; to be emptied by who has read it. */
      readonly pieces: Uint8Array[];
      /** Of all pieces. */
      readonly bytes: number;
      /** From hand-over to the end of the reply. */
      readonly serviceTimeUs: number;
    }
  | {
      readonly kind: 'broken';
      /** `tooLong`: the reply passed its size limit. `failed`: the connection or the protocol broke. */
      readonly why: 'timeout' | 'aborted' | 'tooLong' | 'failed';
      readonly error: Error;
      readonly handedOver: boolean;
      /** The status, if a head arrived, and the first bytes of what came of the body. */
      readonly status: number | null;
      readonly sample: Uint8Array;
    };

export interface ExchangeParts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly aborts: AbortListeners;
}

/** Sends the request over `pool` and resolves when its fate is known, at the latest after `timeoutMs`. */
export function exchange(
  pool: Dispatcher,
  request: ExchangeRequest,
  parts: ExchangeParts,
): Promise<Exchange> {
  return new Promise((resolve) => {
    const handler = new ExchangeHandler(request, parts, resolve);
    if (!handler.watch()) return;
    // Whatever dispatch has to complain about it tells the handler.
    pool.dispatch(
      {
        path: request.path,
        method: request.method,
        headers: [...request.headers],
        body: request.body,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      handler,
    );
  });
}

const SAMPLE_BYTES = 400;

class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest;
  readonly #parts: ExchangeParts;
  readonly #resolve: (exchange: Exchange) => void;
  readonly #pieces: Buffer[] = [];
  readonly #onAbort = (): void =>
    this.#giveUp('aborted', new Error('given up before its reply was complete'));
  #settled = false;
  #deadline: NodeJS.Timeout | undefined;
  #controller: Dispatcher.DispatchController | null = null;
  #handedOverAtMs: number | null = null;
  #status: number | null = null;
  #headers: ReplyHeaders = {};
  #bytes = 0;

  constructor(request: ExchangeRequest, parts: ExchangeParts, resolve: (exchange: Exchange) => void) {
    this.#request = request;
    this.#parts = parts;
    this.#resolve = resolve;
  }

  /** Starts the deadline and listens for the abort; false when it is aborted already. */
  watch(): boolean {
    const { timeoutMs, signal } = this.#request;
    if (signal?.aborted === true) {
      this.#onAbort();
      return false;
    }
    // A timer and nothing around it: a sleep that can be woken makes a promise, a signal and an event of each request.
    this.#deadline = setTimeout(
      () => this.#giveUp('timeout', new Error(`no complete reply within ${formatDuration(timeoutMs)}`)),
      Math.min(timeoutMs, MAX_TIMEOUT_MS),
    );
    if (signal !== null) this.#parts.aborts.add(signal, this.#onAbort);
    return true;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It waited in the pool's queue until after its deadline; or undici would send it a second time.
    if (this.#settled || this.#controller !== null)
      return controller.abort(new Error('given up before it was sent'));
    this.#controller = controller;
    this.#request.onHandedOver();
    this.#handedOverAtMs = this.#parts.clock.monotonicMs();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: ReplyHeaders): void {
    // Views of the same bytes. undici has read them, and drops the list after this call.
    if (Array.isArray(controller.rawHeaders)) controller.rawHeaders.length = 0;
    // 1xx come before the answer.
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.#bytes += piece.length;
    this.#pieces.push(piece);
    // After a wrong password CrateDB closes the connection without saying so: the next request on it would get
    // lost. So we close it, as soon as the body is complete.
    if (this.#status === 401 && String(this.#bytes) === this.#headers['content-length']) {
      this.onResponseEnd();
      return controller.abort(new Error('closed after a 401'));
    }
    const { maxReplyBytes } = this.#request;
    if (this.#bytes > maxReplyBytes)
      this.#giveUp('tooLong', new Error(`a reply of more than ${maxReplyBytes} bytes`));
  }

  onResponseEnd(): void {
    const startedMs = this.#handedOverAtMs;
    if (this.#status === null || startedMs === null)
      return this.onResponseError(null, new Error('a reply without a head'));
    const serviceTimeUs = Math.round((this.#parts.clock.monotonicMs() - startedMs) * 1000);
    this.#settle({
      kind: 'reply',
      status: this.#status,
      headers: this.#headers,
      pieces: this.#pieces,
      bytes: this.#bytes,
      serviceTimeUs,
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#settle(this.#broken('failed', error));
  }

  #giveUp(why: 'timeout' | 'aborted' | 'tooLong', error: Error): void {
    if (this.#settled) return;
    this.#settle(this.#broken(why, error));
    // Destroys the connection at once, so that nothing reads the body's buffer any more when the caller goes on.
    this.#controller?.abort(error);
  }

  #broken(why: 'timeout' | 'aborted' | 'tooLong' | 'failed', error: Error): Exchange {
    const sample = Buffer.concat(this.#pieces.slice(0, SAMPLE_BYTES)).subarray(0, SAMPLE_BYTES);
    return {
      kind: 'broken',
      why,
      error,
      handedOver: this.#handedOverAtMs !== null,
      status: this.#status,
      sample,
    };
  }

  #settle(outcome: Exchange): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#deadline);
    const { signal } = this.#request;
    if (signal !== null) this.#parts.aborts.delete(signal, this.#onAbort);
    this.#resolve(outcome);
  }
}
