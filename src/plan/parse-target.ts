/**
 * Where the target is and how it is opened, from flags, environment and config file. Used by the run commands and
 * by those about a finished run. Pure: files and standard input are only named here, `cli/secrets.ts` reads them.
 */
import { printable } from '../base/text.ts';
import type { TargetPlan } from './run-plan.ts';
import { type Given, type Layer, type SettingReader, quoted } from './setting-reader.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a secret is to be had; `name` is how messages call the place, never what is in it. */
export type SecretSource =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly name: string }
  | { readonly kind: 'stdin'; readonly name: string };

/** What opens the target: a password or a token, never both. */
export interface SecretSources {
  readonly password: SecretSource;
  readonly token: SecretSource;
}

export interface TargetRead {
  readonly target: TargetPlan;
  readonly secrets: SecretSources;
  /** The schema that a `crate://` URL named, or null. */
  readonly urlSchema: string | null;
}

/** Taken where nobody names a target: the run file's nodes for the RUN commands. */
export interface TargetDefaults {
  readonly nodes: readonly string[];
  readonly username: string | null;
  /** Whether other nodes are looked for; off unless set. */
  readonly discover?: boolean;
  /** Whether this command can start a sandbox of its own. */
  readonly allowsEmbedded: boolean;
}

/** Where CrateDB listens by default. */
export const DEFAULT_NODES: readonly string[] = ['http://localhost:4200'];

/** CrateDB's superuser, who is meant where a password comes without a name. */
const DEFAULT_USERNAME = 'crate';

const DEFAULT_PORT = '4200';
/** Where it speaks the PostgreSQL protocol. */
export const DEFAULT_PG_PORT = 5432;

/** More nodes than the largest clusters have. */
const MAX_URLS = 256;

const ACCEPTED_URL =
  'expected http(s)://host:4200, crate://host:4200/?ssl=true or host:4200, without path or query of its own';

const SSL_MODES: Readonly<Record<string, boolean>> = {
  disable: false,
  require: true,
  'verify-ca': true,
  'verify-full': true,
};

/** Reads the target; problems and warnings go to the reader. */
export function readTarget(reader: SettingReader, env: Environment, defaults: TargetDefaults): TargetRead {
  const urls = givenUrls(reader, env);
  const embedded = defaults.allowsEmbedded && wantsEmbedded(reader, urls);
  const nodes = embedded ? [] : readNodes(reader, urls.given);
  const credentials = embedded ? NO_CREDENTIALS : readCredentials(reader, env, nodes);
  const origins = [...new Set(nodes.map((node) => node.origin))];
  const tls = readTls(reader, embedded ? [] : origins.length > 0 ? origins : defaults.nodes);
  return {
    target: {
      kind: embedded ? 'embedded' : 'urls',
      nodes: embedded || origins.length > 0 ? origins : defaults.nodes,
      discover: !embedded && reader.switch('discover', defaults.discover ?? false),
      pgPort: reader.count('pg-port', { min: 1, max: 65_535 }, DEFAULT_PG_PORT),
      username: credentials.username ?? (embedded ? null : usernameFor(credentials, defaults)),
      tls,
    },
    secrets: { password: credentials.password, token: credentials.token },
    urlSchema: nodes.find((node) => node.schema !== null)?.schema ?? null,
  };
}

function usernameFor({ password, token }: SecretSources, defaults: TargetDefaults): string | null {
  if (token.kind !== 'none') return null;
  return defaults.username ?? (password.kind === 'none' ? null : DEFAULT_USERNAME);
}

interface GivenUrls {
  readonly given: readonly Given<string>[];
  readonly layer: Layer | null;
}

/** The URLs of the highest layer that has any. */
function givenUrls(reader: SettingReader, env: Environment): GivenUrls {
  const spelled = reader.list('url');
  if (spelled[0]?.layer === 'flag') return { given: spelled, layer: 'flag' };
  const fromEnv = environmentUrls(reader, env);
  if (fromEnv.length > 0) return { given: fromEnv, layer: 'environment' };
  return { given: spelled, layer: spelled.length > 0 ? 'config' : null };
}

