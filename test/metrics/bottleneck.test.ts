/** The verdict on what limited a run: each rule with the numbers that it is about, and the words that it gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LoadFacts, type ServerLoad, judge } from '../../src/metrics/bottleneck.ts';
import { limitName } from '../../src/report/limit.ts';

/** Ten seconds of eight processes against three nodes, in which a request takes 60 ms, 50 of them in the server. */
function facts(changes: Partial<LoadFacts> = {}): LoadFacts {
  const requests = 5000;
  return {
    elapsedMs: 10_000,
    processes: 8,
    cores: 8,
    slots: 32,
    loopBusy: 0.1,
    workersCpuPercent: 70,
    clientCpuPercent: 72,
    hostBusyPercent: 90,
    coreWaitShare: 0.01,
    throttledShare: 0,
    requests,
    serviceUs: requests * 60_000,
    toldServiceUs: requests * 60_000,
    serverUs: requests * 50_000,
    sentBytesPerSecond: 14 * 2 ** 20,
    schedule: null,
    pauseMs: 0,
    held: null,
    server: server(),
    ...changes,
  };
}

function server(changes: Partial<ServerLoad> = {}): ServerLoad {
  return {
    kind: 'cratedb',
    isOnThisHost: false,
    isOwn: false,
    cpuPercent: 120,
    cores: 12,
    writeQueue: 0,
    rejected: 0,
    redShare: 0,
    ...changes,
  };
}

test('a schedule that was kept is the limit, however busy anybody is', () => {
  const schedule = { askedRowsPerSecond: 50_000, droppedShare: 0.002, backlogShare: 0.01 };
  const { verdict, evidence } = judge(
    facts({ schedule, loopBusy: 0.9, server: server({ cpuPercent: 1180 }) }),
  );
  assert.equal(verdict, 'rate');
  assert.equal(evidence[0], 'the 50,000 rows/s that were asked for were kept, 0.2 % of them dropped');
  assert.equal(evidence.at(-1), 'try a higher --rate, or none');
});

test('a schedule that was not kept is limited by what kept it from that', () => {
  const schedule = { askedRowsPerSecond: 50_000, droppedShare: 0.3, backlogShare: 0 };
  assert.equal(judge(facts({ schedule, server: server({ cpuPercent: 1170 }) })).verdict, 'cluster');
  assert.equal(judge(facts({ schedule, loopBusy: 0.97 })).verdict, 'client');
});

test('a schedule of which more and more waits is not kept, although nothing is dropped yet', () => {
  const schedule = { askedRowsPerSecond: 2000, droppedShare: 0, backlogShare: 0.31 };
  const { verdict, evidence } = judge(facts({ schedule, server: server({ cpuPercent: 1170 }) }));
  assert.equal(verdict, 'cluster');
  assert.equal(evidence[1], '31 % of the 2,000 rows/s that were asked for came to wait longer and longer');
});

test('pauses between batches are asked for too', () => {
  const { verdict, evidence } = judge(facts({ pauseMs: 500, requests: 500, serviceUs: 500 * 60_000 }));
  assert.equal(verdict, 'rate');
  assert.equal(
    evidence[0],
    'the request slots were empty 91 % of the time: each pauses 500 ms after a batch',
  );
});

test('busy processes beside a cluster with CPU to spare are the limit', () => {
  const { verdict, evidence } = judge(facts({ loopBusy: 0.97, server: server({ cpuPercent: 492 }) }));
  assert.equal(verdict, 'client');
  assert.deepEqual(evidence, [
    '8 processes are 97 % busy, the CPUs of the cluster are 41 % busy',
    'try another machine beside this one (--machine)',
  ]);
  const alone = judge(facts({ processes: 1, loopBusy: 0.97, server: null })).evidence;
  assert.deepEqual(alone, ['1 process is 97 % busy', 'try more processes (--procs 8)']);
});

test('a container at its CPU limit is the limit, although its processes look idle', () => {
  const { verdict, evidence } = judge(facts({ throttledShare: 0.35, loopBusy: 0.4 }));
  assert.equal(verdict, 'client');
  assert.equal(evidence[1], 'the container was stopped at its CPU limit 35 % of the time');
});

