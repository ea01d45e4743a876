/**
 * What limited a run, judged from what both sides measured. A pure function of a few numbers; docs/measurement.md
 * has the rules in words.
 */

import { TARGET_NAMES, type TargetKind } from '../base/target-kind.ts';
import { formatBytes, formatCores, formatExact } from '../base/units.ts';

export type LimitedBy = 'client' | 'network' | 'cluster' | 'rate' | 'unclear';

/** Why a run could go no further: no node could be reached or would serve it, or the table took no rows. */
export type HoldCause = 'outage' | 'blocked';

export interface Verdict {
  readonly verdict: LimitedBy;
  /** Sentences with numbers: the one that decided first, what to try last. */
  readonly evidence: readonly string[];
}

/** What was measured in a stretch of a run. Percent of CPU: 100 = one core. Null = not measured. */
export interface LoadFacts {
  readonly elapsedMs: number;
  /** Worker processes. */
  readonly processes: number;
  /** Of this host, as far as these processes may use them. */
  readonly cores: number;
  /** Requests in flight that there can be, over all processes. */
  readonly slots: number;
  /** Share of the time in which the workers' event loops were busy, mean over the processes. */
  readonly loopBusy: number | null;
  readonly workersCpuPercent: number | null;
  /** Workers and parent. */
  readonly clientCpuPercent: number | null;
  /** All programs of this host together. */
  readonly hostBusyPercent: number | null;
  /** Share of the time in which a worker was ready to run and waited for a core, mean over the processes. */
  readonly coreWaitShare: number | null;
  /** Share of the time in which the container was stopped at its CPU limit. */
  readonly throttledShare: number | null;
  /** Answered requests, and where their time went. */
  readonly requests: number;
  readonly serviceUs: number;
  /** Of the requests whose answer says how long the server took. */
  readonly toldServiceUs: number;
  readonly serverUs: number;
  readonly sentBytesPerSecond: number;
  readonly schedule: {
    readonly askedRowsPerSecond: number;
    /** Of the arrivals that were due. */
    readonly droppedShare: number;
    /** By how much the rows that were due and had no answer grew, of those that came due meanwhile; null: not measured. */
    readonly backlogShare: number | null;
  } | null;
  /** A pause of each request slot after each batch. */
  readonly pauseMs: number;
  /** Share of the time in which nothing could be sent, if any, and why. */
  readonly held: { readonly cause: HoldCause; readonly share: number } | null;
  readonly server: ServerLoad | null;
}

/** The target, means over the stretch. */
export interface ServerLoad {
  readonly kind: TargetKind;
  readonly isOnThisHost: boolean;
  /** Started for this run, so that nothing lies between; an address on this host may be the near end of a long way. */
  readonly isOwn: boolean;
  /** Of all its nodes' processes together. */
  readonly cpuPercent: number | null;
  readonly cores: number | null;
  /** Tasks that waited for a thread of the write pools, over all nodes. */
  readonly writeQueue: number | null;
  /** Writes that the pools refused in the stretch. */
  readonly rejected: number | null;
  /** Share of the time in which shards of the table had no primary. */
  readonly redShare: number | null;
}

/** Fewer answers, or less time, are luck. */
const MIN_REQUESTS = 10;
const MIN_ELAPSED_MS = 1000;
const LONG_ELAPSED_MS = 5000;
/** A schedule that loses no more than this was kept: the rate is what limits. */
const KEPT_SCHEDULE = 0.01;
/** Where more of it comes to wait than this, the target does not keep up, although nothing is dropped yet. */
const GROWING_BACKLOG = 0.05;
/** From here on a target that took nothing, or not all, is told of, and from there on it is what limits. */
const HELD_NOW_AND_THEN = 0.05;
const HELD_MOSTLY = 0.5;
/** From here on an event loop has no time left that it could use. */
const BUSY_LOOP = 0.85;
const BUSY_SERVER = 0.8;
const BUSY_HOST = 0.75;
/** Requests that spend less of their time in the server than this are not held up by what waits in it. */
const HELD_UP_INSIDE = 0.25;
/** A container that stands still so much of the time has too little CPU, however busy it looks between. */
const THROTTLED = 0.1;
/** Processes that take so much of all cores leave none idle, however often each of them rests. */
const BUSY_CORES = 0.85;
/** Processes that wait for a core so much of the time, on average one a core or more, tell nothing of what lies beyond. */
const CROWDED = 0.25;
/** A process that uses less of a core than this has hardly anything to wait with. */
const NEEDS_A_CORE = 0.05;

