/** Books where runs end strangely: very many bad batches, folders that are gone, plans that cannot be written. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { readHostFacts } from '../../src/base/host.ts';
import { startTicksOf } from '../../src/base/process-start.ts';
import { type RecoverEnvironment, recoverRun } from '../../src/coordinator/recover.ts';
import { keptExceptions } from '../../src/coordinator/resume.ts';
import type { RunResult } from '../../src/coordinator/run-result.ts';
import { runPlan } from '../../src/coordinator/run.ts';
import { createStopControl } from '../../src/coordinator/stop-control.ts';
import { type WorkerExit, forkAhead, forkingSpawner } from '../../src/coordinator/worker-process.ts';
import { WorkerSlot } from '../../src/coordinator/worker-slot.ts';
import { assignmentsOf } from '../../src/coordinator/shares.ts';
import { EMPTY_LEDGER, NO_BATCHES } from '../../src/metrics/ledger.ts';
import { NO_USE, emptySnapshot } from '../../src/metrics/snapshot.ts';
import { type PlanFile, type ResumedBooks, parsePlanFile, planFileText } from '../../src/plan/plan-file.ts';
import { type Link, localLinks } from '../../src/protocol/link.ts';
import type { DownMessage, UpMessage } from '../../src/protocol/messages.ts';
import { packSnapshot } from '../../src/protocol/packed-snapshot.ts';
import { parseDownMessage } from '../../src/protocol/parse-message.ts';
import { createCounterFile, emptySlot } from '../../src/worker/counter-file.ts';
import { sandboxFor } from '../support/sandbox.ts';
import { PLAN, templateOf } from './support.ts';
import { folderFor } from '../support/folder.ts';
import { accessTo } from '../support/access.ts';
import { quietEnvironment } from '../support/run-environment.ts';

const folder = folderFor({ after });

/** Only there a process tells when it began. */
const NO_PROC = existsSync('/proc/self/stat') ? false : 'there is no /proc';

/** More than the arguments of one call can be. */
const MANY = 200_000;

const books: ResumedBooks = {
  ledger: { ...EMPTY_LEDGER, offered: MANY, unknown: MANY },
  tables: [{ ...EMPTY_LEDGER, offered: MANY, unknown: MANY }],
  batches: { ...NO_BATCHES, begun: MANY, completed: MANY, failed: MANY },
  nextBatch: MANY,
  resend: [],
  exceptions: Array.from({ length: MANY }, (_, batch) => ({
    batch,
    acknowledged: 0,
    rejected: 0,
    failed: 0,
    unknown: 1,
  })),
};

test('a worker with hundreds of thousands of bad batches behind it is gone on with', () => {
  const [assignment] = assignmentsOf(PLAN);
  assert.ok(assignment);
  const slot = new WorkerSlot({
    clock: systemClock,
    spawn: () => assert.fail('nothing is started here'),
    template: templateOf(PLAN, assignment, 0),
    counterFileOf: () => '',
    events: {
      onReady: () => undefined,
      onDrained: () => undefined,
      onDeath: () => false,
      onBatchLine: () => undefined,
      onExited: () => undefined,
    },
    readyTimeoutMs: 10_000,
    resumed: books,
  });
  assert.equal(slot.exceptions.length, MANY);
  assert.equal(slot.total().ledger.unknown, MANY);
});

test('rows that a killed worker had in flight are in flight until its successor has begun to send them', async () => {
  const [assignment] = assignmentsOf(PLAN);
  assert.ok(assignment);
  const fileOf = (incarnation: number): string => join(folder, `killed-${incarnation}`);
  const facts = { workerIndex: 0, pid: 1, slots: 2, tables: 1, firstBatch: 0, globalCount: 2 };
  const counters = createCounterFile(fileOf(0), { ...facts, incarnation: 0 });
  const carried = { phase: 'handedOver', batchRows: 100, batches: { ...NO_BATCHES, begun: 1 } } as const;
  counters.writeSlot(0, { ...emptySlot(0), ...carried, batch: 0 });
  counters.writeSlot(1, { ...emptySlot(0), ...carried, batch: 2 });
  counters.close();

  const gone = Promise.withResolvers<WorkerExit>();
  const replaced = Promise.withResolvers<void>();
  const slot = new WorkerSlot({
    clock: systemClock,
    spawn() {
      const isFirst = slot.pids.length === 0;
      if (!isFirst) replaced.resolve();
      const { parent } = localLinks<DownMessage, UpMessage>();
      const exited = isFirst ? gone.promise : new Promise<WorkerExit>(() => undefined);
      return { pid: isFirst ? 1 : 2, link: parent, kill: () => undefined, exited };
    },
    template: templateOf(PLAN, assignment, 0),
    counterFileOf: fileOf,
    events: {
      onReady: () => undefined,
      onDrained: () => undefined,
      onDeath: () => true,
      onBatchLine: () => undefined,
      onExited: () => undefined,
    },
    readyTimeoutMs: 1,
    resumed: null,
  });
  slot.launch(null);
  gone.resolve({ code: null, signal: 'SIGKILL', lastWords: '' });
  await replaced.promise;
  const { ledger, tables, batches, nextBatch } = slot.total();
  assert.deepEqual(ledger, { ...EMPTY_LEDGER, offered: 200, inFlight: 200 });
  assert.deepEqual(tables, [ledger]);
  assert.equal(batches.begun, 2);
  assert.equal(nextBatch, 4);
});

