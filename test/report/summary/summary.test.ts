/** The summary: the truth first, in every case, whole at any width, and free of what it must not carry. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import type { NodeResult, RunResult } from '../../../src/coordinator/run-result.ts';
import { renderHtmlReport } from '../../../src/report/html/document.ts';
import { renderMarkdown } from '../../../src/report/markdown.ts';
import { toRunFile } from '../../../src/report/run-file.ts';
import { textWidth } from '../../../src/report/styled-text.ts';
import { renderSummary } from '../../../src/report/summary/summary.ts';
import { results } from '../arbitraries.ts';
import { FACTS, sampleLatencies, sampleResult, sampleWorker, view } from '../samples.ts';
import { samplePlan } from '../../support/sample-plan.ts';

/** Lines that are made to be copied, so that they are never cut or broken. */
const COPIED = /^(run file|again|go on|verify|on CrateDB) /;

const CLEAN = `17,200,000 rows stored, all of them confirmed by the server                                   exit 0
  offered 17,200,000 = acknowledged 17,200,000 + rejected 0 + failed 0 + unknown 0
  server counts 17,200,000: match
  57.0 k rows/s · 13.3 MiB/s · 5m 02s

run        20261124-1530-x7k2 · 2026-11-24T15:30:12.345Z · seed 42
target     http://db-1:4200 +2 nodes · CrateDB 6.4.3 · crategen.records · key (run_id, seq)
load       2 processes · up to 8 requests of 1,000 rows in flight
batches    17,200 begun, 17,200 completed, 0 of them with rows failed or unknown · 0 retries
cost       per million rows stored: 4.76 CPU seconds (workers and parent), 233 MiB sent · memory 312
           MiB (sum of all peaks)

latency                        p50    p90    p95     p99   p99.9     max   mean  samples
  service: sent to answered  60 ms  72 ms  72 ms  233 ms  250 ms  812 ms  63 ms   20,001
  response: due to done      60 ms  72 ms  72 ms  233 ms  250 ms  812 ms  63 ms   20,001

processes    pid       rows rows/s miss cpu s  cpu  max rss MiB loop restarts cpu s/m MiB/m wait
  0         8121  8,600,000 28.5 k    0  27.3  9 % 14 %     104  4 %        0    3.17    12  1 %
  1         8122  8,600,000 28.5 k    0  27.3  9 % 14 %     104  4 %        0    3.17    12  1 %
  all            17,200,000 57.0 k    0  54.6 18 %          208             0
  imbalance             0 %               0 %  0 %          0 %  0 %              0 %
  parent    8118                         27.3  9 % 14 %     104  1 %             1.59     6  1 %
  missing: rejected, failed or unknown · cpu 100 %: one core · rss: most memory · loop: event loop
  busy · /m: per million rows · wait: ready, no core free · imbalance: (max - min) / median

server        cpu mean  cpu max  heap max  heap MiB  writes queued  most queued  refused
  db-1  388 % of 400 %    388 %      63 %     1,024             12           12        0
  db-2  387 % of 400 %    387 %      63 %     1,024             12           12        0
  db-3  386 % of 400 %    386 %      63 %     1,024             12           12        0

limited by the cluster: its CPUs are 97 % busy, these processes take 72 of 800 %

run file   /tmp/run.json
again      crategen cluster --rows 17.2m --url http://db-1:4200 --url http://db-2:4200 --url http://db-3:4200 --procs 2 --seed 42 --time-origin 2026-11-24T15:00:00Z
verify     crategen verify 20261124-1530-x7k2
`;

test('the summary of a clean run reads from the ledger to what to do next', () => {
  const rows = {
    offered: 8_600_000,
    acknowledged: 8_600_000,
    rejected: 0,
    failed: 0,
    unknown: 0,
    inFlight: 0,
  };
  const batches = { begun: 8600, completed: 8600, retried: 0, failed: 0, next: 17_200, exceptions: [] };
  const workers = [0, 1].map((index) => sampleWorker(index, { ledger: rows, batches }));
  assert.equal(summaryOf({ workers }, 100), CLEAN);
});