/** Says what limited the stretch, and why. */
export function judge(facts: LoadFacts): Verdict {
  if (facts.elapsedMs < MIN_ELAPSED_MS) return tooLittle(facts);
  if (facts.held !== null && facts.held.share >= HELD_MOSTLY) return heldVerdict(facts, facts.held);
  if (facts.requests < MIN_REQUESTS) {
    // A slow schedule asks for no more than few answers; what waits tells whether it was kept.
    const asked = (facts.schedule?.backlogShare ?? null) === null ? null : judgeSchedule(facts);
    // Few in a long time are no accident where shards are gone or somebody is busy; of what each took they say little.
    const long = facts.elapsedMs >= LONG_ELAPSED_MS ? (judgeRed(facts) ?? judgeBusy(facts)) : null;
    return asked ?? (long === null ? tooLittle(facts) : withLosses(long, facts));
  }
  return judgeAsked(facts) ?? withLosses(judgeRed(facts) ?? judgeBusy(facts) ?? judgeTimes(facts), facts);
}

/** A verdict says what of a schedule was not kept, and for how long nothing, or not all, could be stored. */
function withLosses({ verdict, evidence }: Verdict, { schedule, held, server }: LoadFacts): Verdict {
  const [first, ...rest] = evidence;
  const isHeld = held !== null && held.share >= HELD_NOW_AND_THEN;
  const losses = [...missedText(schedule), ...(isHeld ? [heldText(held)] : []), ...redText(server)];
  return { verdict, evidence: [...(first === undefined ? [] : [first]), ...losses, ...rest] };
}

function heldText({ cause, share }: NonNullable<LoadFacts['held']>): string {
  const what = cause === 'blocked' ? 'the table took no rows' : 'no node took rows';
  return `${what} ${percent(share)} of the time`;
}

function redText(server: ServerLoad | null): string[] {
  const share = server?.redShare ?? 0;
  if (share < HELD_NOW_AND_THEN) return [];
  return [
    `shards of the table had no primary ${percent(share)} of the time, and rows for them wait up to a minute`,
  ];
}

const RED_ADVICE =
  'try again when the missing nodes are back: SELECT * FROM sys.allocations says what is missing, and with --replicas 1 a table outlives a node';

/**
 * Shards are gone, nobody's CPU is full, and requests are in the cluster rather than on the way to it: they wait for the
 * shards. Those that are not answered yet are in no figure, and their slots look empty.
 */
function judgeRed(facts: LoadFacts): Verdict | null {
  const { server, requests } = facts;
  if ((server?.redShare ?? 0) < HELD_MOSTLY || clientBusy(facts)) return null;
  const isFew = requests < MIN_REQUESTS;
  const { inServer, onWay } = timeShares(facts);
  if ((!isFew && inServer < onWay) || serverShare(server) >= BUSY_SERVER) return null;
  const first = isFew ? `${requests} answers in ${(facts.elapsedMs / 1000).toFixed(1)} s` : splitText(facts);
  return { verdict: 'cluster', evidence: [first, ...bothSides(facts), RED_ADVICE] };
}

/** Whether a node that takes nothing is down, cut off or told of another table cannot be told from here. */
function heldVerdict(facts: LoadFacts, held: NonNullable<LoadFacts['held']>): Verdict {
  const isBlocked = held.cause === 'blocked';
  return {
    verdict: isBlocked ? 'cluster' : 'unclear',
    evidence: [
      heldText(held),
      ...missedText(facts.schedule),
      ...bothSides(facts),
      `try again when ${isBlocked ? 'it takes rows' : 'a node takes rows'}; crategen doctor says what a run would meet`,
    ],
  };
}