test('how busy a replaced worker was is the mean of its processes by their time', async () => {
  const [assignment] = assignmentsOf(PLAN);
  assert.ok(assignment);
  const ends: ((exit: WorkerExit) => void)[] = [];
  const children: Link<UpMessage>[] = [];
  const slot = new WorkerSlot({
    clock: systemClock,
    spawn() {
      const { parent, child } = localLinks<DownMessage, UpMessage>();
      children.push(child);
      const exited = new Promise<WorkerExit>((resolve) => ends.push(resolve));
      return { pid: ends.length, link: parent, kill: () => undefined, exited };
    },
    template: templateOf(PLAN, assignment, 0),
    counterFileOf: (incarnation) => join(folder, `busy-${incarnation}`),
    events: {
      onReady: () => undefined,
      onDrained: () => undefined,
      onDeath: () => true,
      onBatchLine: () => undefined,
      onExited: () => undefined,
    },
    readyTimeoutMs: 60_000,
    resumed: null,
  });
  const says = async (incarnation: number, eventLoopUtilization: number, eventLoopActiveMs: number) => {
    const use = { ...NO_USE, eventLoopUtilization, eventLoopActiveMs };
    const snapshot = packSnapshot({ ...emptySnapshot(0), sequence: 1, use });
    await children[incarnation]?.send({ type: 'progress', workerIndex: 0, incarnation, snapshot });
  };
  slot.launch(null);
  await says(0, 1, 9000);
  ends[0]?.({ code: null, signal: 'SIGKILL', lastWords: '' });
  await new Promise((resolve) => setImmediate(resolve));
  await says(1, 0, 0);
  assert.equal(slot.total().use.eventLoopUtilization, 1);
  ends[1]?.({ code: null, signal: 'SIGKILL', lastWords: '' });
  await new Promise((resolve) => setImmediate(resolve));
  await says(2, 0.1, 100);
  assert.equal(slot.total().use.eventLoopUtilization, 0.91);
});

test('a worker may be told to send hundreds of thousands of batches again', () => {
  const [assignment] = assignmentsOf(PLAN);
  assert.ok(assignment);
  const resend = Array.from({ length: MANY }, (_, batch) => batch);
  const init = {
    ...templateOf(PLAN, assignment, 0),
    incarnation: 0,
    counterFile: '/dev/shm/somewhere',
    resume: { nextBatch: MANY, resend, servedUntilNs: 0n },
  };
  assert.equal(parseDownMessage(init).ok, true);
  assert.equal(parseDownMessage({ ...init, resume: { ...init.resume, resend: [0.5] } }).ok, false);
});

test('rows that an earlier part left unknown may still be on their way when the run is gone on with at once', () => {
  const kept = keptExceptions({ ...books, exceptions: books.exceptions.slice(0, 2) }, 123_456);
  assert.deepEqual(
    kept.map(({ batch, unknown, lastByteAtMs }) => [batch, unknown, lastByteAtMs]),
    [
      [0, 1, 123_456],
      [1, 1, 123_456],
    ],
  );
});

/** The plan of a run whose coordinator is long gone; its target discards rows, so nobody is asked. */
function killedRun(
  counterFolder: string,
  resumed: readonly ResumedBooks[] | null = null,
  coordinator: { pid: number; startTicks: number | null } = { pid: 2 ** 30, startTicks: null },
): PlanFile {
  const text = planFileText(PLAN, {
    startedAtMs: 0,
    counterFolder,
    coordinatorPid: coordinator.pid,
    coordinatorStartTicks: coordinator.startTicks,
    workerPids: [],
    target: { kind: 'discard', version: null, nodes: ['http://127.0.0.1:1'] },
    keyed: true,
    statement: '',
    ddl: '',
    poolsHash: '',
    rowsBefore: null,
    also: [],
    rowFormat: 1,
    versions: { crategen: '0', node: '0', faker: '0' },
    resumed,
  });
  return parsePlanFile(text, 'plan.json');
}

function recovering<Saved>(save: (result: RunResult) => Promise<Saved>): RecoverEnvironment<Saved> {
  const stop = createStopControl(systemClock);
  return { clock: systemClock, stop, host: readHostFacts(), note: () => undefined, save };
}

const NOBODY = accessTo('http://127.0.0.1:1');