test('a cluster without CPU, with a queue that stands or with refused writes is the limit', () => {
  const full = judge(facts({ server: server({ cpuPercent: 1164 }) }));
  assert.equal(full.verdict, 'cluster');
  assert.equal(full.evidence[0], 'its CPUs are 97 % busy, these processes take 72 % of 800 % CPU');
  const queued = judge(facts({ server: server({ writeQueue: 38 }) }));
  assert.equal(queued.verdict, 'cluster');
  assert.equal(queued.evidence[1], '38 tasks wait for a thread of its write pool on average');
  assert.equal(judge(facts({ server: server({ rejected: 12 }) })).verdict, 'cluster');
});

test('a queue does not limit requests that spend their time on the way', () => {
  const queued = server({ writeQueue: 3 });
  const far = { requests: 42, serviceUs: 42 * 435_000, toldServiceUs: 42 * 435_000, processes: 2, slots: 2 };
  assert.equal(judge(facts({ ...far, serverUs: 42 * 80_000, server: queued })).verdict, 'network');
  assert.equal(judge(facts({ ...far, serverUs: 42 * 160_000, server: queued })).verdict, 'cluster');
  const untold = judge(facts({ ...far, toldServiceUs: 0, serverUs: 0, server: queued }));
  assert.equal(untold.verdict, 'cluster');
  const beside = { ...queued, isOnThisHost: true };
  assert.equal(judge(facts({ ...far, serverUs: 42 * 80_000, server: beside })).verdict, 'cluster');
});

test('requests that wait for shards without a primary are told what for, and what helps', () => {
  const red = server({ cpuPercent: 30, redShare: 0.94 });
  const gone = 'shards of the table had no primary 94 % of the time, and rows for them wait up to a minute';
  const waiting = { requests: 81, serviceUs: 81 * 59e6, toldServiceUs: 81 * 59e6, serverUs: 81 * 58e6 };
  const whole = judge(facts({ ...waiting, elapsedMs: 600_000, slots: 8, server: red }));
  assert.equal(whole.verdict, 'cluster');
  assert.equal(whole.evidence[1], gone);
  assert.match(whole.evidence.at(-1) ?? '', /^try again when the missing nodes are back: .*--replicas 1/);
  const queued = { ...red, writeQueue: 2 };
  const before = { requests: 544, serviceUs: 925e6, toldServiceUs: 925e6, serverUs: 900e6 };
  const late = judge(facts({ ...before, elapsedMs: 118_000, slots: 8, server: queued }));
  assert.match(late.evidence.at(-1) ?? '', /^try again when/, 'of what went well before, a queue is left');
  const stopped = { requests: 10, serviceUs: 52e6, toldServiceUs: 52e6, serverUs: 51e6 };
  const open = judge(facts({ ...stopped, elapsedMs: 47_000, slots: 8, server: queued }));
  assert.match(open.evidence.at(-1) ?? '', /^try again when/, 'what was never answered has no time');
  const none = judge(facts({ requests: 0, serviceUs: 0, toldServiceUs: 0, serverUs: 0, server: red }));
  assert.equal(none.verdict, 'cluster');
  assert.deepEqual(none.evidence.slice(0, 2), ['0 answers in 10.0 s', gone]);
});

test('shards without a primary are told of beside another limit, and not when they were gone for a moment', () => {
  const busy = judge(facts({ loopBusy: 0.97, server: server({ redShare: 0.2 }) }));
  assert.equal(busy.verdict, 'client');
  assert.match(busy.evidence.join('; '), /had no primary 20 % of the time/);
  const full = judge(facts({ server: server({ redShare: 0.9, cpuPercent: 1170 }) }));
  assert.match(full.evidence.at(-1) ?? '', /more nodes or cores/);
  const moment = judge(facts({ server: server({ redShare: 0.04 }) }));
  assert.doesNotMatch(moment.evidence.join('; '), /primary|sys\.allocations/);
});

