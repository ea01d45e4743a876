/** The command that repeats a run: only what differs from the defaults, safe to paste. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCount } from '../../src/base/units.ts';
import type { RunPlan } from '../../src/plan/run-plan.ts';
import type { RawValue } from '../../src/plan/settings.ts';
import {
  asciiCommand,
  ceilingCommand,
  countFlag,
  realRunCommand,
  repeatCommand,
  shellWord,
} from '../../src/report/repeat-command.ts';
import { FACTS, parse } from '../plan/parse-input.ts';
import { preset } from '../rows/support.ts';
import { hostileText } from './arbitraries.ts';
import { samplePlan } from '../support/sample-plan.ts';

const LOCAL = { ...samplePlan().target, nodes: ['http://localhost:4200'] };

test('a run with all defaults needs no flags but what makes its rows', () => {
  const plan = samplePlan({ target: LOCAL, bounds: { rows: 1_000_000, durationMs: null } });
  assert.equal(
    repeatCommand(plan, 'sameTarget', 8),
    'crategen cluster --seed 42 --time-origin 2026-11-24T15:00:00Z',
  );
  assert.equal(repeatCommand(plan, 'realCluster', 8), 'crategen cluster --url http://YOUR-CRATEDB:4200');
});

test('every setting that differs from its default is a flag', () => {
  const plan = changedPlan();
  assert.equal(
    repeatCommand(plan, 'sameTarget', 8),
    "crategen cluster --duration 5m --url https://db:4200 --discover --username 'ops team' --ca-cert-file ca.pem --system-ca --cert-file c.pem" +
      ' --key-file k.pem --insecure --preset metrics --table \'"Doc".it\' --no-create --recreate --yes-drop \'"Doc".it\'' +
      ' --shards 6 --replicas 0-1 --no-key --procs 3 --insert-path unnest --batch-size 500 --in-flight 9 --batch-interval 1500ms --rate 50k' +
      ' --ramp-up 1s --warm-up 10s --compress gzip --max-body 1m --timeout 1s --retries 0 --drain-timeout 1s' +
      " --outage-timeout 1s --block-timeout 1s --max-failed 0.1% --max-bytes 5120m --stop-at-disk 80% --yes --fail-on 'p99>200ms' --verify none" +
      ' --seed 42 --time-origin 2026-11-24T15:00:00Z --machine 2/3 --run-id NEW-RUN-ID',
  );
  assert.doesNotMatch(repeatCommand(plan, 'realCluster', 8), /recreate|insecure|ops team|db:4200/);
});

test('a count flag reads back as the same count', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.nat(),
        fc.nat(5000).map((thousands) => thousands * 10_000),
      ),
      (count) => {
        assert.equal(parseCount(countFlag(count)), count);
      },
    ),
  );
});

test('a shell reads a hostile word back as one word and runs nothing', () => {
  const words = fc.sample(hostileText, { seed: 7, numRuns: 12 });
  const hostile = ['$(touch x)', '`id`', "it's", 'a;b', '\u001b[31m', ...words];
  for (const username of hostile) {
    const command = repeatCommand(samplePlan({ target: { ...LOCAL, username } }), 'sameTarget', 8);
    const shown = execFileSync('sh', ['-c', `crategen() { printf '%s\\n' "$#"; }; ${command}`], {
      encoding: 'utf8',
    });
    // cluster --rows 17.2m --username X --seed 42 --time-origin T
    assert.equal(shown, '9\n', command);
  }
});

test('the command line reads the command back as the same plan, but for the run id', () => {
  const bounds = { rows: 250_000, durationMs: 300_000 };
  const single: RunPlan = { ...samplePlan({ bounds }), command: 'single' };
  const embedded = samplePlan({ target: { ...LOCAL, kind: 'embedded', nodes: [] } });
  const changed = changedPlan();
  // The command line refuses these two beside --recreate and --rate.
  const table = { ...changed.table, create: true };
  const load = { ...changed.load, batchIntervalMs: 0 };
  const plans = [samplePlan({ target: LOCAL }), single, embedded, { ...changed, bounds, table, load }];
  for (const plan of plans) {
    const alone: RunPlan = {
      ...plan,
      machine: { index: 1, count: 1 },
      load: { ...plan.load, procs: plan.command === 'single' ? 1 : plan.load.procs },
    };
    const words = shellWords(repeatCommand(alone, 'sameTarget', FACTS.availableParallelism));
    const parsed = parse(settingsOf(words.slice(2)), { command: alone.command });
    assert.ok(parsed.ok, parsed.ok ? '' : parsed.problems.join('\n'));
    assert.deepEqual({ ...parsed.plan, runId: alone.runId }, alone);
  }
});

test('a ceiling is measured again by its own flags, or by the run that it is of', () => {
  const base = samplePlan({ target: { ...LOCAL, kind: 'embedded', nodes: [] } });
  const usual: RunPlan = {
    ...base,
    command: 'ceiling',
    bounds: { rows: null, durationMs: 10_000 },
    load: { ...base.load, warmUpMs: 2000 },
  };
  const { procs } = usual.load;
  assert.equal(ceilingCommand(usual, 'r1', procs), 'crategen ceiling --run r1');
  assert.match(ceilingCommand(usual, null, procs), /^crategen ceiling --seed 42 --time-origin \S+$/);
  const long: RunPlan = { ...usual, bounds: { rows: null, durationMs: 60_000 } };
  assert.equal(ceilingCommand(long, 'r1', procs), 'crategen ceiling --run r1 --duration 1m --warm-up 2s');
  assert.equal(realRunCommand(long, procs), 'crategen cluster --url http://YOUR-CRATEDB:4200');
});

/** Flags as the command line hands them on. */
function settingsOf(words: readonly string[]): Record<string, RawValue> {
  const settings: Record<string, RawValue> = {};
  for (let at = 0; at < words.length; at += 1) {
    const name = (words[at] ?? '').replace(/^--/, '');
    const value = words[at + 1];
    if (name.startsWith('no-')) settings[name.slice(3)] = false;
    else if (value === undefined || value.startsWith('--')) settings[name] = true;
    else {
      at += 1;
      const before = settings[name];
      const isList = name === 'url' || name === 'fail-on';
      settings[name] = isList ? [...(Array.isArray(before) ? before : []), value] : value;
    }
  }
  return settings;
}

