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
    server: fc.option(
      fc.record({
        kind: fc.constant('cratedb'),
        isOnThisHost: fc.boolean(),
        isOwn: fc.boolean(),
        cpuPercent: cpu,
        cores: fc.option(fc.nat(64), { nil: null }),
        writeQueue: cpu,
        rejected: cpu,
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
