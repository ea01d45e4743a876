/** What to try next when a target cannot be used: a sentence for each failure that a flag or a GRANT can mend. */
import { TargetError } from '../base/errors.ts';
import { grantOn } from '../base/sql.ts';
import type { Answer } from '../cratedb/ask.ts';
import type { FailureClass } from '../cratedb/outcome.ts';
import type { QueryFailure } from '../cratedb/query-reply.ts';

type HintedFailure = Pick<QueryFailure, 'class' | 'code' | 'message'>;

/** Whom a failure kept from what: a table of that schema, which he may not be allowed to use or even see. */
export interface Wanted {
  readonly schema: string;
  /** Null where nobody is named. */
  readonly user: string | null;
}

/** The hint for a failure, or undefined where there is nothing better than its message. */
export function targetHint(failure: HintedFailure, wanted: Wanted | null = null): string | undefined {
  const hint = doctorHint(failure, wanted);
  if (hint === undefined || !SILENT.has(failure.class)) return hint;
  return `${hint} crategen doctor --url … looks at it step by step.`;
}

/** The same in the words of `crategen doctor`, which sends nobody to itself. */
export function doctorHint(failure: HintedFailure, wanted: Wanted | null = null): string | undefined {
  const { message } = failure;
  const privilege = /Missing '(DDL|DML|DQL)' privilege for user '(.+)'\]$/.exec(message);
  if (wanted !== null && privilege !== null)
    return `Missing: ${grantOn(wanted.schema, privilege[1] ?? '', privilege[2] ?? '')}`;
  // What a user may not see does not exist for him.
  if (wanted !== null && (failure.code === 4041 || failure.code === 4045))
    return `It is not there, or this user may not see it: ${grantOn(wanted.schema, 'DDL, DML, DQL', wanted.user)}`;
  const named = BY_MESSAGE.find(([name, pattern]) => name === failure.class && pattern.test(message));
  return named?.[2] ?? BY_CLASS[failure.class];
}

/** Nothing came back that says more. */
const SILENT: ReadonlySet<FailureClass> = new Set(['connectTimeout', 'timeout']);

/** What says that nobody takes PostgreSQL connections at that port, or somebody else listens there. */
const NO_PG: ReadonlySet<FailureClass> = new Set([
  'refused',
  'connectTimeout',
  'timeout',
  'notSent',
  'closed',
  'badReply',
]);

/** The hint for a failure at the port of PostgreSQL connections. */
export function pgHint(failure: Pick<QueryFailure, 'class' | 'message'>): string | undefined {
  if (NO_PG.has(failure.class)) return 'Name the port that takes PostgreSQL connections with --pg-port.';
  return targetHint({ ...failure, code: null });
}

/** The answer's value, or the error that a person needs. */
export function answered<T>(answer: Answer<T>, what: string, wanted: Wanted | null = null): T {
  if (answer.ok) return answer.value;
  throw new TargetError(`${what}: ${answer.message}`, { hint: targetHint(answer, wanted) });
}

const SKIP_CHECK = '--insecure skips the check, for a test server.';

/** Where the words of OpenSSL, Node.js or CrateDB tell apart what one class holds. */
const BY_MESSAGE: readonly (readonly [FailureClass, RegExp, string])[] = [
  [
    'tls',
    /wrong version number|packet length too long/,
    'That port does not speak TLS: write http:// in --url, or name the port that does.',
  ],
  [
    'tls',
    /self-signed certificate|unable to verify the first certificate|local issuer certificate/,
    `Name the certificate authority with --ca-cert-file FILE, or trust this machine's with --system-ca; ${SKIP_CHECK}`,
  ],
  [
    'tls',
    /offers no TLS/,
    'The server takes PostgreSQL connections with TLS when ssl.psql.enabled is set there; http:// in --url does without.',
  ],
  ['tls', /certificate has expired/, `The server needs a new certificate; ${SKIP_CHECK}`],
  ['tls', /not yet valid/, "Is this machine's clock right? The certificate is of the future."],
  [
    'tls',
    /does not match certificate's altnames/,
    `Name the server in --url as its certificate does; ${SKIP_CHECK}`,
  ],
  [
    'tls',
    /certificate required|bad certificate|alert unknown ca/i,
    'The server asks for a client certificate: --cert-file FILE and --key-file FILE.',
  ],
  [
    'closed',
    /^https:/,
    "The server closed the connection: does it want a client certificate (--cert-file FILE and --key-file FILE), and is this CrateDB's HTTP port (4200)?",
  ],
  [
    'unauthorized',
    /password authentication failed/,
    'The name or the password is wrong, and the server does not tell which: --username and --password-file, or CRATEDB_USERNAME and CRATEDB_PASSWORD.',
  ],
  [
    'unauthorized',
    /No valid auth\.host_based\.config entry/,
    'Give the password with --password-file or CRATEDB_PASSWORD, or a token; otherwise auth.host_based.config of the server lets nobody of that name in from here.',
  ],
  [
    'unauthorized',
    /jwt|token/i,
    'The token is not accepted: get a new one for --token-file or CRATEDB_TOKEN.',
  ],
];

const BY_CLASS: Partial<Record<FailureClass, string>> = {
  refused:
    'Is CrateDB running there? Name it with --url, or try crategen cluster --sandbox without a server.',
  dns: 'Is the host name right? Name the server with --url http://HOST:4200.',
  connectTimeout: 'Is a firewall between here and there?',
  timeout: 'The server took the connection and did not answer.',
  unauthorized:
    'Give --username and --password-file, or --token-file, or set CRATEDB_USERNAME and CRATEDB_PASSWORD, or CRATEDB_TOKEN.',
  tls: `Name the certificate authority with --ca-cert-file FILE; ${SKIP_CHECK}`,
  badReply: "Is this CrateDB's HTTP port (4200)? A TLS server wants https:// in --url.",
  closed: "Is this CrateDB's HTTP port (4200)? A TLS server wants https:// in --url.",
  shardUnavailable:
    'A shard has no primary until its node is back: SELECT * FROM sys.allocations says what is missing.',
  redirect: 'Name the server itself with --url: credentials are not sent to where a redirect points.',
};