function missedText(schedule: LoadFacts['schedule']): string[] {
  if (schedule === null || isKept(schedule)) return [];
  const { askedRowsPerSecond, droppedShare, backlogShare } = schedule;
  const asked = `the ${formatExact(Math.round(askedRowsPerSecond))} rows/s that were asked for`;
  return [
    droppedShare > KEPT_SCHEDULE
      ? `${percent(droppedShare)} of ${asked} were dropped`
      : `${percent(backlogShare ?? 0)} of ${asked} came to wait longer and longer`,
  ];
}

function isKept({ droppedShare, backlogShare }: NonNullable<LoadFacts['schedule']>): boolean {
  return droppedShare <= KEPT_SCHEDULE && (backlogShare ?? 0) <= GROWING_BACKLOG;
}

function tooLittle({ requests, elapsedMs }: LoadFacts): Verdict {
  const few =
    elapsedMs < MIN_ELAPSED_MS
      ? 'too short to judge: less than a second was watched'
      : `too little to judge: ${requests} answers in ${(elapsedMs / 1000).toFixed(1)} s`;
  return { verdict: 'unclear', evidence: [few, 'try a longer run (--duration 30s)'] };
}

/** The run was told to go no faster, and went that fast. */
function judgeAsked(facts: LoadFacts): Verdict | null {
  return judgeSchedule(facts) ?? judgePauses(facts);
}

function judgeSchedule(facts: LoadFacts): Verdict | null {
  const { schedule } = facts;
  if (schedule === null || !isKept(schedule)) return null;
  const asked = `the ${formatExact(Math.round(schedule.askedRowsPerSecond))} rows/s that were asked for were kept, ${percent(schedule.droppedShare)} of them dropped`;
  return { verdict: 'rate', evidence: [asked, ...bothSides(facts), 'try a higher --rate, or none'] };
}

function judgePauses(facts: LoadFacts): Verdict | null {
  const { pauseMs } = facts;
  const { idle } = timeShares(facts);
  if (pauseMs === 0 || idle < 0.5) return null;
  const paused = `the request slots were empty ${percent(idle)} of the time: each pauses ${pauseMs} ms after a batch`;
  return { verdict: 'rate', evidence: [paused, ...bothSides(facts), 'try a shorter --batch-interval'] };
}

/** One side, or the host that both share, has no CPU left; of two sides the one that uses more of it. */
function judgeBusy(facts: LoadFacts): Verdict | null {
  const { server } = facts;
  const [client, cluster] = [clientBusy(facts), serverBusy(facts)];
  const isShared = server?.isOnThisHost === true;
  // Of a server that does not tell, at least this: where one side alone fills the host, the other has less of it.
  const [ours, theirs] = [facts.clientCpuPercent ?? 0, server?.cpuPercent ?? 0];
  const isHostFull = isShared && ours + theirs >= BUSY_HOST * 100 * facts.cores;
  if (!client && !cluster && !isHostFull) return null;
  const isCluster =
    client === cluster ? (isShared ? theirs >= ours : serverShare(server) >= clientShare(facts)) : cluster;
  const shared = isShared
    ? [
        `both sides share this host's ${facts.cores} cores: ${nameOf(server)} uses ${cpu(server.cpuPercent)}, these processes ${cpu(facts.clientCpuPercent)}`,
      ]
    : [];
  return isCluster ? clusterVerdict(facts, shared) : clientVerdict(facts, shared);
}

function clientBusy({ loopBusy, throttledShare, clientCpuPercent, cores }: LoadFacts): boolean {
  const coresBusy = (clientCpuPercent ?? 0) / 100 / cores;
  return (loopBusy ?? 0) >= BUSY_LOOP || coresBusy >= BUSY_CORES || (throttledShare ?? 0) >= THROTTLED;
}

/** 0..1 of what its processes can do, or of the cores that they share. */
function clientShare({ loopBusy, clientCpuPercent, cores }: LoadFacts): number {
  return Math.max(loopBusy ?? 0, (clientCpuPercent ?? 0) / 100 / cores);
}