test('what a warm-up is left out of is said, and where it is not', () => {
  const plan = samplePlan();
  const warm = { ...plan, load: { ...plan.load, warmUpMs: 30_000 } };
  const workers = [sampleWorker(0), sampleWorker(1)];
  const summary = summaryOf({ plan: warm, workers }, 160);
  assert.match(summary, /rows\/s and latency leave out 30\.0 s of warm-up$/m);
  assert.match(summary, /imbalance: .* · rows\/s: warm-up included/s);
  assert.doesNotMatch(summaryOf({ workers }, 160), /warm-up/);
  const early = summaryOf({ plan: warm, workers, runningMs: 5000, measuredMs: 0 }, 160);
  assert.match(
    early,
    /– · .* · ended within its warm-up of 30\.0 s: rows\/s and latency were not measured$/m,
  );
});

test('missing rows are the first line, in red, with number, reason and an example', () => {
  const summary = summaryOf(
    {
      ledger: ledger({ acknowledged: 900, rejected: 90, unknown: 10 }),
      errors: [
        { class: 'timeout', code: null, rows: 700, batches: 1, example: 'no reply within 90 s' },
        { class: 'constraint', code: 4000, rows: 90, batches: 3, example: 'CHECK "positive" failed' },
      ],
      workers: [
        sampleWorker(0, {
          batches: {
            ...sampleWorker(0).batches,
            exceptions: [{ batch: 12, acknowledged: 990, rejected: 0, failed: 0, unknown: 10 }],
          },
        }),
      ],
    },
    300,
    { colour: true },
  );
  const [first = ''] = summary.split('\n');
  assert.match(first, /^\u001b\[1;31m100 of 1,000 rows are missing: 90 rejected by the server, 10 unknown/);
  assert.match(first, /mostly constraint 4000: CHECK "positive" failed/);
  assert.match(first, /for example in seq 12000\.\.12999 of run_id 20261124-1530-x7k2/);
});

test('rows that only failed or stayed unknown are explained by what made them so', () => {
  const summary = summaryOf(
    {
      ledger: ledger({ acknowledged: 900, unknown: 100 }),
      errors: [
        { class: 'constraint', code: 4000, rows: 5000, batches: 3, example: 'CHECK failed' },
        { class: 'timeout', code: null, rows: 100, batches: 1, example: 'no reply within 90 s' },
      ],
    },
    300,
  );
  assert.match(summary, /^100 of 1,000 rows are missing: 100 unknown .*; timeout: no reply within 90 s/);
});

test('of several reasons the one of most rows is named, as that', () => {
  const timeout = { class: 'timeout', code: null, rows: 90, batches: 1, example: 'no reply within 90 s' };
  const closed = { class: 'closed', code: null, rows: 10, batches: 1, example: 'other side closed' };
  const missing = { ledger: ledger({ acknowledged: 900, unknown: 100 }) };
  assert.match(summaryOf({ ...missing, errors: [closed, timeout] }, 300), /; mostly timeout: no reply/);
});

test('a count that contradicts the ledger comes before everything else', () => {
  const lost = { method: 'count', stored: 990, verdict: 'mismatch', detail: 'counted 3 times' } as const;
  const summary = summaryOf({ ledger: ledger({ acknowledged: 1000, unknown: 5 }), verification: lost }, 300);
  assert.match(
    summary,
    /^the server holds 990 rows of this run, 10 fewer than it acknowledged: rows were LOST/,
  );
  assert.match(summary, /5 of 1,005 rows are missing/);
  const doubled = summaryOf(
    { ledger: ledger({ acknowledged: 1000, unknown: 5 }), verification: { ...lost, stored: 1007 } },
    300,
  );
  assert.match(doubled, /^the server holds 1,007 rows of this run, 2 more than can be stored: DUPLICATES/);
});

test('nothing is called confirmed that the server did not confirm', () => {
  for (const verdict of ['advisory', 'unavailable', 'skipped'] as const) {
    const verification = { method: 'count', stored: null, verdict, detail: 'because' } as const;
    const summary = summaryOf({ verification }, 100);
    assert.doesNotMatch(summary, /confirmed by/, verdict);
    assert.match(summary, /^17,200,000 rows acknowledged/, verdict);
    assert.match(summary, /because/, verdict);
  }
});

test('a run against the sandbox says so, and how to run the same on a real cluster', () => {
  const plan = samplePlan({
    target: { ...samplePlan().target, kind: 'embedded', nodes: [] },
    bounds: { rows: 200_000, durationMs: null },
  });
  const summary = summaryOf(
    { plan, target: { kind: 'sandbox', version: '6.4.3', nodes: ['http://127.0.0.1:4711'], keyed: true } },
    100,
  );
  assert.match(summary, /^17,200,000 rows stored, all of them confirmed by the sandbox/);
  assert.match(summary, /The target was the sandbox, a stand-in for CrateDB/);
  assert.match(summary, /^again {6}crategen cluster --rows 200k --sandbox --seed 42 /m);
  assert.match(summary, /^on CrateDB crategen cluster --rows 200k --url http:\/\/YOUR-CRATEDB:4200$/m);
  assert.doesNotMatch(summary, /crategen verify/);
});

test('what the run warns of already is not said twice, and stands before the figures', () => {
  const warnings = [
    'The target was the sandbox.',
    'TLS certificates were not verified (--insecure).',
    'Cores were shared.',
  ];
  const insecure = { ...samplePlan().target, tls: { ...samplePlan().target.tls, verify: false } };
  const target = { kind: 'sandbox', version: null, nodes: ['http://x:1'], keyed: true } as const;
  const summary = summaryOf({ warnings, target, plan: samplePlan({ target: insecure }) }, 100);
  assert.equal(summary.match(/The target was the sandbox/g)?.length, 1);
  assert.equal(summary.match(/TLS certificates/g)?.length, 1);
  assert.ok(summary.indexOf('Cores were shared.') < summary.indexOf('\nlatency'));
});

test('a discarding target never stores a row', () => {
  const summary = summaryOf(
    { target: { kind: 'discard', version: null, nodes: ['http://x:1'], keyed: true } },
    100,
  );
  assert.match(summary, /^17,200,000 rows sent to a target that stores nothing/);
  assert.doesNotMatch(summary, /rows stored,/);
});

test('a stopped run says what was not offered, and how to go on', () => {
  const summary = summaryOf(
    {
      endReason: 'signal',
      signal: 'SIGTERM',
      endDetail: 'SIGTERM',
      ledger: { ...ledger({ acknowledged: 1000 }), notOffered: 500 },
    },
    100,
  );
  assert.match(summary, /500 planned rows not offered: stopped by SIGTERM$/m);
  assert.match(summary, /^go on {6}crategen cluster --resume 20261124-1530-x7k2$/m);
});

test('a sum over processes of which some were not measured says that it is at least so much', () => {
  const { cpu } = sampleWorker(0);
  const workers = [
    sampleWorker(0, { cpu: { ...cpu, lowerBound: true } }),
    sampleWorker(1, { cpu: { ...cpu, percentMean: null, percentMax: null } }),
  ];
  assert.match(summaryOf({ workers }, 100), /^ {2}all .* ≥54\.6 +≥9 % /m);
});

test('what the server used before it was loaded counts in no mean or peak of its CPU', () => {
  const server = sampleResult().server;
  assert.ok(server);
  const first = server.samples[0];
  assert.ok(first);
  const nodes = first.nodes.map((node) => ({ ...node, cpuPercent: 400 }));
  const samples = [{ ...first, tMs: 900, nodes }, ...server.samples.slice(1)];
  assert.match(summaryOf({ server: { ...server, samples } }, 100), /^ {2}db-1 +388 % of 400 % +388 % /m);
  assert.match(
    summaryOf({ server: { ...server, samples: samples.slice(0, 1) } }, 100),
    /^ {2}db-1 +– of 400 % +– +63 % /m,
  );
});

test('a server with one core is held against that, not against 100 %', () => {
  const server = sampleResult().server;
  assert.ok(server);
  const nodes = server.nodes.map((node) => ({ ...node, cores: 1 }));
  assert.match(summaryOf({ server: { ...server, nodes } }, 100), /^ {2}db-1 +388 % of one core +388 % /m);
});

test('a recovered run shows no pace, no lateness and no absence of errors, which nobody measured', () => {
  const plan = samplePlan();
  const paced = { ...plan, load: { ...plan.load, rowsPerSecond: 5000 } };
  const lost = { endReason: 'killed', pacer: { lateRows: null, droppedRows: null }, plan: paced } as const;
  const summary = summaryOf({ ...lost, runningMs: null, measuredMs: null }, 120);
  assert.doesNotMatch(summary, /0\.0 ms|^ {2}– · –/m);
  assert.doesNotMatch(summary, /rows? late|dropped from/);
  assert.match(summary, /CPU seconds \(workers, without the parent's\)/);
  const html = renderHtmlReport(toRunFile(sampleResult(lost), FACTS), { script: '', style: '' });
  assert.match(html, /Errors by class were lost with the parent process/);
  assert.doesNotMatch(html, /No attempt met an error/);
});

test('rows that carry no run id are told by their numbers, and nobody is sent to verify them', () => {
  const plan = samplePlan();
  const columns = plan.table.schema.columns.filter(({ name }) => name !== 'run_id' && name !== 'seq');
  const table = { ...plan.table, schema: { ...plan.table.schema, columns, primaryKey: [] } };
  const exceptions = [{ batch: 12, acknowledged: 990, rejected: 0, failed: 0, unknown: 10 }];
  const worker = sampleWorker(0, { batches: { ...sampleWorker(0).batches, exceptions } });
  const ledger = {
    offered: 1000,
    acknowledged: 990,
    rejected: 0,
    failed: 0,
    unknown: 10,
    inFlight: 0,
    notOffered: 0,
  };
  const summary = summaryOf({ plan: { ...plan, table }, ledger, workers: [worker] }, 300);
  assert.match(summary, /for example in rows 12000\.\.12999 of run \d/);
  assert.doesNotMatch(summary, /crategen verify/);
});

test('a run against a sandbox that stays can be verified, one that a target discarded cannot', () => {
  const target = { version: '6.4.3', nodes: ['http://x:1'], keyed: true };
  assert.match(summaryOf({ target: { ...target, kind: 'sandbox' } }, 100), /^verify +crategen verify/m);
  assert.doesNotMatch(summaryOf({ target: { ...target, kind: 'discard' } }, 100), /crategen verify/);
});

test('of several nodes each has its share, its latency and its outages', () => {
  const nodeOf = (index: number, changes: Partial<NodeResult> = {}): NodeResult => ({
    origin: `http://db-${index}:4200`,
    requests: 5000,
    acknowledged: 4_300_000,
    errors: [],
    serviceTime: sampleLatencies(5000),
    outages: [],
    ...changes,
  });
  const errors = [{ class: 'closed', code: null, rows: 4000, batches: 4, example: 'e' }];
  const outages = [{ fromMs: 12_345, toMs: 30_100, why: 'connect ECONNREFUSED' }];
  const nodes = [nodeOf(1), nodeOf(2, { acknowledged: 8_600_000 }), nodeOf(3, { errors, outages })];
  const text = summaryOf({ nodes }, 100);
  const table = text.split('\n').filter((line) => line.startsWith('  http://db-'));
  assert.deepEqual(
    table.map((line) => line.trim().split(/\s{2,}/)),
    [
      ['http://db-1:4200', '4,300,000', '25 %', '5,000', '60 ms', '242 ms', '812 ms', '0'],
      ['http://db-2:4200', '8,600,000', '50 %', '5,000', '60 ms', '242 ms', '812 ms', '0'],
      ['http://db-3:4200', '4,300,000', '25 %', '5,000', '60 ms', '242 ms', '812 ms', '4'],
      ['http://db-3:4200 was out from 12.3 s to 30.1 s: connect ECONNREFUSED'],
    ],
  );
  assert.doesNotMatch(summaryOf({ nodes: [nodeOf(1)] }, 100), /^(nodes|outages)/m);
});

test('the outages of a single node are named, which no other node could hide', () => {
  const node: NodeResult = {
    origin: 'http://db-1:4200',
    requests: 5000,
    acknowledged: 4_300_000,
    errors: [],
    serviceTime: sampleLatencies(5000),
    outages: [{ fromMs: 4020, toMs: 7740, why: 'http://db-1:4200: connect ECONNREFUSED 10.0.0.1:4200' }],
  };
  const outOf = (runningMs: number): string => summaryOf({ nodes: [node], runningMs }, 100);
  assert.match(
    outOf(60_000),
    /^outages\n {2}http:\/\/db-1:4200 was out from 4\.02 s to 7\.74 s: connect ECONNREFUSED 10\.0\.0\.1:4200$/m,
  );
  assert.match(outOf(7700), /was out from 4\.02 s to the end: connect/);
});

test('what the headers of the processes leave unsaid stands below them, as far as they are shown', () => {
  assert.match(
    summaryOf({}, 200),
    /loop: event loop busy · \/m: per million rows · wait: ready, no core free/,
  );
  const narrow = summaryOf({}, 60);
  assert.match(narrow, /missing: rejected, failed or unknown/);
  assert.doesNotMatch(narrow, /\/m: per million rows/);
});

test('four processes have what is typical of them, fewer can be compared as they stand', () => {
  const workers = [0, 1, 2, 3].map((index) => sampleWorker(index));
  assert.match(summaryOf({ workers }, 100), /^ {2}median /m);
  assert.doesNotMatch(summaryOf({ workers: workers.slice(1) }, 100), /^ {2}median /m);
  assert.match(summaryOf({ workers: workers.slice(1) }, 100), /^ {2}imbalance /m);
});

test('rows that the table refused for their values are followed by what makes rows that it takes', () => {
  const errors = [{ class: 'constraint', code: 4000, rows: 3, batches: 1, example: 'CHECK failed' }];
  const refused = summaryOf({ ledger: ledger({ acknowledged: 97, rejected: 3 }), errors }, 200);
  assert.match(
    refused,
    /^try +--like crategen\.records, whose rows fit .* or --max-failed to accept a share/m,
  );
  assert.doesNotMatch(summaryOf({}, 200), /--like/);
});

test('an error without rows counts its attempts alone', () => {
  const errors = [
    { class: 'workerDied', code: null, rows: 0, batches: 4, example: 'worker 0: pid 9, SIGKILL' },
  ];
  assert.match(summaryOf({ errors }, 100), /later attempt\n {2}workerDied: 4 attempts\n/);
});

test('errors that cost no row are said to have cost none, in every form of the report, and no more than is known', () => {
  const errors = [{ class: 'closed', code: null, rows: 7000, batches: 7, example: 'read ECONNRESET' }];
  const said = (changes: Partial<RunResult>): string | undefined => {
    const run = toRunFile(sampleResult({ errors, ...changes }), FACTS);
    const texts = [
      renderSummary(run, view(200), { file: null }),
      renderMarkdown(run),
      renderHtmlReport(run, { script: '', style: '' }),
    ].map((text) => /every row was [a-z, ]*/.exec(text)?.[0]);
    assert.equal(new Set(texts).size, 1, texts.join(' | '));
    return texts[0];
  };
  assert.equal(said({}), 'every row was stored in the end, by a later attempt');
  assert.equal(said({ resolved: { stored: 2, absent: 0 } }), 'every row was stored in the end');
  const { verification } = sampleResult();
  assert.equal(
    said({ verification: { ...verification, verdict: 'mismatch' } }),
    'every row was acknowledged in the end, by a later attempt',
  );
  assert.equal(said({ ledger: ledger({ acknowledged: 97, unknown: 3 }) }), undefined);
  assert.equal(said({ errors: [] }), undefined);
});

test('unverified TLS is said in red', () => {
  const target = { ...samplePlan().target, tls: { ...samplePlan().target.tls, verify: false } };
  assert.match(
    summaryOf({ plan: samplePlan({ target }) }, 100, { colour: true }),
    /\u001b\[1;31mTLS certificates were not verified/,
  );
});

test('of 128 workers the ten that differ most are shown, with what is typical', () => {
  const workers = Array.from({ length: 128 }, (_, index) =>
    sampleWorker(index, index === 77 ? { restarts: 1, pids: [1, 2] } : {}),
  );
  const slow = sampleWorker(99, {
    ledger: { offered: 10, acknowledged: 10, rejected: 0, failed: 0, unknown: 0, inFlight: 0 },
  });
  const summary = summaryOf({ workers: workers.with(99, slow) }, 100);
  const shown = summary.split('\n').filter((line) => /^ {2}\d+ {3,}/.test(line));
  assert.equal(shown.length, 10);
  assert.ok(shown.some((line) => line.startsWith('  77 ')) && shown.some((line) => line.startsWith('  99 ')));
  assert.match(summary, /… 118 more workers/);
  assert.match(summary, /^ {2}min {2,}10 /m);
});

test('no line of any summary is wider than its view, but those made to be copied', () => {
  fc.assert(
    fc.property(results, fc.constantFrom(60, 80, 100, 200), fc.boolean(), (result, columns, colour) => {
      const summary = renderSummary(toRunFile(result, FACTS), view(columns, { colour }), { file: '/tmp/x' });
      for (const line of stripVTControlCharacters(summary).split('\n')) {
        assert.ok(COPIED.test(line) || textWidth(line) <= columns, `${columns}: ${line}`);
      }
    }),
    { numRuns: 80 },
  );
});

test('no summary holds a control character but line feeds, and without colour no escape code', () => {
  fc.assert(
    fc.property(results, (result) => {
      const summary = renderSummary(toRunFile(result, FACTS), view(100), { file: '/tmp/\u001b[31m' });
      assert.doesNotMatch(summary, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }),
    { numRuns: 80 },
  );
});

test('without UTF-8 every character is ASCII', () => {
  fc.assert(
    fc.property(results, (result) => {
      const summary = renderSummary(toRunFile(result, FACTS), view(80, { unicode: false }), { file: null });
      assert.match(summary, /^[\n\x20-\x7e]*$/);
    }),
    { numRuns: 40 },
  );
});

function summaryOf(changes: Partial<RunResult>, columns: number, facts: { colour?: boolean } = {}): string {
  return renderSummary(toRunFile(sampleResult(changes), FACTS), view(columns, facts), {
    file: '/tmp/run.json',
  });
}

function ledger(states: { acknowledged: number; rejected?: number; unknown?: number }): RunResult['ledger'] {
  const { acknowledged, rejected = 0, unknown = 0 } = states;
  return {
    offered: acknowledged + rejected + unknown,
    acknowledged,
    rejected,
    failed: 0,
    unknown,
    inFlight: 0,
    notOffered: 0,
  };
}

test('a run of several tables says what each got and what was counted in it, and where its bad rows are', () => {
  const base = samplePlan();
  const other = { ...base.table, name: { schema: 'crategen', table: 'metrics' }, weight: 3 };
  const plan = { ...base, also: [other], bounds: { rows: 4000, durationMs: null } };
  const exceptions = [{ batch: 3, acknowledged: 0, rejected: 0, failed: 1000, unknown: 0 }];
  const ledger = { offered: 4000, acknowledged: 3000, rejected: 0, failed: 1000, unknown: 0, inFlight: 0 };
  const batches = { begun: 4, completed: 4, retried: 0, failed: 1, next: 4, exceptions };
  const result = sampleResult({ plan, workers: [sampleWorker(0, { ledger, batches })] });
  const [first, second] = result.tables;
  assert.ok(first !== undefined && second !== undefined);
  const halves = [
    { ...first, ledger: { ...ledger, offered: 1000, acknowledged: 1000, failed: 0 } },
    { ...second, ledger: { ...ledger, offered: 3000, acknowledged: 2000 } },
  ];
  const verified = halves.map((table) => ({
    ...table,
    verification: { ...table.verification, stored: table.ledger.acknowledged },
  }));
  const text = renderSummary(toRunFile({ ...result, tables: verified }, FACTS), view(200), { file: null });
  assert.match(text, /crategen\.records +1 +1,000 +0 +0 +0 +1,000 +match/);
  assert.match(text, /crategen\.metrics +3 +2,000 +0 +1,000 +0 +2,000 +match/);
  assert.match(
    text.replaceAll(/\s+/g, ' '),
    /for example in seq \d+000\.\.\d+999 of run_id \S+ in crategen\./,
  );
  assert.match(text, /crategen\.records \+1 table/);
  assert.match(text, /--also records@crategen\.metrics=3/);
  assert.match(text, /^tables +weight +rows stored /m);
  const discard = { kind: 'discard', version: '6.4.3', nodes: ['http://127.0.0.1:1'], keyed: true } as const;
  const sent = renderSummary(toRunFile({ ...result, target: discard }, FACTS), view(200), { file: null });
  assert.match(sent, /^tables +weight +rows sent /m, 'what discards them stores none');
});
