/**
 * Failure classes: the one place that says what a CrateDB error code, a Java class in its message, an HTTP status
 * or a system error means for the rows of an INSERT and for the node that answered.
 * Sources: https://cratedb.com/docs/crate/reference/en/latest/interfaces/http.html#error-codes and what a
 * CrateDB 6.4.3 answered when it was tried.
 */
import type { AttemptOutcome, FailureClass } from './outcome.ts';
import { systemCodeOf } from '../base/errors.ts';

export type Condition = AttemptOutcome['condition'];

/** Where a row is after a failure: refused for what it holds, surely not stored, or nobody knows. */
type RowState = 'rejected' | 'notStored' | 'unknown';

/** What an error in a result row (`inRow`) and an error for the whole request (`whole`) say about rows. */
export interface ErrorMeaning {
  readonly class: FailureClass;
  readonly inRow: RowState;
  readonly whole: RowState;
  readonly condition: Condition;
  /** The refusal may be the fault of one row, so parts of the request may be accepted. */
  readonly divisible: boolean;
}

type Row = readonly [FailureClass, RowState, RowState, Condition];

/**
 * CrateDB's codes. Columns: class; the row whose result carries it; all rows of a request refused with it; the
 * node. Codes that a constraint or a type raises are never met by a row that was stored. 4041, 4045 and 4046 are
 * also what a node says for the first seconds after its start, before it knows the tables.
 */
const BY_CODE: ReadonlyMap<number, Row> = new Map<number, Row>([
  [4000, ['invalidValue', 'rejected', 'rejected', 'good']],
  [4001, ['statement', 'rejected', 'rejected', 'good']],
  [4002, ['statement', 'rejected', 'rejected', 'good']],
  [4003, ['invalidValue', 'rejected', 'rejected', 'good']],
  [4004, ['invalidValue', 'rejected', 'rejected', 'good']],
  [4006, ['statement', 'rejected', 'rejected', 'good']],
  [4007, ['blocked', 'notStored', 'notStored', 'blocked']],
  [4008, ['invalidValue', 'rejected', 'rejected', 'good']],
  [4010, ['unauthorized', 'notStored', 'notStored', 'troubled']],
  [4011, ['unauthorized', 'notStored', 'notStored', 'troubled']],
  [4030, ['blocked', 'notStored', 'notStored', 'blocked']],
  [4031, ['readOnlyNode', 'notStored', 'notStored', 'troubled']],
  [4032, ['blocked', 'notStored', 'notStored', 'blocked']],
  [4033, ['blocked', 'notStored', 'notStored', 'blocked']],
  [4034, ['blocked', 'notStored', 'notStored', 'blocked']],
  [4035, ['blocked', 'notStored', 'notStored', 'blocked']],
  [4036, ['blocked', 'notStored', 'notStored', 'blocked']],
  [4037, ['blocked', 'notStored', 'notStored', 'blocked']],
  [4041, ['notRecovered', 'unknown', 'notStored', 'unreachable']],
  [4043, ['statement', 'rejected', 'rejected', 'good']],
  [4045, ['notRecovered', 'unknown', 'notStored', 'unreachable']],
  [4046, ['notRecovered', 'unknown', 'notStored', 'unreachable']],
  [40411, ['invalidValue', 'rejected', 'rejected', 'good']],
  [4091, ['duplicateKey', 'rejected', 'unknown', 'good']],
  [4290, ['overloaded', 'notStored', 'notStored', 'overloaded']],
  [5002, ['shardUnavailable', 'unknown', 'unknown', 'troubled']],
  [5005, ['killed', 'unknown', 'unknown', 'troubled']],
  [5031, ['noMaster', 'unknown', 'notStored', 'unreachable']],
  [5035, ['notRecovered', 'unknown', 'notStored', 'unreachable']],
]);

const NO_MASTER: Row = ['noMaster', 'unknown', 'unknown', 'unreachable'];

/** The whole cluster, not the table: without a master, or not recovered yet. */
const BLOCKED_CLUSTER = /SERVICE_UNAVAILABLE/;

/**
 * Code 5000 and servers before 6.2 name the cause only by the Java class that opens the message. Queue and
 * breaker refuse a shard's part before it is written; for a whole request other shards may have written theirs.
 */
const BY_JAVA_CLASS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['ClusterBlockException', ['blocked', 'notStored', 'unknown', 'blocked']],
  ['MasterNotDiscoveredException', NO_MASTER],
  ['EsRejectedExecutionException', ['queueFull', 'notStored', 'unknown', 'overloaded']],
  ['CircuitBreakingException', ['breaker', 'notStored', 'unknown', 'overloaded']],
  ['UnavailableShardsException', ['shardUnavailable', 'unknown', 'unknown', 'troubled']],
  ['JobKilledException', ['killed', 'unknown', 'unknown', 'troubled']],
  ['NodeDisconnectedException', ['nodeLost', 'unknown', 'unknown', 'troubled']],
  ['NodeClosedException', ['nodeLost', 'unknown', 'unknown', 'troubled']],
  ['NodeNotConnectedException', ['nodeLost', 'unknown', 'unknown', 'troubled']],
  ['ConnectTransportException', ['nodeLost', 'unknown', 'unknown', 'troubled']],
  ['SendRequestTransportException', ['nodeLost', 'unknown', 'unknown', 'troubled']],
]);

