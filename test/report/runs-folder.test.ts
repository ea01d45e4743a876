/** Finding runs on a real file system, by every name a person may give. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { UsageError } from '../../src/base/errors.ts';
import { runFileText, toRunFile } from '../../src/report/run-file.ts';
import {
  findRun,
  listRuns,
  readRun,
  readRunFile,
  runFiles,
  runFolder,
  runsFolder,
} from '../../src/report/runs-folder.ts';
import { FACTS, sampleResult } from './samples.ts';
import { samplePlan } from '../support/sample-plan.ts';

let runs = '';
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'crategen-runs-'));
});
afterEach(() => rmSync(runs, { recursive: true, force: true }));

test('the runs folder follows XDG_STATE_HOME when it is absolute, else the home folder', () => {
  assert.equal(runsFolder({ XDG_STATE_HOME: '/state' }, '/home/me'), '/state/crategen/runs');
  for (const configured of [undefined, '', 'relative/state']) {
    assert.equal(
      runsFolder({ XDG_STATE_HOME: configured }, '/home/me'),
      '/home/me/.local/state/crategen/runs',
    );
  }
});

test('a run id never leads out of the runs folder', () => {
  for (const id of ['..', '.', 'a/b', '../x', '', 'x'.repeat(65), 'a\u0000b']) {
    assert.throws(() => runFolder(runs, id), UsageError, id);
  }
  assert.equal(runFolder(runs, 'a..b'), join(runs, 'a..b'));
});

test('latest is the run that started last, whatever its id, finished or not', async () => {
  startRun('zzz', '2026-11-24T10:00:00Z');
  finishRun('zzz');
  startRun('aaa', '2026-11-24T11:00:00+00:00');
  const found = await findRun(runs, 'latest');
  assert.deepEqual(found, { id: 'aaa', planFile: join(runs, 'aaa', 'plan.json'), runFile: null });
});

test('a run is found by its id, its file, and its folder', async () => {
  startRun('r1', '2026-11-24T10:00:00Z');
  finishRun('r1');
  const { planFile, runFile } = runFiles(runs, 'r1');
  assert.deepEqual(await findRun(runs, 'r1'), { id: 'r1', planFile, runFile });
  assert.deepEqual(await findRun(runs, join(runs, 'r1')), { id: null, planFile, runFile });
  assert.deepEqual(await findRun(runs, runFile), { id: null, planFile: null, runFile });
  assert.deepEqual(await findRun(runs, planFile), { id: null, planFile, runFile: null });
  assert.equal((await readRun(await findRun(runs, 'r1'))).run.id, 'r1');
});

test('what is not there is refused with the command that lists the runs', async () => {
  for (const reference of ['nope', './nope.json', 'a\u001b[31mb', '']) {
    await assert.rejects(findRun(runs, reference), (thrown) => {
      assert.ok(thrown instanceof UsageError);
      assert.doesNotMatch(thrown.message, /\u001b/);
      return thrown.hint?.includes('crategen runs') === true;
    });
  }
  await assert.rejects(findRun(runs, 'latest'), /there is no run yet/);
  await assert.rejects(findRun(join(runs, 'missing'), 'latest'), /there is no run yet/);
});

test('a run without a result names the command that recovers it', async () => {
  startRun('dead', '2026-11-24T10:00:00Z');
  const found = await findRun(runs, 'dead');
  await assert.rejects(readRun(found), (thrown) => {
    return (
      thrown instanceof UsageError && thrown.hint === 'If it is not running any more: crategen recover dead'
    );
  });
});

test('what is no file or too large is refused unread', async () => {
  await assert.rejects(readRunFile('/dev/zero'), /\/dev\/zero: not a file/);
  const large = join(runs, 'large.json');
  writeFileSync(large, '');
  truncateSync(large, 256 * 2 ** 20 + 1);
  await assert.rejects(readRunFile(large), /larger than 256 MiB/);
});

test('the list has the newest first, with unfinished and unreadable runs named as such', async () => {
  startRun('first', '2026-11-24T10:00:00Z');
  finishRun('first');
  startRun('second', '2026-11-24T11:00:00Z');
  startRun('third', '2026-11-24T12:00:00Z');
  writeFileSync(runFiles(runs, 'third').runFile, '{"format":"crategen.run/1"}');
  mkdirSync(join(runs, 'empty'));
  writeFileSync(join(runs, 'stray.txt'), '');
  const listed = await listRuns(runs);
  assert.deepEqual(
    listed.map(({ id, state, table, acknowledgedRows, endReason, exitCode }) => ({
      id,
      state,
      table,
      acknowledgedRows,
      endReason,
      exitCode,
    })),
    [
      {
        id: 'third',
        state: 'unreadable',
        table: null,
        acknowledgedRows: null,
        endReason: null,
        exitCode: null,
      },
      {
        id: 'second',
        state: 'unfinished',
        table: null,
        acknowledgedRows: null,
        endReason: null,
        exitCode: null,
      },
      {
        id: 'first',
        state: 'finished',
        table: 'crategen.records',
        acknowledgedRows: 17_200_000,
        endReason: 'rows',
        exitCode: 0,
      },
    ],
  );
  assert.match(listed[0]?.problem ?? '', /third\/run\.json: run: Invalid key/);
  assert.deepEqual(
    (await listRuns(runs, 1)).map(({ id }) => id),
    ['third'],
  );
});

test('the list of a folder that does not exist is empty', async () => {
  assert.deepEqual(await listRuns(join(runs, 'missing')), []);
});

function startRun(id: string, startedAt: string): void {
  mkdirSync(join(runs, id), { recursive: true });
  writeFileSync(
    runFiles(runs, id).planFile,
    JSON.stringify({ format: 'crategen.plan/1', run: { id, startedAt } }),
  );
}

function finishRun(id: string): void {
  writeFileSync(
    runFiles(runs, id).runFile,
    runFileText(toRunFile(sampleResult({ plan: samplePlan({ runId: id }) }), FACTS)),
  );
}
