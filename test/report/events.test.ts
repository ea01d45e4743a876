/** What the charts of a report mark: what the coordinator noted and what the nodes' record says, in the order of time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RunMoment, RunResult } from '../../src/coordinator/run-result.ts';
import { MAX_MARKS, eventMarks } from '../../src/report/events.ts';
import { parseRunFile, runFileText, toRunFile } from '../../src/report/run-file.ts';
import type { RunFile } from '../../src/report/run-file-schema.ts';
import { results } from './arbitraries.ts';
import { FACTS, sampleLatencies, sampleResult } from './samples.ts';

function runWith(events: readonly RunMoment[], changes: Partial<RunResult> = {}): RunFile {
  return toRunFile(sampleResult({ events, runningMs: 60_000, ...changes }), FACTS);
}

function noted(
  tMs: number,
  event: string,
  level: RunMoment['level'] = 'warning',
  message = `${event} happened`,
): RunMoment {
  return { tMs, level, event, message };
}

describe('what a run file says has happened', () => {
  it('is marked in the order of time and numbered, outages of nodes among the rest', () => {
    const outages = [{ fromMs: 2000, toMs: 4500, why: 'http://db-2:4200: connection refused' }];
    const node = { origin: 'http://db-2:4200', requests: 9, acknowledged: 9, errors: [], outages };
    const run = runWith([noted(3000, 'workerDied'), noted(9000, 'signal')], {
      nodes: [{ ...node, serviceTime: sampleLatencies(0) }],
    });
    assert.deepEqual(
      eventMarks(run).map(({ number, fromMs, toMs, tone, name }) => [number, fromMs, toMs, tone, name]),
      [
        [1, 2000, 4500, 'loss', 'db-2:4200 out'],
        [2, 3000, null, 'loss', 'worker died'],
        [3, 9000, null, 'stop', 'signal'],
      ],
    );
    assert.equal(eventMarks(run)[0]?.text, 'http://db-2:4200 got no requests: connection refused');
  });

  it('lasts until the target takes rows again, until another pause, or until the run ends', () => {
    const marks = eventMarks(
      runWith([
        noted(1000, 'blocked'),
        noted(2000, 'outage'),
        noted(5000, 'recovered', 'info'),
        noted(8000, 'overload'),
      ]),
    );
    assert.deepEqual(
      marks.map(({ fromMs, toMs }) => [fromMs, toMs]),
      [
        [1000, 2000],
        [2000, 5000],
        [8000, 60_000],
      ],
    );
  });

  it('is a stop when a pause was given up', () => {
    const [pause, stop] = eventMarks(runWith([noted(1000, 'blocked'), noted(9000, 'blocked', 'error')]));
    assert.deepEqual([pause?.toMs, pause?.tone], [9000, 'pause']);
    assert.deepEqual([stop?.toMs, stop?.tone], [null, 'stop']);
  });

  it('is not marked when it is told elsewhere or only informs; what a later version notes as a warning is', () => {
    const quiet = [
      noted(1, 'nodeOut'),
      noted(2, 'nodeBack', 'info'),
      noted(3, 'serverUnseen', 'info'),
      noted(4, 'somethingNew', 'info'),
    ];
    assert.deepEqual(eventMarks(runWith(quiet)), []);
    assert.equal(eventMarks(runWith([noted(4, 'somethingNew')]))[0]?.name, 'somethingNew');
    assert.equal(eventMarks(runWith([noted(4, 'constructor')]))[0]?.name, 'constructor');
  });

  it('is nothing in a file of an older version, and not without end in one made by hand', () => {
    const { events, ...older } = runWith([noted(1, 'workerDied')]);
    assert.equal(events.length, 1);
    const read = parseRunFile(JSON.stringify(older));
    assert.deepEqual(read.events, []);
    assert.deepEqual(eventMarks(read), []);
    const many = Array.from({ length: 3 * MAX_MARKS }, (_, at) => noted(at, 'workerDied'));
    assert.equal(eventMarks(runWith(many)).length, MAX_MARKS);
  });

  it('never ends before it begins, whatever a run says, and reads back as it was written', () => {
    fc.assert(
      fc.property(results, (result) => {
        const run = toRunFile(result, FACTS);
        assert.deepEqual(parseRunFile(runFileText(run)).events, run.events);
        const marks = eventMarks(run);
        marks.forEach(({ number, fromMs, toMs, name }, position) => {
          assert.equal(number, position + 1);
          assert.ok(fromMs >= (marks[position - 1]?.fromMs ?? 0));
          assert.ok(name.length < 200);
          if (toMs !== null) assert.ok(toMs >= fromMs);
        });
      }),
      { numRuns: 30 },
    );
  });
});
