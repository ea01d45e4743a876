/**
 * Messages from the other side, read once into types. Nothing unknown gets further than this: a message that is
 * not exactly of the protocol is a text saying why, and its sender is no worker of ours.
 */
import type { DownMessage, ReadUpMessage, UpMessage } from './messages.ts';
import { unpackSnapshot } from './packed-snapshot.ts';

export type Parsed<Message> =
  { readonly ok: true; readonly message: Message } | { readonly ok: false; readonly why: string };

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

/** More than any message carries, so that a flood in one field is refused. */
const MAX_TEXT = 10_000;

const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isAmount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isText: Check = (value) => typeof value === 'string' && value.length <= MAX_TEXT;
const isNs: Check = (value) => typeof value === 'bigint' && value >= 0n && value < 2n ** 63n;
const isPresent: Check = (value) => typeof value === 'object' && value !== null;
const isFlag: Check = (value) => typeof value === 'boolean';

const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
/** As many as ended badly in the earlier part of a run: no flood, since it comes from the coordinator. */
const isBatches: Check = (value) => Array.isArray(value) && value.every(isCount);
const oneOf =
  (...texts: string[]): Check =>
  (value) =>
    typeof value === 'string' && texts.includes(value);

/** A record with exactly these fields, each as it should be; `__proto__` and strangers are refused. */
function shape(fields: Readonly<Record<string, Check>>): Check {
  const names = Object.keys(fields);
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const own = Object.keys(value);
    return (
      own.length === names.length &&
      names.every((name) => Object.hasOwn(value, name) && fields[name]?.((value as Fields)[name]) === true)
    );
  };
}

const fromWorker = { workerIndex: isCount, incarnation: isCount };

const UP: Readonly<Record<UpMessage['type'], Check>> = {
  ready: shape({ type: isText, ...fromWorker, protocolVersion: isCount, pid: isCount, nodeVersion: isText }),
  progress: shape({ type: isText, ...fromWorker, snapshot: isPresent }),
  drained: shape({
    type: isText,
    ...fromWorker,
    end: oneOf('done', 'drained', 'outage', 'blocked', 'orphaned'),
    detail: isText,
    snapshot: isPresent,
  }),
  failed: shape({
    type: isText,
    ...fromWorker,
    error: shape({ name: isText, message: isText }),
    snapshot: isPresent,
  }),
  batch: shape({ type: isText, ...fromWorker, line: isText }),
};

const DOWN: Readonly<Record<DownMessage['type'], Check>> = {
  init: shape({
    type: isText,
    protocolVersion: isCount,
    workerIndex: isCount,
    incarnation: isCount,
    access: isPresent,
    tables: (tables) => Array.isArray(tables) && tables.length > 0 && tables.every(isPresent),
    rowsFile: isText,
    keyed: isFlag,
    assignment: isPresent,
    limits: isPresent,
    counterFile: isText,
    reportIntervalMs: isAmount,
    resume: orNull(shape({ nextBatch: isCount, resend: isBatches, servedUntilNs: isNs })),
    tracesBatches: isFlag,
  }),
  start: shape({ type: isText, startAtNs: isNs }),
  drain: shape({ type: isText, reason: isText, deadlineNs: isNs }),
};

/** Reads what a worker sent, its snapshot unpacked. */
export function parseUpMessage(raw: unknown): Parsed<ReadUpMessage> {
  const parsed = parseWith<UpMessage>(raw, UP);
  if (!parsed.ok) return parsed;
  const { message } = parsed;
  if (!('snapshot' in message)) return { ok: true, message };
  const snapshot = unpackSnapshot(message.snapshot);
  return snapshot === null ? foreign(message.type) : { ok: true, message: { ...message, snapshot } };
}

/** Reads what the coordinator sent; the init message's parts are checked by those who use them. */
export function parseDownMessage(raw: unknown): Parsed<DownMessage> {
  return parseWith<DownMessage>(raw, DOWN);
}

function parseWith<Message>(raw: unknown, checks: Readonly<Record<string, Check>>): Parsed<Message> {
  if (typeof raw !== 'object' || raw === null)
    return { ok: false, why: `a message is an object, not ${typeof raw}` };
  const type: unknown = (raw as Fields)['type'];
  const check = typeof type === 'string' && Object.hasOwn(checks, type) ? checks[type] : undefined;
  if (check === undefined)
    return { ok: false, why: `unknown type of message ${JSON.stringify(type)?.slice(0, 40) ?? ''}` };
  return check(raw) ? { ok: true, message: raw as Message } : foreign(String(type));
}

function foreign(type: string): Parsed<never> {
  return { ok: false, why: `the fields of ${type} are not those of the protocol` };
}