test('a run whose counter files are gone is not recovered: no books are not books of nothing', async () => {
  const gone = join(folder, 'gone');
  const save = (): Promise<void> => assert.fail('there is nothing to save');
  await assert.rejects(
    recoverRun(killedRun(gone), NOBODY, recovering(save)),
    /run test-run cannot be recovered: its counter files are gone \(.*gone\)/,
  );
});

test('a process that has the number of the dead one is not taken for it', { skip: NO_PROC }, async () => {
  const counters = mkdtempSync(join(folder, 'counters-'));
  const { pid } = process;
  const startTicks = startTicksOf(pid);
  assert.ok(startTicks !== null);
  const facts = { workerIndex: 0, incarnation: 0, slots: 1, tables: 1, firstBatch: 0, globalCount: 2 };
  createCounterFile(join(counters, 'worker-0-0'), { ...facts, pid }).close();
  const save = (result: RunResult): Promise<string> => Promise.resolve(result.endReason);
  const recover = (ticks: number): Promise<string> =>
    recoverRun(killedRun(counters, null, { pid, startTicks: ticks }), NOBODY, recovering(save));
  await assert.rejects(
    recover(startTicks),
    new RegExp(`run test-run is still going: its process ${pid} lives`),
  );

  // The worker of another start: it is neither waited for nor to be killed.
  const file = join(counters, 'worker-0-0');
  const bytes = readFileSync(file);
  bytes.writeDoubleLE(startTicks - 1, 11 * 8);
  writeFileSync(file, bytes);
  assert.equal(await recover(startTicks - 1), 'killed');
});

test('counter files stay until the recovered result is on disk', async () => {
  const counters = mkdtempSync(join(folder, 'counters-'));
  const full = (): Promise<void> => Promise.reject(new Error('no space left'));
  await assert.rejects(recoverRun(killedRun(counters), NOBODY, recovering(full)), /no space left/);
  assert.ok(existsSync(counters));
  const saved = await recoverRun(
    killedRun(counters),
    NOBODY,
    recovering(({ ledger, pacer }) => Promise.resolve({ notOffered: ledger.notOffered, ...pacer })),
  );
  assert.deepEqual(saved, { notOffered: 10_000, lateRows: null, droppedRows: null });
  assert.ok(!existsSync(counters));
});

test('a run that was resumed and then killed says after how many rows its last part began', async () => {
  const counters = mkdtempSync(join(folder, 'counters-'));
  const ledger = { ...EMPTY_LEDGER, offered: 7000, acknowledged: 7000 };
  const part = { ...books, ledger, tables: [ledger], nextBatch: 7, exceptions: [] };
  const warnings = await recoverRun(
    killedRun(counters, [part]),
    NOBODY,
    recovering((result) => Promise.resolve(result.warnings)),
  );
  assert.match(
    warnings.join(' '),
    /This run was resumed after 7,000 rows in complete batches: rows and batches are of the whole/,
  );
});

test('a run whose plan cannot be written begins nothing and leaves no counter files', async (context) => {
  const sandbox = await sandboxFor(context);
  const plan = { ...PLAN, runId: `unwritten-${process.pid}` };
  let counterFolder = '';
  const environment = quietEnvironment(folder, {
    savePlan: (text) => {
      counterFolder = parsePlanFile(text, 'plan.json').facts.counterFolder;
      return Promise.reject(new Error('no space left'));
    },
    workers: forkAhead(() => assert.fail('no worker is needed'), 0),
  });
  const failing = runPlan(plan, accessTo(sandbox.url), environment);
  await assert.rejects(failing, /no space left/);
  assert.notEqual(counterFolder, '');
  assert.ok(!existsSync(counterFolder));
});

test('the counter files of a run that ended are its caller’s to remove', async (context) => {
  const sandbox = await sandboxFor(context);
  const plan = { ...PLAN, command: 'single', runId: `kept-${process.pid}` } as const;
  let counterFolder = '';
  let remove = (): void => undefined;
  const environment = quietEnvironment(folder, {
    savePlan: (text) => {
      counterFolder = parsePlanFile(text, 'plan.json').facts.counterFolder;
      return Promise.resolve();
    },
    keepCounters: (removal) => (remove = removal),
  });
  const alone = { ...plan, load: { ...plan.load, procs: 1 } };
  const result = await runPlan(alone, accessTo(sandbox.url), environment);
  assert.equal(result.ledger.acknowledged, 10_000);
  assert.ok(readdirSync(counterFolder).includes('worker-0-0'));
  remove();
  assert.ok(!existsSync(counterFolder));
});

test('a worker that cannot even be forked is one that died at birth', async () => {
  const worker = forkingSpawner(new URL('http://nowhere.invalid/worker.ts'))();
  assert.equal(worker.pid, null);
  assert.match((await worker.exited).lastWords, /file/);
});