function shellWords(command: string): string[] {
  const script = `crategen() { printf '%s\\n' crategen "$@"; }; ${command}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n');
}

/** Every setting is another one than the default. */
function changedPlan(): RunPlan {
  const base = samplePlan();
  return {
    ...base,
    target: {
      ...LOCAL,
      nodes: ['https://db:4200'],
      discover: true,
      username: 'ops team',
      tls: { verify: false, caCertFile: 'ca.pem', systemCa: true, certFile: 'c.pem', keyFile: 'k.pem' },
    },
    table: {
      ...base.table,
      source: { kind: 'preset', name: 'metrics' },
      schema: preset('metrics'),
      name: { schema: 'Doc', table: 'it' },
      create: false,
      recreate: true,
      shards: 6,
      replicas: '0-1',
      key: false,
    },
    bounds: { rows: null, durationMs: 300_000 },
    load: {
      procs: 3,
      batchSize: 500,
      inFlight: 9,
      batchIntervalMs: 1500,
      rowsPerSecond: 50_000,
      rampUpMs: 1000,
      warmUpMs: 10_000,
      insertPath: 'unnest',
      compression: 'gzip',
      generator: 'fast',
      maxBodyBytes: 2 ** 20,
    },
    safety: {
      timeoutMs: 1000,
      retries: 0,
      drainTimeoutMs: 1000,
      outageTimeoutMs: 1000,
      blockTimeoutMs: 1000,
      maxFailed: { kind: 'share', share: 0.001 },
      stopsAtMaxFailed: true,
      maxBytes: 5 * 2 ** 30,
      stopAtDisk: { kind: 'share', share: 0.8 },
      isConfirmed: true,
    },
    failOn: [{ metric: 'p99', operator: '>', value: 200, text: 'p99>200ms' }],
    verify: 'none',
    machine: { index: 2, count: 3 },
  };
}

test('a run from a schema file is repeated with the file, and with its table', () => {
  const base = samplePlan({ target: LOCAL, bounds: { rows: 1_000_000, durationMs: null } });
  const table = { ...base.table, source: { kind: 'file', path: 'my orders.yaml' } as const };
  assert.match(
    repeatCommand({ ...base, table }, 'sameTarget', 8),
    /^crategen cluster --schema 'my orders.yaml' --table crategen\.records --seed/,
  );
});

test('in ASCII a command names the same words, as a shell reads them', () => {
  const words = ['crategen', `--table`, `crategen."数据x\\'表"`, 'plain', `it's é`];
  const command = asciiCommand(words.map(shellWord).join(' '));
  assert.match(command, /^[\x20-\x7e]*$/);
  const read = execFileSync('bash', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
  assert.equal(read, `${words.join('\n')}\n`);
});
