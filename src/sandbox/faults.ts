/**
 * Faults as data: what goes wrong, for which requests, and when. `docs/guide/sandbox-faults.md` explains the
 * grammar to people; this file is where it is defined.
 */
import { parseDurationMs } from '../base/units.ts';

export const FAULT_NAMES = [
  'latency',
  'reset',
  'silence',
  'drip',
  '429',
  '503',
  '401',
  'redirect',
  'not-recovered',
  'refuse',
  'overload',
  'breaker',
  'own-duplicate',
  'bare',
  'unavailable',
  'blocked',
  'truncated',
  'invalid-json',
  'wrong-length',
  'wrong-results',
  'no-rowcount',
  'endless',
  'big-header',
  'gzip-bomb',
  'disk',
  'no-sys',
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

export interface Fault {
  readonly name: FaultName;
  /** Meaning depends on the name; '' when none was given. */
  readonly argument: string;
  /** Latency: least and most; other faults: null. */
  readonly delayMs: readonly [least: number, most: number] | null;
  /** Share of rows that the fault hits, for faults of rows. */
  readonly rowShare: number;
  /** Every request instead of INSERTs only. */
  readonly all: boolean;
  /** Since the sandbox began to listen; null for always. */
  readonly windowMs: readonly [from: number, to: number] | null;
  /** Share of requests, 0 to 1. */
  readonly share: number;
  /** Numbers of requests that count for this fault, from 1, both ends included; null for all. */
  readonly numbers: readonly [from: number, to: number] | null;
  /** As it was written. */
  readonly text: string;
}

interface Kind {
  readonly help: string;
  /** What may follow the colon; the first is meant when nothing does. */
  readonly arguments: readonly string[];
  readonly takes: 'choice' | 'delay' | 'share' | 'retryAfter';
}

const KINDS: Readonly<Record<FaultName, Kind>> = {
  latency: { help: 'waits before it answers', arguments: ['50ms', '20ms..200ms'], takes: 'delay' },
  reset: {
    help: 'breaks the connection at that place',
    arguments: ['before-reply', 'mid-request', 'mid-headers', 'mid-body'],
    takes: 'choice',
  },
  silence: {
    help: 'takes the request and never answers; `stored` stores its rows all the same',
    arguments: ['lost', 'stored'],
    takes: 'choice',
  },
  drip: { help: 'answers one byte every 300 ms', arguments: [], takes: 'choice' },
  '429': { help: 'too many requests', arguments: ['', '5', '-5', '315360000', 'date'], takes: 'retryAfter' },
  '503': {
    help: 'service unavailable',
    arguments: ['', '5', '-5', '315360000', 'date'],
    takes: 'retryAfter',
  },
  '401': { help: 'not authorised', arguments: [], takes: 'choice' },
  redirect: { help: '307 to another origin', arguments: [], takes: 'choice' },
  'not-recovered': { help: '404/4045, as a node says that has just started', arguments: [], takes: 'choice' },
  refuse: { help: 'stops listening (needs a time window)', arguments: [], takes: 'choice' },
  overload: {
    help: 'that share of the rows is refused as by a full write queue',
    arguments: ['100', '30'],
    takes: 'share',
  },
  breaker: {
    help: 'that share of the rows is refused by a circuit breaker',
    arguments: ['100', '30'],
    takes: 'share',
  },
  'own-duplicate': {
    help: 'stores the rows and calls that share of them duplicates',
    arguments: ['100', '30'],
    takes: 'share',
  },
  bare: {
    help: 'that share of the rows is -2 without an error, and not stored',
    arguments: ['100', '30'],
    takes: 'share',
  },
  unavailable: {
    help: 'that share of the rows is -2/5002, and not stored',
    arguments: ['100', '30'],
    takes: 'share',
  },
  blocked: { help: 'the block on every row', arguments: ['4037', '4033', '4035'], takes: 'choice' },
  truncated: { help: 'half of the answer, then the end of the connection', arguments: [], takes: 'choice' },
  'invalid-json': { help: 'an answer that is no JSON', arguments: [], takes: 'choice' },
  'wrong-length': { help: 'a Content-Length that is too long', arguments: [], takes: 'choice' },
  'wrong-results': { help: 'one result too few', arguments: [], takes: 'choice' },
  'no-rowcount': { help: 'results without their rowcount', arguments: [], takes: 'choice' },
  endless: { help: 'an answer that never ends', arguments: [], takes: 'choice' },
  'big-header': { help: 'a header of 100 kB', arguments: [], takes: 'choice' },
  'gzip-bomb': { help: 'a small gzip answer that unpacks to 1 GiB', arguments: [], takes: 'choice' },
  disk: {
    help: 'sys.nodes says that the disk is that full, in percent',
    arguments: ['92', '100'],
    takes: 'share',
  },
  'no-sys': {
    help: '404/4045 for every table of sys, as for a user without DQL on it',
    arguments: [],
    takes: 'choice',
  },
};

/** One line a kind, for `--help` and the guide. */
export const FAULT_HELP: string = FAULT_NAMES.map((name) => {
  const { help, arguments: choices } = KINDS[name];
  const shown = choices.filter((choice) => choice !== '');
  const form = shown.length === 0 ? name : `${name}[:${shown.join('|')}]`;
  return `${form.padEnd(56)} ${help}`;
}).join('\n');

const ACCEPTED = 'KIND[:ARGUMENT][:all][@5s..10s][%10][#3..8]';

/** Reads one `--fault`. A problem says what is wrong and what is accepted. */
export function parseFault(text: string): Fault | { readonly problem: string } {
  const problem = (why: string): { readonly problem: string } => ({ problem: `${text}: ${why}` });
  const [head = '', ...suffixes] = text.split(/(?=[@%#])/);
  const [nameText = '', ...parts] = head.split(':');
  const name = FAULT_NAMES.find((known) => known === nameText);
  if (name === undefined)
    return problem(`no such fault; expected ${ACCEPTED} with a KIND of ${FAULT_NAMES.join(', ')}`);
  const all = parts.includes('all');
  const [argument = '', ...surplus] = parts.filter((part) => part !== 'all');
  if (surplus.length > 0) return problem(`too many parts; expected ${ACCEPTED}`);
  const given = readArgument(name, argument);
  if (given === null)
    return problem(
      `bad argument ${JSON.stringify(argument)}; expected for example ${KINDS[name].arguments.join(', ') || 'none'}`,
    );
  const limits = readLimits(suffixes);
  if (limits === null) return problem(`expected ${ACCEPTED}`);
  if (name === 'refuse' && limits.windowMs === null)
    return problem('needs a time window, for example refuse@5s..10s');
  return { name, all, text, ...given, ...limits };
}

function readArgument(
  name: FaultName,
  argument: string,
): Pick<Fault, 'argument' | 'delayMs' | 'rowShare'> | null {
  const { takes, arguments: choices } = KINDS[name];
  const chosen = argument === '' ? (choices[0] ?? '') : argument;
  switch (takes) {
    case 'delay': {
      const delayMs = readRange(chosen, parseDurationMs);
      return delayMs === null || !Number.isFinite(delayMs[1])
        ? null
        : { argument: chosen, delayMs, rowShare: 1 };
    }
    case 'share': {
      const share = readShare(chosen);
      return share === null ? null : { argument: chosen, delayMs: null, rowShare: share };
    }
    case 'retryAfter':
      return /^(-?\d{1,12}|date)?$/.test(chosen) ? { argument: chosen, delayMs: null, rowShare: 1 } : null;
    case 'choice':
      return argument === '' || choices.includes(argument)
        ? { argument: chosen, delayMs: null, rowShare: 1 }
        : null;
  }
}

function readLimits(suffixes: readonly string[]): Pick<Fault, 'windowMs' | 'share' | 'numbers'> | null {
  let [windowMs, share, numbers]: [Fault['windowMs'], number, Fault['numbers']] = [null, 1, null];
  for (const suffix of suffixes) {
    const rest = suffix.slice(1);
    if (suffix.startsWith('@')) windowMs = readRange(rest, parseDurationMs, true);
    if (suffix.startsWith('#'))
      numbers = readRange(rest, (part) => (/^\d{1,15}$/.test(part) ? Number(part) : null));
    const part = suffix.startsWith('%') ? readShare(rest) : share;
    if (
      part === null ||
      (suffix.startsWith('@') && windowMs === null) ||
      (suffix.startsWith('#') && numbers === null)
    )
      return null;
    share = part;
  }
  return { windowMs, share, numbers };
}

function readShare(text: string): number | null {
  const percent = /^\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return percent >= 0 && percent <= 100 ? percent / 100 : null;
}

/** `5..10`, `5..`, `..10` or `5` (which is exactly that, or from there on when `openEnd`). */
function readRange(
  text: string,
  read: (part: string) => number | null,
  openEnd = false,
): readonly [number, number] | null {
  const [first = '', second] = text.split('..');
  if (text.split('..').length > 2 || text === '' || text === '..') return null;
  const from = first === '' ? 0 : read(first);
  const last = second === undefined ? (openEnd ? '' : first) : second;
  const to = last === '' ? Number.POSITIVE_INFINITY : read(last);
  return from === null || to === null || to < from ? null : [from, to];
}

/** What a fault is asked about one request. */
export interface Occasion {
  readonly isInsert: boolean;
  /** Number of this request among INSERTs (or among all, for `:all`), from 1. */
  readonly insertNumber: number;
  readonly requestNumber: number;
  readonly sinceStartMs: number;
}

/** Whether the fault hits this request: the same answer for the same numbers, whatever happened before. */
export function applies(fault: Fault, occasion: Occasion): boolean {
  if (isState(fault) || (!fault.all && !occasion.isInsert)) return false;
  const number = fault.all ? occasion.requestNumber : occasion.insertNumber;
  if (fault.numbers !== null && (number < fault.numbers[0] || number > fault.numbers[1])) return false;
  if (!isWithin(fault, occasion.sinceStartMs)) return false;
  return fault.share >= 1 || unitHash(number, fault.text) < fault.share;
}

/** Faults that are a state of the whole endpoint and hit no request of their own. */
function isState({ name }: Fault): boolean {
  return name === 'refuse' || name === 'disk' || name === 'no-sys';
}

function isWithin({ windowMs }: Fault, sinceStartMs: number): boolean {
  return windowMs === null || (sinceStartMs >= windowMs[0] && sinceStartMs < windowMs[1]);
}

/** What the endpoint says about itself beside what is true of it. */
export interface Situation {
  /** 0 to 1; null where nothing is said about the disk. */
  readonly diskUsedShare: number | null;
  /** The schema sys is hidden from every user. */
  readonly hidesSystem: boolean;
}

/** The situation at a time since the start: the last fault of a kind that is due decides. */
export function situationOf(faults: readonly Fault[], sinceStartMs: number): Situation {
  const due = faults.filter((fault) => isWithin(fault, sinceStartMs));
  return {
    diskUsedShare: due.findLast(({ name }) => name === 'disk')?.rowShare ?? null,
    hidesSystem: due.some(({ name }) => name === 'no-sys'),
  };
}

/** A number from 0 to 1 that depends on both arguments only (FNV-1a, mixed). */
export function unitHash(number: number, salt: string): number {
  let hash = 0x811c9dc5;
  for (const character of `${salt}|${number}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}