function environmentUrls(reader: SettingReader, env: Environment): readonly Given<string>[] {
  const cluster = env['CRATEDB_CLUSTER_URL'] ?? '';
  if (cluster.trim() !== '') return listed(cluster, 'CRATEDB_CLUSTER_URL');
  const hosts = env['CRATE_HOST'] ?? '';
  if (hosts.trim() === '') return [];
  const port = (env['CRATE_PORT'] ?? '').trim();
  if (port !== '' && !isPort(port))
    reader.problems.push(`CRATE_PORT ${quoted(port)}: expected a port from 1 to 65535`);
  const scheme = isSslWanted(reader, env['CRATE_SSL'] ?? '') ? 'https' : 'http';
  return listed(hosts, 'CRATE_HOST').map((host) => {
    if (host.value.includes('://')) return host;
    const hasPort = /[^:]:\d+$/.test(host.value) && !/^[^[]*:[^[]*:/.test(host.value);
    return { ...host, value: `${scheme}://${host.value}${hasPort || !isPort(port) ? '' : `:${port}`}` };
  });
}

/** Several URLs in one variable stand apart by commas or blanks. */
function listed(text: string, name: string): readonly Given<string>[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  return parts.map((value) => ({ value, layer: 'environment', name }));
}

function isSslWanted(reader: SettingReader, text: string): boolean {
  const value = text.trim().toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(value)) return true;
  if (!['', 'false', '0', 'no', 'off'].includes(value)) {
    reader.problems.push(`CRATE_SSL ${quoted(text)}: expected true or false`);
  }
  return false;
}

/** `--sandbox` against URLs: the higher layer wins, on one layer they contradict each other. */
function wantsEmbedded(reader: SettingReader, urls: GivenUrls): boolean {
  if (!reader.switch('sandbox', false)) return false;
  const layer: Layer = reader.isFlag('sandbox') ? 'flag' : 'config';
  if (urls.layer === layer) {
    const named = urls.given[0]?.name ?? '--url';
    reader.problems.push(`${named}: expected either a URL or the sandbox, not both`);
  }
  return layer === 'flag' || urls.layer === null || urls.layer === 'config';
}

interface Node {
  readonly origin: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly schema: string | null;
  readonly given: Given<string>;
}

function readNodes(reader: SettingReader, given: readonly Given<string>[]): readonly Node[] {
  if (given.length > MAX_URLS)
    reader.problems.push(`--url: expected at most ${MAX_URLS} URLs, not ${given.length}`);
  const nodes: Node[] = [];
  for (const one of given.slice(0, MAX_URLS)) {
    const parsed = parseUrl(one.value);
    if (parsed === null) reader.problem(one, ACCEPTED_URL);
    else nodes.push({ ...parsed, given: one });
  }
  return nodes;
}

/** One URL in any accepted form, or null. Ports default to 4200, whatever the scheme. */
function parseUrl(text: string): Omit<Node, 'given'> | null {
  const match = /^(?:(https?|crate):\/\/)?([^\s]+)$/i.exec(text.trim());
  if (match === null) return null;
  const scheme = (match[1] ?? 'http').toLowerCase();
  const rest = match[2] ?? '';
  if (match[1] === undefined && rest.includes('://')) return null;
  const url = parseAuthority(rest);
  if (url === null || url.hostname === '' || url.hash !== '') return null;
  const ssl = scheme === 'crate' ? sslOf(url) : scheme === 'https';
  const path = decoded(url.pathname.replace(/^\/|\/$/g, ''));
  if (ssl === null || path === null || path.includes('/')) return null;
  if (scheme !== 'crate' && (path !== '' || url.search !== '')) return null;
  const [username, password] = [decoded(url.username), decoded(url.password)];
  if (username === null || password === null) return null;
  const port = explicitPort(rest) ?? DEFAULT_PORT;
  if (!isPort(port)) return null;
  return {
    origin: new URL(`${ssl ? 'https' : 'http'}://${url.hostname}:${port}`).origin,
    username: username === '' ? null : username,
    password: password === '' ? null : password,
    schema: path === '' ? null : path,
  };
}

function parseAuthority(rest: string): URL | null {
  return URL.parse(`http://${rest}`);
}

/** The port as written: the URL class drops the one that is its scheme's default. */
function explicitPort(rest: string): string | null {
  const authority = rest.split(/[/?#]/, 1)[0] ?? '';
  return /:(\d+)$/.exec(authority.slice(authority.lastIndexOf('@') + 1))?.[1] ?? null;
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** Whether a crate:// URL wants TLS, or null where it says so in words nobody knows. Other parameters are for other tools. */
function sslOf(url: URL): boolean | null {
  const ssl = url.searchParams.get('ssl')?.toLowerCase() ?? null;
  const mode = url.searchParams.get('sslmode')?.toLowerCase() ?? null;
  if (ssl !== null && !['true', 'false', '1', '0'].includes(ssl)) return null;
  const wanted = mode === null ? null : SSL_MODES[mode];
  if (wanted === undefined) return null;
  return ssl === null ? (wanted ?? false) : ssl === 'true' || ssl === '1';
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

interface Credentials extends SecretSources {
  readonly username: string | null;
}

/** For a target that asks for nothing. */
export const NO_SECRETS: SecretSources = { password: { kind: 'none' }, token: { kind: 'none' } };

const NO_CREDENTIALS: Credentials = { username: null, ...NO_SECRETS };

const LAYER_RANK: Readonly<Record<Layer, number>> = { flag: 3, environment: 2, config: 1 };

/**
 * The higher layer wins; on one layer standard input before a file before a URL, and a password contradicts a
 * token. A token names its user itself.
 */
function readCredentials(reader: SettingReader, env: Environment, nodes: readonly Node[]): Credentials {
  const [withUser, withPassword] = [
    nodes.filter((node) => node.username !== null),
    nodes.filter((node) => node.password !== null),
  ];
  if (
    new Set(
      nodes
        .filter((node) => node.username !== null || node.password !== null)
        .map((node) => `${node.username}\n${node.password}`),
    ).size > 1
  ) {
    reader.problems.push('--url: expected the same user and password in all URLs that have them');
  }
  if (withPassword[0] !== undefined) {
    reader.warnings.push(
      `the password in ${withPassword[0].given.name} is used, but shell history and process lists may show it: --password-file or CRATEDB_PASSWORD hide it better`,
    );
  }
  refuseTwoWays(reader, 'password');
  refuseTwoWays(reader, 'token');
  const username = readUsername(reader, env, withUser[0] ?? null);
  const candidates = [
    ...secretCandidates(reader, env, 'password', withPassword[0] ?? null),
    ...secretCandidates(reader, env, 'token', null),
  ];
  const [best, ...others] = candidates.toSorted((a, b) => LAYER_RANK[b.layer] - LAYER_RANK[a.layer]);
  if (best === undefined) return { ...NO_SECRETS, username: username?.value ?? null };
  if (others.some((other) => other.use !== best.use && other.layer === best.layer))
    reader.problems.push(`${best.source.name}: expected either a password or a token, not both`);
  if (best.use === 'password')
    return { ...NO_SECRETS, username: username?.value ?? null, password: best.source };
  if (username !== null && LAYER_RANK[username.layer] >= LAYER_RANK[best.layer])
    reader.problem(username, 'expected no user beside a token, which names its own');
  return { ...NO_SECRETS, username: null, token: best.source };
}

/** One secret, asked for in one way. */
function refuseTwoWays(reader: SettingReader, secret: keyof SecretSources): void {
  if (reader.switch(`${secret}-stdin`, false) && reader.isFlag(`${secret}-file`))
    reader.problems.push(`--${secret}-stdin: expected either this or --${secret}-file, not both`);
}

function readUsername(reader: SettingReader, env: Environment, node: Node | null): Given<string> | null {
  const flag = reader.text('username');
  const inUrl = node?.username ?? null;
  if (flag?.value.trim() === '') reader.problem(flag, 'expected a user name');
  if (flag?.value.includes(':') === true) reader.problem(flag, 'expected a user name without a colon');
  if (flag !== null && inUrl !== null && flag.layer === node?.given.layer && flag.value !== inUrl) {
    reader.problem(
      flag,
      `expected the user that ${node.given.name} names, "${printable(inUrl, 60)}", or none there`,
    );
  }
  const candidates = [
    flag,
    inUrl === null || node === null ? null : { ...node.given, value: inUrl },
    environmentUsername(env),
  ].filter((candidate) => candidate !== null);
  return candidates.toSorted((a, b) => LAYER_RANK[b.layer] - LAYER_RANK[a.layer])[0] ?? null;
}

function environmentUsername(env: Environment): Given<string> | null {
  for (const name of ['CRATEDB_USERNAME', 'CRATE_USER']) {
    const value = nonEmpty(env[name]);
    if (value !== null) return { value, layer: 'environment', name };
  }
  return null;
}

interface SecretCandidate {
  readonly use: keyof SecretSources;
  readonly source: Exclude<SecretSource, { kind: 'none' }>;
  readonly layer: Layer;
}

const SECRET_VARIABLES: Readonly<Record<keyof SecretSources, readonly string[]>> = {
  password: ['CRATEDB_PASSWORD', 'CRATE_PASSWORD', 'CRATEPW'],
  token: ['CRATEDB_TOKEN'],
};

/** Every place that has such a secret; within a layer the first counts. */
function secretCandidates(
  reader: SettingReader,
  env: Environment,
  use: keyof SecretSources,
  node: Node | null,
): readonly SecretCandidate[] {
  const candidates: SecretCandidate[] = [];
  const [stdin, file] = [`--${use}-stdin`, reader.text(`${use}-file`)];
  if (reader.switch(`${use}-stdin`, false))
    candidates.push({ use, source: { kind: 'stdin', name: stdin }, layer: 'flag' });
  if (file !== null) {
    const { value: path, name, layer } = file;
    candidates.push({ use, source: { kind: 'file', path, name }, layer });
  }
  if (node?.password != null) {
    const { layer, name } = node.given;
    candidates.push({ use, source: { kind: 'text', text: node.password, name }, layer });
  }
  for (const name of SECRET_VARIABLES[use]) {
    const text = nonEmpty(env[name]);
    if (text !== null) candidates.push({ use, source: { kind: 'text', text, name }, layer: 'environment' });
  }
  return candidates;
}

function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

function readTls(reader: SettingReader, origins: readonly string[]): TargetPlan['tls'] {
  const [ca, cert, key] = [reader.text('ca-cert-file'), reader.text('cert-file'), reader.text('key-file')];
  const systemCa = reader.switch('system-ca', false);
  const plain = origins.length > 0 && origins.every((origin) => origin.startsWith('http:'));
  for (const file of [ca, cert, key]) {
    if (file?.layer === 'flag' && plain) reader.problem(file, 'expected only with an https:// URL');
  }
  if (systemCa && reader.isFlag('system-ca') && plain)
    reader.problems.push('--system-ca: expected only with an https:// URL');
  if (cert !== null && key === null) reader.problem(cert, 'expected together with --key-file');
  if (key !== null && cert === null) reader.problem(key, 'expected together with --cert-file');
  return {
    verify: !reader.switch('insecure', false),
    caCertFile: ca?.value ?? null,
    systemCa,
    certFile: cert?.value ?? null,
    keyFile: key?.value ?? null,
  };
}
