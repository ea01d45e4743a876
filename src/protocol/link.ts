/**
 * A typed line between coordinator and worker with one shape and two forms: over a forked child's IPC channel,
 * and within one process for `single`. Messages arrive as unknown; `parse-message.ts` makes them typed.
 */
import { WorkersError } from '../base/errors.ts';

export interface Link<Out> {
  /** Resolves when the message was handed to the operating system; rejects when the line is closed. */
  send(message: Out): Promise<void>;
  onMessage(handler: (raw: unknown) => void): void;
  /** Called once when the other side is gone or has disconnected. */
  onClose(handler: () => void): void;
  disconnect(): void;
}

/** Either end of an IPC channel: the parent's ChildProcess, or `process` in the child. */
interface IpcEnd {
  readonly connected: boolean;
  send?(
    message: object,
    handle: undefined,
    options: undefined,
    callback: (error: Error | null) => void,
  ): boolean;
  disconnect(): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

export function ipcLink<Out extends object>(end: IpcEnd): Link<Out> {
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        if (!end.connected || end.send === undefined) return reject(closedError());
        // The callback says that the message is on the wire; what is queued when a process exits is lost.
        end.send(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
      }),
    onMessage: (handler) => void end.on('message', handler),
    onClose: (handler) => void end.on('disconnect', handler),
    disconnect() {
      if (end.connected) end.disconnect();
    },
  };
}

/** Two ends in one process. Messages are copied, so that both sides own what they hold, as over IPC. */
export function localLinks<Down extends object, Up extends object>(): {
  parent: Link<Down>;
  child: Link<Up>;
} {
  const [a, b] = [localEnd(), localEnd()];
  return { parent: joined<Down>(a, b), child: joined<Up>(b, a) };
}

interface LocalEnd {
  message: ((raw: unknown) => void) | null;
  /** Messages that came before anybody listened. */
  readonly early: unknown[];
  close: (() => void) | null;
  isOpen: boolean;
}

function localEnd(): LocalEnd {
  return { message: null, early: [], close: null, isOpen: true };
}

function joined<Out extends object>(own: LocalEnd, other: LocalEnd): Link<Out> {
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        if (!own.isOpen) return reject(closedError());
        const copy: unknown = structuredClone(message);
        setImmediate(() => {
          if (other.message === null) other.early.push(copy);
          else other.message(copy);
          // Only now: a worker that ends after its last word must have been heard.
          resolve();
        });
      }),
    onMessage(handler) {
      own.message = handler;
      own.early.splice(0).forEach(handler);
    },
    onClose(handler) {
      own.close = handler;
    },
    disconnect() {
      if (!own.isOpen) return;
      own.isOpen = false;
      other.isOpen = false;
      // After the messages that are already on their way.
      setImmediate(() => {
        own.close?.();
        other.close?.();
      });
    },
  };
}

function closedError(): Error {
  return new WorkersError('the line between coordinator and worker is closed');
}
