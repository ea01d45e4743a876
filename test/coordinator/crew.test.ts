/** Workers that misbehave, as real processes: each way ends in a stated reason, and nothing is left behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../src/base/clock.ts';
import { PLAN, type CrewRun, hurriedClock, standingClock, startCrew } from './support.ts';

function assertAllGone(run: CrewRun): void {
  for (const pid of run.crew.slots.flatMap((slot) => slot.pids))
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
}

test('workers that end before they are ready are replaced four times each at most, then the run gives up', async () => {
  const run = startCrew('exits-early', { ...PLAN, load: { ...PLAN.load, procs: 1 } }, standingClock());
  const end = await run.ended;
  assert.equal(end.reason, 'workers');
  assert.equal(run.crew.slots[0]?.pids.length, 5);
  assert.match(end.detail, /worker 0 died \(pid \d+, exit code 3: Error: no luck today\)/);
  assertAllGone(run);
  await run.close();
});

test('a worker that is not ready in time is ended by force', async () => {
  const run = startCrew(
    'never-ready',
    { ...PLAN, load: { ...PLAN.load, procs: 1 } },
    hurriedClock(() => 50),
  );
  const end = await run.ended;
  assert.equal(end.reason, 'workers');
  assert.match(run.notes[0]?.message ?? '', /SIGKILL: it was not ready within 11 s/);
  assertAllGone(run);
  await run.close();
});

test('a message that is not of the protocol is refused and counted, and its sender replaced', async () => {
  const run = startCrew('sends-garbage', { ...PLAN, load: { ...PLAN.load, procs: 1 } }, standingClock());
  const end = await run.ended;
  assert.equal(end.reason, 'workers');
  assert.equal(run.crew.slots[0]?.refusedMessages, 5);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  assertAllGone(run);
  await run.close();
});

test('a process that claims another pid is not believed', async () => {
  const run = startCrew('wrong-pid', { ...PLAN, load: { ...PLAN.load, procs: 1 } }, standingClock());
  await run.ended;
  assert.match(run.notes[0]?.message ?? '', /it says its pid is 1/);
  assertAllGone(run);
  await run.close();
});

test('workers that are killed as soon as they run end the run with the reason, not in a loop', async () => {
  const run = startCrew('dies-mid-run', PLAN, standingClock());
  const end = await run.ended;
  assert.equal(end.reason, 'workers');
  assert.ok(run.crew.slots.every((slot) => slot.pids.length <= 5));
  assert.match(end.detail, /SIGKILL/);
  const events = run.monitor.events();
  assert.ok(events.some(({ event, message }) => event === 'workerDied' && /SIGKILL/.test(message)));
  assert.equal(events.at(-1)?.event, 'workersKeepDying');
  assertAllGone(run);
  await run.close();
});

test('a worker that ignores drain and SIGTERM is killed, and a thousand signals are one stop', async () => {
  let factor = 1;
  const run = startCrew(
    'ignores-drain',
    PLAN,
    hurriedClock(() => factor),
  );
  // What hurries from the beginning would give the processes no time to get ready.
  await until(() => run.crew.slots.every((slot) => slot.phase === 'running'), run);
  factor = 20;
  for (let signal = 0; signal < 1000; signal += 1) run.stop.request(signal % 2 === 0 ? 'SIGTERM' : 'SIGINT');
  const end = await run.ended;
  assert.deepEqual(end, { reason: 'signal', detail: '' });
  assert.equal(run.stop.cause()?.signal, 'SIGTERM');
  assert.deepEqual(
    run.monitor.events().map(({ event, message }) => [event, message]),
    [['signal', 'SIGTERM: no new batches are begun']],
  );
  assert.ok(run.crew.slots.every((slot) => slot.lastExit?.signal === 'SIGKILL'));
  assert.equal(run.stop.forced.aborted, false);
  assertAllGone(run);
  await run.close();
});

test('workers that keep dying while a start time is waited for end the run then, not at that time', async () => {
  const inAnHour = { ...PLAN, startAtMs: Date.now() + 3_600_000, load: { ...PLAN.load, procs: 1 } };
  const run = startCrew('dies-when-ready', inAnHour, standingClock());
  assert.equal((await run.ended).reason, 'workers');
  assertAllGone(run);
  await run.close();
});

test('a start time that is over is told once, with how long ago it was', async () => {
  const yesterday = { ...PLAN, startAtMs: Date.now() - 26 * 3_600_000 };
  let factor = 1;
  const run = startCrew(
    'ignores-drain',
    yesterday,
    hurriedClock(() => factor),
  );
  await until(() => run.crew.slots.every((slot) => slot.phase === 'running'), run);
  factor = 20;
  run.stop.request('SIGTERM');
  await run.ended;
  const late = run.notes.filter(({ event }) => event === 'startedLate').map(({ message }) => message);
  assert.equal(late.length, 1);
  assert.match(
    late[0] ?? '',
    /^--start-at was 26h 0\dm ago when the workers were ready: they begin at once$/,
  );
  await run.close();
});

test('a stop before the start waits for no drain: workers that do not answer are ended within 5 s', async () => {
  const clock = hurriedClock(() => 20);
  const waits: number[] = [];
  const noted: Clock = {
    ...clock,
    sleep: (ms, signal) => {
      waits.push(ms);
      return clock.sleep(ms, signal);
    },
  };
  const plan = { ...PLAN, safety: { ...PLAN.safety, drainTimeoutMs: 15_000 } };
  const run = startCrew('never-ready', plan, noted);
  const before = waits.length;
  run.stop.request('SIGTERM');
  assert.equal((await run.ended).reason, 'signal');
  assert.ok(Math.max(...waits.slice(before)) <= 2000, `${waits.slice(before).join(', ')} ms`);
  assertAllGone(run);
  await run.close();
});

/** The crew's own ticks are the events that are waited for. */
async function until(isTrue: () => boolean, run: CrewRun): Promise<void> {
  const ended = run.ended.then(() => true);
  const ticked = (): Promise<boolean> => new Promise((resolve) => setImmediate(() => resolve(false)));
  while (!isTrue()) if (await Promise.race([ticked(), ended])) assert.fail('the run ended before');
}
