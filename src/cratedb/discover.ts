/**
 * The other nodes of a cluster, found through the ones that were named. An address that the cluster lists is only
 * used when the node it is listed for answers there, and it hears a password only where that is meant for it
 * (docs/decisions/0015).
 */
import { lookup } from 'node:dns/promises';
import { grantOn } from '../base/sql.ts';
import type { TargetAccess } from '../plan/run-plan.ts';
import { createClient } from './client.ts';
import type { NodeGreeting } from './greeting.ts';
import type { ServerFacts, ServerNode } from './introspect.ts';

/** More nodes than the largest clusters have. */
const MAX_NODES = 256;
/** Addresses behind a NAT do not answer at all: this long a start may wait for them, all at once. */
const GREETING_TIMEOUT_MS = 5000;

export interface Discovery {
  /** Origins beside the named ones, each greeted and found to be the node it is listed as. */
  readonly found: readonly string[];
  /** Where the named nodes, and then those of `found`, take PostgreSQL connections; null where nobody says. */
  readonly pgPorts: readonly (number | null)[];
  /** Why listed nodes are not used, one printable sentence each. */
  readonly leftOut: readonly string[];
}

interface Candidate {
  readonly node: ServerNode;
  readonly origin: string;
}

/**
 * Looks for the nodes that `facts` lists beside those that `access` names. Never throws: what cannot be used is left
 * out, and the named ones are there in any case.
 */
export async function discoverNodes(
  access: TargetAccess,
  facts: ServerFacts,
  signal: AbortSignal | null = null,
): Promise<Discovery> {
  const { clusterNodes } = facts;
  if (!clusterNodes.ok) {
    const why = `sys.nodes cannot be read (${clusterNodes.message}); ${grantOn('sys', 'DQL', access.username)} would let it be`;
    return { found: [], pgPorts: access.nodes.map(() => null), leftOut: [why] };
  }
  const listed = clusterNodes.value;
  const { candidates, leftOut } = await candidatesOf(access, facts, listed);
  const answers = await greet(access, candidates, signal);
  const found: string[] = [];
  const pgPorts = namedPgPorts(facts, listed);
  for (const { candidate, greeting } of answers) {
    const why = whyForeign(candidate.node, greeting, facts);
    if (why === null) {
      found.push(candidate.origin);
      pgPorts.push(candidate.node.pgPort);
    } else leftOut.push(refusal(candidate.node, candidate.origin, why));
  }
  return { found, pgPorts, leftOut };
}

/** Listed nodes that nobody named and that may be asked who they are. */
async function candidatesOf(
  access: TargetAccess,
  facts: ServerFacts,
  listed: readonly ServerNode[],
): Promise<{ candidates: readonly Candidate[]; leftOut: string[] }> {
  const leftOut: string[] = [];
  const candidates: Candidate[] = [];
  const scheme = schemeOf(facts);
  const reached = namesReached(facts, listed);
  const mayHear = await passwordRule(access);
  for (const node of listed) {
    if (reached.has(node.name)) continue;
    const origin = URL.parse(`${scheme}//${node.address ?? ''}`)?.origin ?? null;
    if (origin !== null && access.nodes.includes(origin)) continue;
    if (origin === null) leftOut.push(refusal(node, 'no address', 'it publishes none for HTTP'));
    else if (isDedicatedMaster(node)) leftOut.push(refusal(node, origin, 'it only keeps the cluster state'));
    else if (!mayHear(origin))
      leftOut.push(
        refusal(
          node,
          origin,
          'without verified TLS a password or token goes only to hosts that --url names: name it to use it',
        ),
      );
    else if (access.nodes.length + candidates.length >= MAX_NODES)
      leftOut.push(refusal(node, origin, `at most ${MAX_NODES} nodes are used`));
    else candidates.push({ node, origin });
  }
  return { candidates, leftOut };
}

/** Of the named node that answered first: the list came from it or its like. */
function schemeOf(facts: ServerFacts): string {
  const origin = facts.greetings.find(({ greeting }) => greeting.ok)?.origin ?? '';
  return origin.startsWith('https:') ? 'https:' : 'http:';
}

/** Names of nodes that answer under a named URL. A name that two nodes bear says nothing. */
function namesReached(facts: ServerFacts, listed: readonly ServerNode[]): ReadonlySet<string> {
  const names = facts.greetings.flatMap(({ greeting }) => (greeting.ok ? [greeting.name] : []));
  return new Set(names.filter((name) => listed.filter((node) => node.name === name).length === 1));
}

/** As listed where the port for HTTP is the listed one too: behind a map of ports the list says nothing. */
function namedPgPorts(facts: ServerFacts, listed: readonly ServerNode[]): (number | null)[] {
  return facts.greetings.map(({ origin, greeting }) => {
    const bearers = greeting.ok ? listed.filter(({ name }) => name === greeting.name) : [];
    const [only] = bearers;
    const { protocol, port } = new URL(origin);
    const isListed = bearers.length === 1 && URL.parse(`${protocol}//${only?.address ?? ''}`)?.port === port;
    return isListed ? (only?.pgPort ?? null) : null;
  });
}

function isDedicatedMaster({ roles }: ServerNode): boolean {
  return roles !== null && roles.includes('master_eligible') && !roles.includes('data');
}

/**
 * Whether an origin may hear the password. With verified TLS from the first URL on, the list comes from the server
 * that the user named, and each listed address proves itself before it hears anything. Otherwise anybody on the way
 * could have put an address there: the password stays with the hosts it goes to anyway.
 */
async function passwordRule(access: TargetAccess): Promise<(origin: string) => boolean> {
  const hasSecret = (access.password ?? '') !== '' || access.token !== null;
  const isSecure = access.tls.verify && access.nodes.every((origin) => origin.startsWith('https:'));
  if (!hasSecret || isSecure) return () => true;
  const named = access.nodes.map(hostOf);
  const addresses = await Promise.all(named.map(addressesOf));
  const hosts = new Set([...named, ...addresses.flat()]);
  return (origin) => hosts.has(hostOf(origin));
}

/** Without the brackets of IPv6. */
function hostOf(origin: string): string {
  return new URL(origin).hostname.replace(/^\[|\]$/g, '');
}

/** All addresses a name stands for: the client connects to any of them. */
async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    // A name that cannot be looked up stands for nothing more than itself.
    return [];
  }
}

async function greet(
  access: TargetAccess,
  candidates: readonly Candidate[],
  signal: AbortSignal | null,
): Promise<readonly { candidate: Candidate; greeting: NodeGreeting }[]> {
  if (candidates.length === 0) return [];
  const nodes = candidates.map(({ origin }) => origin);
  const client = createClient({ ...access, nodes }, { connectionsPerNode: 1 });
  try {
    return await Promise.all(
      candidates.map(async (candidate, node) => ({
        candidate,
        greeting: await client.greet(node, { timeoutMs: GREETING_TIMEOUT_MS, signal }),
      })),
    );
  } finally {
    await client.destroy();
  }
}

/** Why the one who answered is not the node that was listed, or null when it is. */
function whyForeign(node: ServerNode, greeting: NodeGreeting, facts: ServerFacts): string | null {
  if (!greeting.ok) return greeting.message;
  if (greeting.clusterName === facts.clusterName && greeting.name === node.name) return null;
  return `who answers there is ${greeting.name} of cluster ${greeting.clusterName}`;
}

function refusal(node: ServerNode, where: string, why: string): string {
  return `node ${node.name} (${where}) is left out: ${why}`;
}
