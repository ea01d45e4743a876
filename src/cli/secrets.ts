/**
 * Reads what opens the target: passwords, tokens and PEM files. What comes out of here travels to workers over IPC and is
 * written nowhere.
 */
import { createReadStream } from 'node:fs';
import { type Readable, addAbortSignal } from 'node:stream';
import { messageOf, systemCodeOf } from '../base/errors.ts';
import { printable } from '../base/text.ts';
import type { SecretSource, SecretSources } from '../plan/parse-target.ts';
import type { TargetAccess, TargetPlan } from '../plan/run-plan.ts';

/** Far more than any password or chain of certificates; a device without end is cut here. */
const MAX_SECRET_BYTES = 2 ** 20;

/** CrateDB takes 8 kB of headers, and answers a longer one as if the body were missing. */
const MAX_TOKEN_CHARACTERS = 7_000;

/** A pipe that nobody writes to is given up after this. */
const READ_DEADLINE_MS = 30_000;

export type ReadAccess =
  | { readonly ok: true; readonly access: TargetAccess }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Standard input, as far as this module needs it. */
export type SecretInput = Readable & { readonly isTTY?: boolean };

/** Reads secrets and PEM files; all problems at once, each naming the flag and the path, never a content. */
export async function readAccess(
  target: TargetPlan,
  secrets: SecretSources,
  stdin: SecretInput,
): Promise<ReadAccess> {
  const problems: string[] = [];
  const collect = async (reading: Promise<SecretRead>): Promise<string | null> => {
    const read = await reading;
    if (read.ok) return read.text;
    problems.push(read.problem);
    return null;
  };
  const { caCertFile, systemCa, certFile, keyFile, verify } = target.tls;
  const ca = await collect(readPem('--ca-cert-file', caCertFile));
  const tls = {
    verify,
    ca: systemCa ? withSystemCertificates(ca) : ca,
    cert: await collect(readPem('--cert-file', certFile)),
    key: await collect(readPem('--key-file', keyFile)),
  };
  const password = await collect(readSecret(secrets.password, stdin));
  const token = await collect(readToken(secrets.token, stdin));
  if (problems.length === 0) problems.push(...pemProblems({ ...tls, ca }));
  if (problems.length > 0) return { ok: false, problems };
  const { nodes, pgPort, username } = target;
  const pgPorts = nodes.map(() => pgPort);
  return { ok: true, access: { nodes, pgPorts, username, password, token, tls } };
}

/** Read here, once, so that all processes of a run trust the same. */
function withSystemCertificates(ca: string | null): string {
  const { getCACertificates } = process.getBuiltinModule('node:tls');
  return [...(ca === null ? getCACertificates('default') : [ca]), ...getCACertificates('system')].join('\n');
}

/** A secret, or the problem in words that name flag and path. */
export type SecretRead =
  { readonly ok: true; readonly text: string | null } | { readonly ok: false; readonly problem: string };

/** A token as CrateDB takes them; anything else it would not refuse, but fail at. */
async function readToken(source: SecretSource, stdin: SecretInput): Promise<SecretRead> {
  const read = await readSecret(source, stdin);
  if (!read.ok || read.text === null) return read;
  const name = nameOf(source);
  if (read.text.length > MAX_TOKEN_CHARACTERS)
    return { ok: false, problem: `${name}: longer than ${MAX_TOKEN_CHARACTERS} characters` };
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(read.text)) return read;
  return { ok: false, problem: `${name}: expected a JSON Web Token, three parts with dots between them` };
}

/** The secret from wherever it is to be had; null where there is none. */
export async function readSecret(source: SecretSource, stdin: SecretInput): Promise<SecretRead> {
  switch (source.kind) {
    case 'none':
      return { ok: true, text: null };
    case 'text':
      return { ok: true, text: source.text };
    case 'file': {
      const stream = createReadStream(source.path, { signal: AbortSignal.timeout(READ_DEADLINE_MS) });
      return firstLine(await readText(stream, nameOf(source), '\n'));
    }
    case 'stdin':
      if (stdin.isTTY === true) {
        return {
          ok: false,
          problem: `${source.name}: expected the secret through a pipe, not from the terminal`,
        };
      }
      return firstLine(
        await readText(addAbortSignal(AbortSignal.timeout(READ_DEADLINE_MS), stdin), source.name, '\n'),
      );
  }
}

/** `--token-file secret`, `CRATEDB_TOKEN`. */
function nameOf(source: SecretSource): string {
  if (source.kind === 'none') return '';
  return source.kind === 'file' ? `${source.name} ${printable(source.path)}` : source.name;
}

async function readPem(flag: string, path: string | null): Promise<SecretRead> {
  if (path === null) return { ok: true, text: null };
  const name = `${flag} ${printable(path)}`;
  const stream = createReadStream(path, { signal: AbortSignal.timeout(READ_DEADLINE_MS) });
  const read = await readText(stream, name);
  if (!read.ok || read.text.includes('-----BEGIN ')) return read;
  return { ok: false, problem: `${name}: expected PEM text, with -----BEGIN … in it` };
}

type NamedText =
  { readonly ok: true; readonly name: string; readonly text: string } | Extract<SecretRead, { ok: false }>;

/** All of it, or no further than `end`: who pipes a password in may keep the pipe open. */
async function readText(input: Readable, name: string, end: string | null = null): Promise<NamedText> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of input as AsyncIterable<Buffer | string>) {
      const buffer = Buffer.from(chunk);
      chunks.push(buffer);
      bytes += buffer.length;
      if (bytes > MAX_SECRET_BYTES) return { ok: false, problem: `${name}: larger than 1 MiB` };
      if (end !== null && buffer.includes(end)) break;
    }
  } catch (error) {
    return { ok: false, problem: `${name}: ${whyUnreadable(error)}` };
  }
  return { ok: true, name, text: Buffer.concat(chunks).toString('utf8') };
}

/** In words for what people meet, without repeating the path. */
function whyUnreadable(error: unknown): string {
  const code = systemCodeOf(error);
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'EACCES':
    case 'EPERM':
      return 'not allowed to read it';
    case 'EISDIR':
      return 'is a folder';
    case 'ABORT_ERR':
      return `nothing came within ${READ_DEADLINE_MS / 1000} s`;
    default:
      return `cannot be read (${code === '' ? printable(messageOf(error)) : code})`;
  }
}

/** The secret is the first line: editors and `echo` end it with a newline that is not part of it. */
function firstLine(read: NamedText): SecretRead {
  if (!read.ok) return read;
  const line = read.text.split(/\r?\n/, 1)[0] ?? '';
  return line === ''
    ? { ok: false, problem: `${read.name}: the first line is empty` }
    : { ok: true, text: line };
}

/** Whether the TLS library takes the texts; a key of another certificate shows here, before the first connection. */
function pemProblems({ ca, cert, key }: TargetAccess['tls']): readonly string[] {
  if (ca === null && cert === null && key === null) return [];
  // Loaded when needed: most targets speak plain HTTP.
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  try {
    createSecureContext({ ca: ca ?? undefined, cert: cert ?? undefined, key: key ?? undefined });
    return [];
  } catch (error) {
    const flags = [ca === null ? '' : '--ca-cert-file', cert === null ? '' : '--cert-file, --key-file'];
    const named = flags.filter((flag) => flag !== '').join(', ');
    return [`${named}: the TLS library refuses them (${printable(messageOf(error))})`];
  }
}