test('a stand-in for a cluster is named as one, and nothing is advised about nodes and shards', () => {
  const { verdict, evidence } = judge(
    facts({ server: server({ kind: 'sandbox', isOnThisHost: true, cores: 1, cpuPercent: 104 }) }),
  );
  assert.equal(verdict, 'cluster');
  assert.equal(limitName(verdict, 'sandbox'), 'the sandbox');
  assert.equal(evidence[0], 'it takes 104 % of one core, these processes take 72 % of 800 % CPU');
  assert.match(evidence.join('; '), /the sandbox uses 104 %/);
  assert.equal(
    evidence.at(-1),
    'try a CrateDB in its place (--url): what a stand-in can take says nothing about one',
  );
});

test('a target that discards is told what it limits, and no network is blamed where none lies between', () => {
  const discard = server({ kind: 'discard', isOnThisHost: true, isOwn: true, cores: 1, cpuPercent: 97 });
  const full = judge(facts({ server: discard }));
  assert.equal(full.verdict, 'cluster');
  assert.match(full.evidence.at(-1) ?? '', /^try fewer processes, or more cores: this client can do more/);
  const slow = { requests: 1000, serviceUs: 32e7, toldServiceUs: 32e7, serverUs: 1e5, coreWaitShare: 0 };
  const idle = judge(facts({ ...slow, server: { ...discard, cpuPercent: 20 } }));
  assert.equal(idle.verdict, 'unclear', idle.evidence.join('; '));
  assert.match(idle.evidence.join('; '), /no network lies between them/);
  const behindLink = { ...discard, cpuPercent: 20, isOwn: false };
  assert.equal(judge(facts({ ...slow, server: behindLink })).verdict, 'network');
});

test('a sandbox that is always at a request is the limit, although other programs have most of its core', () => {
  const sandbox = server({ kind: 'sandbox', isOnThisHost: true, isOwn: true, cores: 1, cpuPercent: 48 });
  const queued = { processes: 4, slots: 16, requests: 220, serviceUs: 220 * 718_000 };
  const of = (serverUs: number): LoadFacts =>
    facts({ ...queued, toldServiceUs: queued.serviceUs, serverUs: 220 * serverUs, server: sandbox });
  const { verdict, evidence } = judge(of(41_000));
  assert.equal(verdict, 'cluster');
  assert.deepEqual(evidence.slice(0, 2), [
    'a request takes 718 ms, 41 ms of it inside the sandbox',
    'it takes one at a time, and was at one 90 % of the time',
  ]);
  assert.match(evidence.at(-1) ?? '', /^try a CrateDB in its place/);
  const elsewhere = { ...of(41_000), server: { ...sandbox, isOnThisHost: false, isOwn: false } };
  assert.equal(judge(elsewhere).verdict, 'cluster', 'its queue is not the network');
  assert.equal(judge(of(20_000)).verdict, 'unclear', 'half of the time it had nothing to do');
  assert.equal(judge(of(100_000)).verdict, 'unclear', 'it took two at a time: that is latency');
  const slow = judge(of(600_000));
  assert.equal(slow.verdict, 'cluster', 'latency is its own');
  assert.match(slow.evidence.at(-1) ?? '', /^try a CrateDB in its place/);
});

test('of two sides on one host the one that uses more of it is the limit', () => {
  const host = { processes: 2, cores: 2, slots: 8 };
  const theirs = judge(
    facts({
      ...host,
      clientCpuPercent: 45,
      server: server({ isOnThisHost: true, cores: 2, cpuPercent: 151 }),
    }),
  );
  assert.equal(theirs.verdict, 'cluster');
  assert.ok(
    theirs.evidence.includes(
      "both sides share this host's 2 cores: the cluster uses 151 %, these processes 45 %",
    ),
  );
  const ours = judge(
    facts({
      ...host,
      loopBusy: 0.9,
      clientCpuPercent: 150,
      server: server({ isOnThisHost: true, cores: 2, cpuPercent: 45 }),
    }),
  );
  assert.equal(ours.verdict, 'client');
});