/** A queue that stands means that every thread of the pool is taken; of few looks at it some are chance. */
function serverBusy(facts: LoadFacts): boolean {
  const { server, toldServiceUs } = facts;
  if (server === null) return false;
  const { inServer, onWay } = timeShares(facts);
  // On one host what is on the way may be waiting for a core, on either side.
  const isFar = !server.isOnThisHost && toldServiceUs > 0;
  const isHeldUp = !isFar || inServer >= HELD_UP_INSIDE * (inServer + onWay);
  const isQueued = isHeldUp && (server.writeQueue ?? 0) >= 1;
  return serverShare(server) >= BUSY_SERVER || isQueued || (server.rejected ?? 0) > 0;
}

/** 0..1 of its cores; 0 where it is not known. */
function serverShare(server: ServerLoad | null): number {
  if (server === null || server.cpuPercent === null || server.cores === null || server.cores === 0) return 0;
  return server.cpuPercent / 100 / server.cores;
}

function clientVerdict(facts: LoadFacts, shared: readonly string[]): Verdict {
  const { processes, cores, loopBusy, throttledShare, coreWaitShare, clientCpuPercent, server } = facts;
  const isThrottled = (throttledShare ?? 0) >= THROTTLED;
  const isStarved = !isThrottled && isWaitingForCores(facts);
  const use = serverUse(server);
  // Of processes that share their cores each looks idle: what they take together is what tells.
  const isCrowd = processes > cores && (loopBusy ?? 0) < BUSY_LOOP;
  const busy = isCrowd
    ? `take ${cpuOf(clientCpuPercent, cores)} with the parent`
    : `${processes === 1 ? 'is' : 'are'} ${percent(loopBusy ?? 0)} busy`;
  return {
    verdict: 'client',
    evidence: [
      `${countOf(processes)} ${busy}${use === null ? '' : `, ${use}`}`,
      ...(isThrottled
        ? [`the container was stopped at its CPU limit ${percent(throttledShare ?? 0)} of the time`]
        : []),
      ...(isStarved ? [`they waited for a core ${percent(coreWaitShare ?? 0)} of the time`] : []),
      ...shared,
      clientAdvice(facts, isThrottled, isStarved),
    ],
  };
}

function clientAdvice(facts: LoadFacts, isThrottled: boolean, isStarved: boolean): string {
  const { processes, cores, clientCpuPercent } = facts;
  const anotherMachine = 'another machine beside this one (--machine)';
  if (isThrottled) return 'try a higher CPU limit of this container, or another machine';
  if (isStarved && (processes <= cores || othersCpuPercent(facts) > (clientCpuPercent ?? 0)))
    return "try when this host's other programs rest, or another machine";
  if (processes < cores) return `try more processes (--procs ${Math.ceil(cores)})`;
  return processes > cores ? `${fewerProcesses(cores)}, or ${anotherMachine}` : `try ${anotherMachine}`;
}

function fewerProcesses(cores: number): string {
  return `try fewer processes (--procs ${cores}), as many as there are cores`;
}

function clusterVerdict(facts: LoadFacts, shared: readonly string[]): Verdict {
  const { server, cores } = facts;
  const share = serverShare(server);
  const [queue, rejected] = [server?.writeQueue ?? 0, server?.rejected ?? 0];
  const use = serverUse(server, 'it', 'its CPUs');
  const busy = use === null ? [] : [`${use}, these processes take ${cpuOf(facts.clientCpuPercent, cores)}`];
  return {
    verdict: 'cluster',
    evidence: [
      ...busy,
      ...(queue >= 1 ? [`${Math.round(queue)} tasks wait for a thread of its write pool on average`] : []),
      ...(rejected > 0 ? [`its write pool refused ${rejected} tasks`] : []),
      ...shared,
      standInAdvice(server) ?? clusterAdvice(share, shared.length > 0),
    ],
  };
}

/** Of a target that only stands in for a cluster there is nothing to make larger; null for a cluster. */
function standInAdvice(server: ServerLoad | null): string | null {
  if (server?.kind === 'discard')
    return 'try fewer processes, or more cores: this client can do more than its target could take';
  return server?.kind === 'sandbox'
    ? 'try a CrateDB in its place (--url): what a stand-in can take says nothing about one'
    : null;
}