/** A 400 with these is about the request, not about one of its rows: sending parts of it cannot help. */
const INDIVISIBLE =
  /^ParsingException\[|^SQLParseException\[(?:Can't parse \[|Missing request body|Statement exceeds)/;
/** The texts of what a constraint of the table refused. */
export const CONSTRAINT = /Failed CONSTRAINT|must not be (?:null|NULL)|is required but is missing/;

/**
 * The meaning of one error of CrateDB: `code` and `message` as they stand in a result row or in a top-level
 * `error`. A code that is not in the tables is unknown in a row; for a whole request 4000-4099 means refused.
 */
export function meaningOf(code: number, message: string): ErrorMeaning {
  const named = BY_CODE.get(code) ?? (isServers(code) ? rowOfJavaClass(message) : undefined);
  const [name, inRow, whole, condition] = named ?? otherCode(code);
  if (name !== 'invalidValue') return { class: name, inRow, whole, condition, divisible: false };
  if (INDIVISIBLE.test(message)) return { class: 'statement', inRow, whole, condition, divisible: false };
  return { class: CONSTRAINT.test(message) ? 'constraint' : name, inRow, whole, condition, divisible: true };
}

function rowOfJavaClass(message: string): Row | undefined {
  const row = BY_JAVA_CLASS.get(javaClassOf(message));
  return row?.[0] === 'blocked' && BLOCKED_CLUSTER.test(message) ? NO_MASTER : row;
}

function otherCode(code: number): Row {
  if (isServers(code)) return ['serverError', 'unknown', 'unknown', 'troubled'];
  // 40000 and 40010-40013 are the rest of what a 400 carries.
  if (code === 40000 || (code >= 40010 && code <= 40013)) return ['statement', 'unknown', 'rejected', 'good'];
  return ['unexplained', 'unknown', 'unknown', 'troubled'];
}

/** Codes continue the HTTP status: 4091 and 40910 are of 409, 5002 of 500. */
function isServers(code: number): boolean {
  return String(code).startsWith('5');
}

/** `DuplicateKeyException[A document …]` → `DuplicateKeyException`; '' when a message does not open so. */
export function javaClassOf(message: string): string {
  return /^([A-Za-z0-9_$.]{1,120})\[/.exec(message)?.[1] ?? '';
}

/** What a broken exchange means: the class of the rows' failure and what it says about the node. */
export interface BrokenMeaning {
  readonly class: FailureClass;
  readonly condition: Condition;
}

const REFUSED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN']);
const DNS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);
const CONNECT_TIMEOUT = new Set(['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);
/** This host's own limits: the node may be well. */
const OWN_LIMIT = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM', 'EACCES', 'EPERM']);
/** The peer spoke, but not HTTP that can be understood, or not within the limits. */
const BAD_REPLY = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
]);

/** Verdicts of certificate verification, as OpenSSL and Node name them. */
const CERTIFICATE =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|CRL_|EPROTO$)/;

/** What a server says that wants a client certificate, or another one. */
const CLIENT_CERTIFICATE =
  /^ERR_SSL_(?:TLSV13_ALERT_CERTIFICATE_REQUIRED|(?:TLSV1|SSLV3)_ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA))$/;

/** Classifies an error of the transport by its code; `handedOver` decides between not stored and unknown. */
export function meaningOfBroken(error: unknown, handedOver: boolean): BrokenMeaning {
  const code = systemCodeOf(error);
  if (handedOver) {
    // With TLS 1.3 a client is through before the server has looked at its certificate.
    if (CLIENT_CERTIFICATE.test(code)) return { class: 'tls', condition: 'troubled' };
    const bad = BAD_REPLY.has(code) || code.startsWith('HPE_');
    return { class: bad ? 'badReply' : 'closed', condition: 'troubled' };
  }
  if (REFUSED.has(code)) return { class: 'refused', condition: 'unreachable' };
  if (DNS.has(code)) return { class: 'dns', condition: 'unreachable' };
  if (CONNECT_TIMEOUT.has(code)) return { class: 'connectTimeout', condition: 'unreachable' };
  if (CERTIFICATE.test(code)) return { class: 'tls', condition: 'unreachable' };
  if (OWN_LIMIT.has(code)) return { class: 'notSent', condition: 'troubled' };
  // Reset or closed while connecting: a node that goes down, or a port that speaks something else.
  return { class: 'notSent', condition: 'unreachable' };
}