test('processes that wait for a core are starved by whoever has it', () => {
  const starved = {
    coreWaitShare: 0.6,
    loopBusy: 0.4,
    processes: 1,
    cores: 2,
    slots: 4,
    hostBusyPercent: 200,
    serverUs: 5000 * 500,
  };
  const byOthers = judge(
    facts({
      ...starved,
      clientCpuPercent: 20,
      server: server({ isOnThisHost: true, cores: 2, cpuPercent: 30 }),
    }),
  );
  assert.equal(byOthers.verdict, 'client');
  assert.ok(byOthers.evidence.includes('they waited for a core 60 % of the time'));
  assert.ok(byOthers.evidence.includes('other programs of this host took 150 % of 200 % CPU'));
  const byServer = judge(
    facts({
      ...starved,
      clientCpuPercent: 20,
      server: server({ isOnThisHost: true, cores: 2, cpuPercent: 110 }),
    }),
  );
  assert.equal(byServer.verdict, 'cluster');
});

test('waiting for a core is no limit where requests spend their time in the server or on the way', () => {
  const waiting = { coreWaitShare: 0.23, processes: 1, cores: 2, slots: 4, requests: 500 };
  const times = { serviceUs: 500 * 80_000, toldServiceUs: 500 * 80_000 };
  assert.equal(judge(facts({ ...waiting, ...times, serverUs: 500 * 75_000 })).verdict, 'cluster');
  assert.equal(judge(facts({ ...waiting, ...times, serverUs: 500 * 500 })).verdict, 'network');
});

test('a process that hardly uses a core is not limited by its waiting for one', () => {
  const waiting = { coreWaitShare: 0.58, processes: 1, cores: 2, slots: 4, serverUs: 5000 * 500 };
  assert.equal(judge(facts({ ...waiting, workersCpuPercent: 2 })).verdict, 'network');
  assert.equal(judge(facts({ ...waiting, workersCpuPercent: 18 })).verdict, 'client');
});

/** Processes by the dozen, each of which is idle most of the time: what they do together fills two cores. */
const crowd = {
  processes: 128,
  cores: 2,
  slots: 512,
  loopBusy: 0.03,
  requests: 15_000,
  serviceUs: 15_000 * 321_000,
  toldServiceUs: 15_000 * 321_000,
  serverUs: 15_000 * 100,
};

test('processes that take the cores of their host together are the limit, idle as each of them is', () => {
  const [workersCpuPercent, clientCpuPercent] = [180, 184];
  const far = judge(facts({ ...crowd, workersCpuPercent, clientCpuPercent, server: server() }));
  assert.equal(far.verdict, 'client');
  assert.deepEqual(far.evidence, [
    '128 processes take 184 % of 200 % CPU with the parent, the CPUs of the cluster are 10 % busy',
    'try fewer processes (--procs 2), as many as there are cores, or another machine beside this one (--machine)',
  ]);
  const discard = server({ kind: 'discard', isOnThisHost: true, cores: null, cpuPercent: null });
  const beside = judge(
    facts({ ...crowd, workersCpuPercent: 150, clientCpuPercent: 157, hostBusyPercent: 200, server: discard }),
  );
  assert.equal(beside.verdict, 'client', 'what a silent target takes can be no more than they leave');
  assert.deepEqual(beside.evidence.slice(0, 2), [
    '128 processes take 157 % of 200 % CPU with the parent',
    "both sides share this host's 2 cores: the discarding target uses an unknown share, these processes 157 %",
  ]);
});