function clusterAdvice(share: number, isShared: boolean): string {
  return share >= BUSY_SERVER || isShared
    ? 'try more nodes or cores for it, fewer replicas, or larger batches; more processes here will not help'
    : 'try more shards or nodes, fewer replicas or faster disks; more processes here will not help';
}

/** Whether most of what a request takes outside of the server is waiting of the workers for a core. */
function isWaitingForCores(facts: LoadFacts): boolean {
  const { inServer } = timeShares(facts);
  if ((facts.workersCpuPercent ?? 0) / 100 / facts.processes < NEEDS_A_CORE) return false;
  const waiting = Math.min(facts.coreWaitShare ?? 0, 1 - inServer);
  return waiting > inServer && waiting > 1 - inServer - waiting;
}

/** Workers wait for cores that somebody else has: the server beside them, or programs that are none of the run's. */
function starvedVerdict(facts: LoadFacts): Verdict {
  const { server, cores } = facts;
  const theirs = serverCpuHere(server);
  const others = othersCpuPercent(facts);
  const taker = others >= theirs ? 'other programs' : nameOf(server);
  const shared = [`${taker} of this host took ${cpuOf(Math.max(others, theirs), cores)}`];
  return theirs > others ? clusterVerdict(facts, shared) : clientVerdict(facts, shared);
}

/** Of the server's processes, as far as they are known to be on this host. */
function serverCpuHere(server: ServerLoad | null): number {
  return server?.isOnThisHost === true ? (server.cpuPercent ?? 0) : 0;
}

/** Of all programs of this host that have nothing to do with the run. */
function othersCpuPercent({ server, hostBusyPercent, clientCpuPercent }: LoadFacts): number {
  return Math.max(0, (hostBusyPercent ?? 0) - (clientCpuPercent ?? 0) - serverCpuHere(server));
}

/** Nobody's CPU is full: the time of the requests says where they wait. */
function judgeTimes(facts: LoadFacts): Verdict {
  if (isWaitingForCores(facts)) return starvedVerdict(facts);
  const { inServer, onWay, idle } = timeShares(facts);
  if (facts.toldServiceUs === 0) {
    const meanMs = facts.serviceUs / facts.requests / 1000;
    const untold = `a request takes ${duration(meanMs)}, and no answer says how much of it the server took`;
    return { verdict: 'unclear', evidence: [untold, ...bothSides(facts)] };
  }
  const split = splitText(facts);
  if (inServer >= onWay && inServer > idle) {
    return {
      verdict: 'cluster',
      evidence: [`${split}, whose CPUs are not full`, ...bothSides(facts), insideAdvice(facts)],
    };
  }
  const sandbox = sandboxVerdict(facts, split);
  if (sandbox !== null) return sandbox;
  if (isCrowded(facts)) return crowdedVerdict(facts, split);
  if (idle >= onWay) {
    const empty = `the request slots were empty ${percent(idle)} of the time`;
    return { verdict: 'unclear', evidence: [empty, split, ...bothSides(facts)] };
  }
  if (facts.server?.isOwn === true) {
    const near = 'no network lies between them, so that it waits for a core on either side';
    return { verdict: 'unclear', evidence: [split, near, ...bothSides(facts)] };
  }
  const way = `${split}: ${percent(onWay / (inServer + onWay))} of the time it is on the way, at ${formatBytes(facts.sentBytesPerSecond)}/s`;
  return {
    verdict: 'network',
    evidence: [way, ...bothSides(facts), 'try --compress deflate, or a client nearer to the cluster'],
  };
}

/** Where a request spends its time in a server that has CPU to spare. */
function insideAdvice(facts: LoadFacts): string {
  const { server } = facts;
  const standIn = standInAdvice(server);
  if (standIn !== null) return standIn;
  if ((server?.redShare ?? 0) >= HELD_NOW_AND_THEN) return RED_ADVICE;
  return `try --in-flight ${nextInFlight(facts)}: if rows/s do not rise, it waits for its disks, replicas or locks`;
}

function splitText({ requests, serviceUs, serverUs, toldServiceUs, server }: LoadFacts): string {
  const meanMs = serviceUs / requests / 1000;
  const serverMs = meanMs * (serverUs / toldServiceUs);
  return `a request takes ${duration(meanMs)}, ${duration(serverMs)} of it inside ${nameOf(server)}`;
}

