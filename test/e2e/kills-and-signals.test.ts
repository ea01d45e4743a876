/** Rows 1-4, 12, 14 of the fault table: any process may be killed, stopped or told to stop, at any moment. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatExact } from '../../src/base/units.ts';
import { BrakedClock } from '../support/braked-clock.ts';
import { cluster, crategen, home, run } from '../support/built-command.ts';
import { isAlive } from '../support/processes.ts';
import { faults, sandboxFor, storedRows } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const SLOW = { latencyMs: 40 } as const;

test('a worker killed with SIGKILL is replaced and the run ends complete, every row stored once', async (context) => {
  const [place, clock] = [await home(context), new BrakedClock()];
  const sandbox = await sandboxFor(context, SLOW, clock);
  const command = crategen(cluster(sandbox, '--rows', '30k', '--batch-size', '200'), place);
  for (let kill = 0; kill < 3; kill += 1) {
    const before = storedRows(sandbox);
    await until(() => storedRows(sandbox) > before + 1000);
    // Nobody comes to the end of its share while a worker is killed and replaced.
    clock.hold();
    await until(() => command.workers().length === 2);
    const [victim] = command.workers();
    assert.ok(victim);
    process.kill(victim, 'SIGKILL');
    await until(() => !isAlive(victim) && command.workers().length === 2);
    clock.release();
  }
  const ended = await command.ended;
  assert.equal(ended.code, 0, ended.stderr);
  const { ledger, verification, workers, batches } = ended.run();
  assert.deepEqual(
    { ...ledger },
    { offered: 30_000, acknowledged: 30_000, rejected: 0, failed: 0, unknown: 0, notOffered: 0 },
  );
  assert.equal(verification.verdict, 'match');
  assert.equal(
    workers.reduce((sum, worker) => sum + worker.restarts, 0),
    3,
  );
  assert.equal(batches.begun, 150);
  assert.equal(storedRows(sandbox), 30_000);
});

test('a worker that somebody else ends with SIGTERM is replaced: its share is not forgotten', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context, SLOW)];
  const command = crategen(cluster(sandbox, '--rows', '20k', '--batch-size', '200'), place);
  await command.line(/phase=running/);
  await until(() => command.workers().length === 2);
  process.kill(command.workers()[0] ?? 0, 'SIGTERM');
  const ended = await command.ended;
  assert.equal(ended.code, 0, ended.stderr);
  const { ledger, workers } = ended.run();
  assert.deepEqual([ledger.acknowledged, ledger.notOffered], [20_000, 0]);
  assert.equal(
    workers.reduce((sum, worker) => sum + worker.restarts, 0),
    1,
  );
  assert.match(ended.stderr, /somebody ended it with SIGTERM\): replaced/);
});

test('without a key the rows in flight at a kill stay unknown or are looked up, and the ledger still balances', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context, SLOW)];
  const command = crategen(cluster(sandbox, '--rows', '20k', '--batch-size', '200', '--no-key'), place);
  await command.line(/phase=running/);
  await until(() => command.workers().length === 2);
  process.kill(command.workers()[0] ?? 0, 'SIGKILL');
  const { ledger, verification } = (await command.ended).run();
  assert.equal(ledger.offered, 20_000);
  assert.equal(ledger.acknowledged + ledger.rejected + ledger.failed + ledger.unknown, 20_000);
  assert.equal(verification.verdict, 'match');
  const stored = storedRows(sandbox);
  assert.ok(ledger.acknowledged <= stored && stored <= ledger.acknowledged + ledger.unknown);
});

test('when the parent is killed its workers end by themselves, and recover gives the exact totals', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context, SLOW)];
  const command = crategen(cluster(sandbox, '--rows', '60k', '--batch-size', '200'), place);
  await command.line(/phase=running/);
  await until(() => storedRows(sandbox) > 2000);
  const workers = command.workers();
  assert.equal(workers.length, 2);
  command.kill('SIGKILL');
  await until(() => workers.every((pid) => !isAlive(pid)));
  const unfinished = await run(['report', 'latest'], place);
  assert.equal(unfinished.code, 2);
  assert.match(unfinished.stderr, /crategen recover/);
  const recovered = await run(['recover', 'latest', '--json'], place);
  assert.equal(recovered.code, 0, recovered.stderr);
  const { ledger, verification, run: facts } = recovered.run();
  assert.equal(facts.endReason, 'killed');
  assert.equal(verification.verdict, 'match');
  assert.equal(ledger.acknowledged, storedRows(sandbox));
  assert.equal(ledger.offered, ledger.acknowledged + ledger.rejected + ledger.failed + ledger.unknown);
  assert.equal(ledger.notOffered, 60_000 - ledger.offered);

  const resumed = await run(['cluster', '--resume', 'latest', '--json', '--live', 'off'], place);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal(resumed.run().ledger.acknowledged, 60_000);
  const earlier = `resumed after ${formatExact(ledger.acknowledged)} rows in complete batches`;
  assert.ok(resumed.run().warnings.some((warning) => warning.includes(earlier)));
  assert.equal(storedRows(sandbox), 60_000);
});

test('a parent that stands still for a while loses nothing, and its own time is not taken for that of the run', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context, SLOW)];
  const launchedMs = performance.now();
  const command = crategen(cluster(sandbox, '--rows', '20k', '--batch-size', '200'), place);
  await command.line(/phase=running/);
  const startMs = performance.now() - launchedMs;
  const workers = command.workers();
  command.kill('SIGSTOP');
  await until(() => storedRows(sandbox) === 20_000 && !workers.some(isAlive));
  const goneMs = performance.now();
  // For longer than the start took: a run that lasted until now would be longer than all there was before.
  await until(() => performance.now() - goneMs > startMs + 500);
  command.kill('SIGCONT');
  const ended = await command.ended;
  assert.equal(ended.code, 0, ended.stderr);
  const { ledger, run: facts, series } = ended.run();
  assert.equal(ledger.acknowledged, 20_000);
  // What is done is done when the workers are, not when it is heard of.
  const runningMs = facts.runningMs ?? Number.NaN;
  assert.ok(runningMs <= goneMs - launchedMs, `${runningMs} of ${goneMs - launchedMs} ms`);
  assert.ok(series.every(({ tMs }) => tMs <= Math.ceil(runningMs)));
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} while rows are inserted drains, verifies and ends with ${code}`, async (context) => {
    const [place, sandbox] = [await home(context), await sandboxFor(context, SLOW)];
    const command = crategen(cluster(sandbox, '--rows', '1m', '--batch-size', '200'), place);
    await command.line(/phase=running/);
    await until(() => storedRows(sandbox) > 500);
    command.kill(signal);
    const ended = await command.ended;
    assert.equal(ended.code, code, ended.stderr);
    const { ledger, verification, run: facts } = ended.run();
    assert.deepEqual([facts.endReason, facts.signal, facts.exitCode], ['signal', signal, code]);
    assert.equal(verification.verdict, 'match');
    assert.equal(ledger.acknowledged, storedRows(sandbox));
    assert.equal(ledger.unknown + ledger.failed, 0);
    assert.equal(ledger.notOffered, 1_000_000 - ledger.offered);
  });
}

test('a storm of signals to the whole group is one drain, one summary, one exit code', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context, { latencyMs: 200 })];
  const command = crategen(cluster(sandbox, '--rows', '1m', '--batch-size', '200'), place);
  await command.line(/phase=running/);
  await until(() => storedRows(sandbox) > 500);
  const targets = [command.pid, ...command.workers()];
  for (let round = 0; round < 300; round += 1) for (const pid of targets) process.kill(pid, 'SIGINT');
  const ended = await command.ended;
  assert.equal(ended.code, 130, ended.stderr);
  assert.equal(ended.run().verification.verdict, 'match');
  assert.equal(ended.stderr.match(/phase=draining/g)?.length, 1);
});

test('a storm of signals that lasts to the very end costs neither the summary nor the run file', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context, SLOW)];
  const command = crategen(cluster(sandbox, '--rows', '1m', '--batch-size', '200'), place);
  await command.line(/phase=running/);
  await until(() => storedRows(sandbox) > 500);
  await until(() => {
    if (!isAlive(command.pid)) return true;
    command.kill('SIGTERM');
    return false;
  });
  const ended = await command.ended;
  // Node lets go of its signal handlers a moment before the process is gone: to a shell that is 143 as well.
  assert.ok(ended.code === 143 || ended.signal === 'SIGTERM', ended.stderr);
  assert.equal(ended.run().run.endReason, 'signal');
  assert.match(ended.stderr, /run file +\S+run\.json/);
});

test('a second signal a second later ends at once, still with a summary', async (context) => {
  const [place, sandbox] = [
    await home(context),
    await sandboxFor(context, { faults: faults('silence#5..1000000') }),
  ];
  const command = crategen(cluster(sandbox, '--rows', '1m', '--batch-size', '200'), place);
  await command.line(/phase=running/);
  await until(() => sandbox.stats().faultsInjected >= 8);
  command.kill('SIGINT');
  await command.line(/phase=draining/);
  const firstAtMs = performance.now();
  await until(() => performance.now() - firstAtMs > 1050);
  command.kill('SIGINT');
  const ended = await command.ended;
  assert.equal(ended.code, 130, ended.stderr);
  const { ledger, verification } = ended.run();
  assert.equal(verification.verdict, 'skipped');
  assert.ok(ledger.unknown > 0, 'what was in flight is unknown');
  assert.equal(ledger.offered, ledger.acknowledged + ledger.rejected + ledger.failed + ledger.unknown);
});

test('a signal while the target is asked, before the first row, ends with a complete result and no row', async (context) => {
  const [place, sandbox] = [
    await home(context),
    await sandboxFor(context, { faults: faults('latency:3s:all') }),
  ];
  const command = crategen(cluster(sandbox, '--rows', '1k'), place);
  await command.line(/phase=preparing/);
  command.kill('SIGTERM');
  const ended = await command.ended;
  assert.equal(ended.code, 143, ended.stderr);
  const { ledger, run: facts } = ended.run();
  assert.equal(facts.endReason, 'signal');
  assert.deepEqual([ledger.offered, ledger.notOffered], [0, 1000]);
});

test('the run file is there under its name only when it is whole', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const out = join(place.folder, 'result.json');
  const ended = await run(cluster(sandbox, '--rows', '5k', '--out', out), place);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(JSON.parse(await readFile(out, 'utf8')), JSON.parse(ended.stdout));
});

test('when nobody reads its output any more the run stops gracefully with 129, and goes on when --out was given', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context, SLOW)];
  for (const [more, code, rows] of [
    [['--rows', '1m'], 129, null],
    [['--rows', '6k', '--out', join(place.folder, 'out.json')], 0, 6000],
  ] as const) {
    const args = cluster(sandbox, '--batch-size', '100', '--log-format', 'json', ...more).filter(
      (arg) => arg !== '--json',
    );
    const command = crategen(args, place);
    await command.line(/running/);
    command.closePipes();
    // SIGUSR2 makes it write a line into the pipe that nobody holds any more.
    command.kill('SIGUSR2');
    const ended = await command.ended;
    assert.equal(ended.code, code);
    if (rows !== null)
      assert.equal(
        JSON.parse(await readFile(join(place.folder, 'out.json'), 'utf8')).ledger.acknowledged,
        rows,
      );
  }
});