test('processes that wait for each other are told to be fewer, those that wait for others to wait for their rest', () => {
  const waiting = { ...crowd, processes: 8, slots: 512, coreWaitShare: 0.6, server: server() };
  const mine = judge(
    facts({ ...waiting, workersCpuPercent: 155, clientCpuPercent: 160, hostBusyPercent: 200 }),
  );
  assert.equal(mine.verdict, 'client');
  assert.match(mine.evidence.at(-1) ?? '', /^try fewer processes \(--procs 2\)/);
  const theirs = judge(
    facts({ ...waiting, workersCpuPercent: 50, clientCpuPercent: 55, hostBusyPercent: 200 }),
  );
  assert.equal(theirs.verdict, 'client');
  assert.match(theirs.evidence.at(-1) ?? '', /^try when this host's other programs rest/);
});

test('a side that takes most of a full host is the limit, however much the other one is in need of it', () => {
  const theirs = server({ isOnThisHost: true, cores: 2, cpuPercent: 165 });
  const { verdict } = judge(facts({ ...crowd, workersCpuPercent: 30, clientCpuPercent: 33, server: theirs }));
  assert.equal(verdict, 'cluster');
});

test('no network is blamed for what more processes than cores wait for a core', () => {
  const waiting = { ...crowd, workersCpuPercent: 50, clientCpuPercent: 53, hostBusyPercent: 200 };
  const loopback = server({ kind: 'discard', isOnThisHost: true, cores: 1, cpuPercent: 17 });
  const { verdict, evidence } = judge(facts({ ...waiting, coreWaitShare: 0.6, server: loopback }));
  assert.equal(verdict, 'unclear');
  assert.deepEqual(evidence, [
    'a request takes 321 ms, 0.1 ms of it inside the discarding target',
    'on average 77 of the 128 processes waited for one of the 2 cores, which looks like a network from here',
    '128 processes are 3 % busy and take 53 % of 200 % CPU with the parent',
    'the discarding target takes 17 % of one core',
    'try fewer processes (--procs 2), as many as there are cores',
  ]);
  const empty = { ...waiting, coreWaitShare: 0.6, requests: 100, serviceUs: 100 * 321_000, server: loopback };
  assert.match(
    judge(facts(empty)).evidence.join('; '),
    /77 of the 128 processes/,
    'nor are slots called empty',
  );
  assert.equal(judge(facts({ ...waiting, coreWaitShare: 0.2, server: loopback })).verdict, 'network');
  const few = { ...waiting, processes: 3, workersCpuPercent: 9, coreWaitShare: 0.4, server: loopback };
  assert.equal(judge(facts(few)).verdict, 'network', 'a core is free for the next most of the time');
  const inServer = judge(
    facts({ ...waiting, coreWaitShare: 0.6, serverUs: 15_000 * 300_000, server: loopback }),
  );
  assert.equal(inServer.verdict, 'cluster');
});

test('with CPU to spare on both sides the time of a request says where it waits', () => {
  const slow = judge(facts({ server: server({ cpuPercent: 60 }) }));
  assert.equal(slow.verdict, 'cluster');
  assert.equal(
    slow.evidence[0],
    'a request takes 60 ms, 50 ms of it inside the cluster, whose CPUs are not full',
  );
  const far = judge(facts({ serverUs: 5000 * 2000 }));
  assert.equal(far.verdict, 'network');
  assert.equal(
    far.evidence[0],
    'a request takes 60 ms, 2.0 ms of it inside the cluster: 97 % of the time it is on the way, at 14 MiB/s',
  );
});

test('what is too short, or tells nothing of the other side, is unclear', () => {
  assert.deepEqual(judge(facts({ requests: 7 })), {
    verdict: 'unclear',
    evidence: ['too little to judge: 7 answers in 10.0 s', 'try a longer run (--duration 30s)'],
  });
  const short = judge(facts({ elapsedMs: 400 }));
  assert.equal(short.verdict, 'unclear');
  assert.equal(short.evidence[0], 'too short to judge: less than a second was watched');
  assert.equal(judge(facts({ toldServiceUs: 0, serverUs: 0, server: null })).verdict, 'unclear');
  assert.equal(
    judge(facts({ requests: 300, serviceUs: 300 * 60_000, toldServiceUs: 300 * 60_000, serverUs: 1e6 }))
      .verdict,
    'unclear',
  );
});

test('few answers in a long time name a side that is busy, and nothing else', () => {
  const few = {
    requests: 8,
    serviceUs: 8 * 2_000_000,
    toldServiceUs: 8 * 2_000_000,
    serverUs: 8 * 1_900_000,
  };
  assert.equal(judge(facts({ ...few, server: server({ writeQueue: 38 }) })).verdict, 'cluster');
  assert.equal(
    judge(facts({ ...few, elapsedMs: 3000, server: server({ writeQueue: 38 }) })).verdict,
    'unclear',
  );
  assert.equal(judge(facts(few)).verdict, 'unclear');
});

test('few answers are what a slow schedule asked for, as long as no more and more of it waits', () => {
  const few = { requests: 9, serviceUs: 9e6, toldServiceUs: 9e6, serverUs: 8e6, elapsedMs: 6000 };
  const busy = server({ writeQueue: 38 });
  const schedule = { askedRowsPerSecond: 2000, droppedShare: 0, backlogShare: 0 };
  const kept = judge(facts({ ...few, schedule, server: busy }));
  assert.equal(kept.verdict, 'rate');
  assert.equal(kept.evidence[0], 'the 2,000 rows/s that were asked for were kept, 0 % of them dropped');
  for (const backlogShare of [null, 0.4]) {
    const judged = judge(facts({ ...few, schedule: { ...schedule, backlogShare }, server: busy }));
    assert.equal(judged.verdict, 'cluster', `backlog ${backlogShare}`);
  }
  const none = { requests: 0, serviceUs: 0, toldServiceUs: 0, serverUs: 0 };
  const silent = judge(facts({ ...none, schedule: { ...schedule, backlogShare: 1 } }));
  assert.equal(silent.verdict, 'unclear');
});

test('a target that let nothing in most of the time is what limits, for whatever else was busy', () => {
  const busy = server({ writeQueue: 14 });
  const blocked = judge(facts({ held: { cause: 'blocked', share: 0.62 }, requests: 4, server: busy }));
  assert.equal(blocked.verdict, 'cluster');
  assert.deepEqual(blocked.evidence, [
    'the table took no rows 62 % of the time',
    '8 processes are 10 % busy and take 72 % of 800 % CPU with the parent',
    'the CPUs of the cluster are 10 % busy',
    'try again when it takes rows; crategen doctor says what a run would meet',
  ]);
  const schedule = { askedRowsPerSecond: 3000, droppedShare: 0.57, backlogShare: 0 };
  const away = judge(facts({ held: { cause: 'outage', share: 0.9 }, schedule, server: busy }));
  assert.equal(away.verdict, 'unclear', 'a link that is cut looks the same');
  assert.deepEqual(away.evidence.slice(0, 2), [
    'no node took rows 90 % of the time',
    '57 % of the 3,000 rows/s that were asked for were dropped',
  ]);
});

test('a target that let nothing in for a while is told of beside what limits', () => {
  const busy = server({ writeQueue: 14 });
  const { verdict, evidence } = judge(facts({ held: { cause: 'outage', share: 0.3 }, server: busy }));
  assert.equal(verdict, 'cluster');
  assert.equal(evidence[1], 'no node took rows 30 % of the time');
  const briefly = judge(facts({ held: { cause: 'outage', share: 0.02 }, server: busy })).evidence;
  assert.doesNotMatch(briefly.join('; '), /node took rows/);
});

test('any numbers get a verdict with evidence that can be read', () => {
  const share = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null });
  const cpu = fc.option(fc.double({ min: 0, max: 100_000, noNaN: true }), { nil: null });
  const loads = fc.record({
    loopBusy: share,
    coreWaitShare: share,
    throttledShare: share,
    clientCpuPercent: cpu,
    hostBusyPercent: cpu,
    requests: fc.nat(1e6),
    serviceUs: fc.nat(1e9),
    toldServiceUs: fc.nat(1e9),
    serverUs: fc.nat(1e9),
    pauseMs: fc.nat(1000),
    held: fc.option(
      fc.record({
        cause: fc.constantFrom('outage', 'blocked'),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { nil: null },
    ),
    server: fc.option(
      fc.record({
        kind: fc.constant('cratedb'),
        isOnThisHost: fc.boolean(),
        isOwn: fc.boolean(),
        cpuPercent: cpu,
        cores: fc.option(fc.nat(64), { nil: null }),
        writeQueue: cpu,
        rejected: cpu,
        redShare: share,
      }),
      { nil: null },
    ),
  });
  fc.assert(
    fc.property(loads, (draw) => {
      const { evidence } = judge(facts(draw));
      assert.ok(evidence.length > 0);
      for (const sentence of evidence) assert.doesNotMatch(sentence, /NaN|Infinity|undefined|null/);
    }),
    { numRuns: 300 },
  );
});