/** What is outside of a sandbox that is always at a request waits for its turn, wherever the sandbox is. */
function sandboxVerdict(facts: LoadFacts, split: string): Verdict | null {
  // On average. Surely more than one at a time is latency that was asked for, which holds up nobody else.
  const inside = timeShares(facts).inServer * facts.slots;
  if (facts.server?.kind !== 'sandbox' || inside < BUSY_SERVER || inside > 1.05) return null;
  const turns = `it takes one at a time, and was at one ${percent(Math.min(1, inside))} of the time`;
  return { verdict: 'cluster', evidence: [split, turns, ...bothSides(facts), insideAdvice(facts)] };
}

/** Whether the workers are in each other's way, so that the time outside of the server tells nothing of the way to it. */
function isCrowded({ processes, cores, coreWaitShare }: LoadFacts): boolean {
  const waiting = coreWaitShare ?? 0;
  return processes > cores && waiting >= CROWDED && waiting * processes >= cores;
}

function crowdedVerdict(facts: LoadFacts, split: string): Verdict {
  const { processes, cores, coreWaitShare } = facts;
  const waiting = Math.round((coreWaitShare ?? 0) * processes);
  const crowd = `on average ${waiting} of the ${processes} processes waited for ${cores === 1 ? 'the only core' : `one of the ${cores} cores`}, which looks like a network from here`;
  return { verdict: 'unclear', evidence: [split, crowd, ...bothSides(facts), fewerProcesses(cores)] };
}

/** Shares of the time of all request slots: in the server, on the way, and in no request at all. */
function timeShares(facts: LoadFacts): { inServer: number; onWay: number; idle: number } {
  const taken = Math.min(1, facts.serviceUs / 1000 / (facts.elapsedMs * facts.slots));
  const told = facts.toldServiceUs === 0 ? 0 : facts.serverUs / facts.toldServiceUs;
  return { inServer: taken * told, onWay: taken * (1 - told), idle: 1 - taken };
}

function nextInFlight({ slots, processes }: LoadFacts): number {
  return Math.max(2, Math.ceil((slots / processes) * 2));
}

/** How busy both sides were, where that is known. */
function bothSides({ server, processes, loopBusy, cores, clientCpuPercent }: LoadFacts): string[] {
  const client =
    loopBusy === null
      ? []
      : [
          `${countOf(processes)} ${processes === 1 ? 'is' : 'are'} ${percent(loopBusy)} busy and ${processes === 1 ? 'takes' : 'take'} ${cpuOf(clientCpuPercent, cores)} with the parent`,
        ];
  const use = serverUse(server);
  return [...client, ...(use === null ? [] : [use])];
}

/** How busy the server is; of one core in words, as its process may have more threads than that. Null: not measured. */
function serverUse(
  server: ServerLoad | null,
  name = nameOf(server),
  cpus = `the CPUs of ${name}`,
): string | null {
  if (server === null || server.cpuPercent === null) return null;
  // 100 is one core, so that this holds for an unknown number of cores too.
  if (server.cores === null || server.cores === 1) return `${name} takes ${cpuOf(server.cpuPercent, 1)}`;
  return `${cpus} are ${percent(serverShare(server))} busy`;
}

function nameOf(server: ServerLoad | null): string {
  return server === null ? 'the server' : TARGET_NAMES[server.kind];
}

function countOf(processes: number): string {
  return processes === 1 ? '1 process' : `${processes} processes`;
}

function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 1 ? value.toFixed(1) : Math.round(value)} %`;
}

function cpu(value: number | null): string {
  return value === null ? 'an unknown share' : `${Math.round(value)} %`;
}

/** `72 % of 800 % CPU`, `72 % of one core`. */
function cpuOf(value: number | null, cores: number): string {
  return `${cpu(value)} of ${formatCores(cores)}${cores === 1 ? '' : ' CPU'}`;
}

function duration(ms: number): string {
  return ms >= 10_000
    ? `${(ms / 1000).toFixed(1)} s`
    : ms >= 10
      ? `${Math.round(ms)} ms`
      : `${ms.toFixed(1)} ms`;
}
