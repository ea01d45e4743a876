/** Tables of the commands that look at finished runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderRuns, renderVerify } from '../../src/report/listings.ts';
import type { RunListing } from '../../src/report/runs-folder.ts';
import { view } from './samples.ts';

const FINISHED: RunListing = {
  id: '20261124-1530-x7k2',
  startedAt: '2026-11-24T15:30:12.345Z',
  state: 'finished',
  target: 'cratedb',
  table: 'crategen.records',
  acknowledgedRows: 17_200_000,
  missingRows: 0,
  endReason: 'rows',
  exitCode: 0,
  problem: '',
};
const NOTHING = {
  target: null,
  table: null,
  acknowledgedRows: null,
  missingRows: null,
  endReason: null,
  exitCode: null,
} as const;

test('the list of runs shows what each came to, and how to recover one that has no result', () => {
  const runs: RunListing[] = [
    { ...NOTHING, id: 'dead', startedAt: '2026-11-24T16:00:00.000Z', state: 'unfinished', problem: '' },
    { ...NOTHING, id: 'bad', startedAt: null, state: 'unreadable', problem: '/x/run.json: not JSON' },
    FINISHED,
  ];
  assert.equal(
    renderRuns(runs, view(120)),
    `run                 started              table             rows stored  missing  ended by    exit
dead                2026-11-24 16:00:00  –                           –        –  unfinished     –
bad                 –                    –                           –        –  unreadable     –
20261124-1530-x7k2  2026-11-24 15:30:12  crategen.records   17,200,000        0  rows           0

dead has no result: it is still running, or was killed; then: crategen recover dead
/x/run.json: not JSON
`,
  );
});

test('of a ceiling the list does not say that its rows are stored', () => {
  const shown = renderRuns([{ ...FINISHED, target: 'discard' }], view(120));
  assert.match(shown, /crategen\.records +discarded +0 +rows/);
  assert.doesNotMatch(shown, /17,200,000/);
});

test('without runs the list says how to start one', () => {
  assert.match(renderRuns([], view(80)), /crategen cluster --sandbox/);
});

test('a verification that found nothing wrong says so in one line', () => {
  const none = { rows: 0, seqs: [] };
  const report = {
    runId: 'r1',
    table: 'crategen.records',
    checkedRows: 200_000,
    lost: none,
    duplicated: none,
    altered: none,
    unexpected: none,
    unaccounted: none,
    notComparable: [],
  };
  assert.equal(
    renderVerify(report, view(100)),
    '200,000 rows of run r1 in crategen.records: none is lost, duplicated or altered\n',
  );
});

test('a verification that found something names the counts, the first keys and the columns it could not compare', () => {
  const report = {
    runId: 'r1',
    table: 'crategen.records',
    checkedRows: 200_000,
    lost: { rows: 30, seqs: Array.from({ length: 20 }, (_, seq) => seq) },
    duplicated: { rows: 1, seqs: [7] },
    altered: { rows: 2, seqs: [] },
    unexpected: { rows: 1, seqs: [900] },
    unaccounted: { rows: 5, seqs: [] },
    notComparable: ['area\u001b[31m'],
  };
  assert.equal(
    renderVerify(report, view(200)),
    `200,000 rows of run r1 in crategen.records: 30 lost, 1 duplicated, 2 altered
  lost: 30 rows acknowledged, but not in the table; seq 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 …
  duplicated: 1 row in the table more than once; seq 7
  altered: 2 rows in the table with other values than were sent
  unexpected: 1 row in the table under this run id, and never sent by it; seq 900
  unaccounted: 5 rows in the table, though the ledger of the run calls them rejected or failed
checked by presence only, since their type has no form to compare: area␛[31m
`,
  );
});
