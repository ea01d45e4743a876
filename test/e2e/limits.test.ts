/** Row 26 of the fault table: what this host cannot carry is said before anything is created, with what would fit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execa } from 'execa';
import { limitProblems } from '../../src/coordinator/host-limits.ts';
import type { RunPlan } from '../../src/plan/run-plan.ts';
import { parseRunFile } from '../../src/report/run-file.ts';
import { PLAN } from '../coordinator/support.ts';
import { BIN, home, run } from '../support/built-command.ts';
import { sandboxFor, storedRows } from '../support/sandbox.ts';

test('too few open files: needed and allowed are named, and no table is made', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const script = `ulimit -n 64; exec "$@"`;
  const args = ['cluster', '--url', sandbox.url, '--procs', '32', '--rows', '1k', '--live', 'off'];
  const ended = await execa('sh', ['-c', script, 'sh', process.execPath, BIN, ...args], {
    env: { ...place.env },
    reject: false,
  });
  assert.equal(ended.exitCode, 2, ended.stderr);
  assert.match(
    ended.stderr,
    /open files: 160 are needed by one process, 64 are allowed \(ulimit -n\); --procs 8/,
  );
  assert.deepEqual(sandbox.stats().tables, {});
});

test('what is said to fit under few open files does fit, and is what runs', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const load = ['--rows', '1k', '--batch-size', '100', '--procs', '8', '--in-flight', '32'];
  const args = ['cluster', '--url', sandbox.url, ...load, '--live', 'off', '--json'];
  const ended = await execa('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, BIN, ...args], {
    env: { ...place.env },
    reject: false,
  });
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.equal(parseRunFile(ended.stdout, 'the output').workers.length, 8);
  assert.equal(storedRows(sandbox), 1000);
});

test('request bodies beyond half of the memory are refused with a batch size that fits', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const args = [
    '--procs',
    '100',
    '--in-flight',
    '1000',
    '--batch-size',
    '100k',
    '--rows',
    '1k',
    '--live',
    'off',
  ];
  const ended = await run(['cluster', '--url', sandbox.url, ...args], place);
  assert.equal(ended.code, 2, ended.stderr);
  assert.match(ended.stderr, /memory: 100 × 1000 request bodies .* --batch-size \d+ would fit/);
  assert.deepEqual(sandbox.stats().tables, {});
});

test('limits that are not known refuse nothing, and each known one is its own problem', () => {
  const unknown = { openFiles: null, freeProcesses: null, memoryBytes: 2 ** 34 };
  assert.deepEqual(limitProblems(PLAN, [100_000], 1, unknown), []);
  const scarce = { openFiles: 10, freeProcesses: 1, memoryBytes: 1000 };
  assert.equal(limitProblems(PLAN, [100_000], 1, scarce).length, 3);
});

test('too few processes: asked and allowed are named with the number that fits, and a plan is never made smaller', () => {
  const planWith = (procs: number): RunPlan => ({ ...PLAN, load: { ...PLAN.load, procs } });
  const facts = { openFiles: null, freeProcesses: 5, memoryBytes: 2 ** 34 };
  assert.deepEqual(limitProblems(planWith(6), [100_000], 1, facts), [
    'processes: 6 workers are asked for, 5 more are allowed here; --procs 5 would fit',
  ]);
  assert.deepEqual(limitProblems(planWith(5), [100_000], 1, facts), []);
  assert.deepEqual(limitProblems({ ...planWith(6), command: 'single' }, [100_000], 1, facts), []);
});
