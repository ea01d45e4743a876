/**
 * Messages from the other side, read once into types. Nothing unknown gets further than this: a message that is
 * not exactly of the protocol is a text saying why, and its sender is no worker of ours.
 */
import { HISTOGRAM_BUCKETS } from '../metrics/histogram.ts';
import type { DownMessage, UpMessage } from './messages.ts';

export type Parsed<Message> =
  { readonly ok: true; readonly message: Message } | { readonly ok: false; readonly why: string };

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

/** More than any message carries, so that a flood in one field is refused. */
const MAX_LIST = 100_000;
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
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= MAX_LIST && value.every(check);
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

const isHistogram: Check = (value) =>
  shape({
    counts: (counts) => counts instanceof Uint32Array && counts.length === HISTOGRAM_BUCKETS,
    count: isCount,
    sumUs: isAmount,
    maxUs: isAmount,
  })(value);

const isErrors = listOf(
  shape({
    class: isText,
    code: orNull((code) => Number.isSafeInteger(code)),
    rows: isCount,
    batches: isCount,
    example: isText,
  }),
);

const isNodes = listOf(
  shape({
    requests: isCount,
    acknowledged: isCount,
    errors: isErrors,
    serviceTime: isHistogram,
    outages: listOf(shape({ fromMs: isCount, toMs: orNull(isCount), why: isText })),
  }),
);

const isLedger = shape({
  offered: isCount,
  acknowledged: isCount,
  rejected: isCount,
  failed: isCount,
  unknown: isCount,
  inFlight: isCount,
});

const isSnapshot = shape({
  sequence: isCount,
  ledger: isLedger,
  tables: listOf(isLedger),
  batches: shape({ begun: isCount, completed: isCount, retried: isCount, failed: isCount }),
  nextBatch: isCount,
  measuredRows: isCount,
  bodyBytes: isCount,
  replyBytes: isCount,
  lateRows: isCount,
  droppedRows: isCount,
  serviceTime: isHistogram,
  responseTime: isHistogram,
  answers: shape({ requests: isCount, serviceUs: isAmount, toldServiceUs: isAmount, serverUs: isAmount }),
  errors: isErrors,
  nodes: isNodes,
  waiting: orNull(shape({ cause: oneOf('outage', 'blocked', 'overload'), detail: isText, sinceNs: isNs })),
  use: shape({
    userCpuUs: isAmount,
    systemCpuUs: isAmount,
    residentBytes: isCount,
    residentBytesMax: isCount,
    heapUsedBytes: isCount,
    eventLoopUtilization: (value) => isAmount(value) && (value as number) <= 1,
    eventLoopActiveMs: isAmount,
    eventLoopDelayP99Ms: isAmount,
    gcMs: isAmount,
    voluntarySwitches: isCount,
    involuntarySwitches: isCount,
    coreWaitMs: orNull(isAmount),
  }),
});

const fromWorker = { workerIndex: isCount, incarnation: isCount };

const UP: Readonly<Record<UpMessage['type'], Check>> = {
  ready: shape({ type: isText, ...fromWorker, protocolVersion: isCount, pid: isCount, nodeVersion: isText }),
  progress: shape({ type: isText, ...fromWorker, snapshot: isSnapshot }),
  drained: shape({
    type: isText,
    ...fromWorker,
    end: oneOf('done', 'drained', 'outage', 'blocked', 'orphaned'),
    detail: isText,
    snapshot: isSnapshot,
  }),
  failed: shape({
    type: isText,
    ...fromWorker,
    error: shape({ name: isText, message: isText }),
    snapshot: isSnapshot,
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

/** Reads what a worker sent. */
export function parseUpMessage(raw: unknown): Parsed<UpMessage> {
  return parseWith<UpMessage>(raw, UP);
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
  return check(raw)
    ? { ok: true, message: raw as Message }
    : { ok: false, why: `the fields of ${String(type)} are not those of the protocol` };
}
