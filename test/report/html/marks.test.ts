/** Marks of events in charts: every one is drawn where it happened, and no label runs into the next. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { EventMark } from '../../../src/report/events.ts';
import { labelsOf, markLabels, markLines } from '../../../src/report/html/marks.ts';

const WIDTH = 720;
const PLOT = { x: (ms: number) => Math.min(WIDTH, ms), width: WIDTH, top: 16, bottom: 190 };
/** A letter of a label is at most this wide, in units of the drawing. */
const LETTER = 5.6;

const MARKS: fc.Arbitrary<readonly EventMark[]> = fc
  .array(
    fc.record({
      fromMs: fc.integer({ min: 0, max: 900 }),
      lasted: fc.option(fc.nat(300), { nil: null }),
      tone: fc.constantFrom('loss' as const, 'pause' as const, 'stop' as const),
      name: fc.constantFrom('worker died', 'table blocked', 'db-2.example.org:4200 out'),
    }),
    { maxLength: 60 },
  )
  .map((drawn) =>
    drawn
      .toSorted((a, b) => a.fromMs - b.fromMs)
      .map(({ fromMs, lasted, tone, name }, position) => ({
        number: position + 1,
        fromMs,
        toMs: lasted === null ? null : fromMs + lasted,
        tone,
        name,
        text: `${name} <b>`,
      })),
  );

describe('marks in a chart', () => {
  it('have each event in one label, in order, and no label over the next or outside the drawing', () => {
    fc.assert(
      fc.property(MARKS, (marks) => {
        const labels = labelsOf(marks, PLOT);
        assert.deepEqual(
          labels.flatMap((label) => label.marks),
          marks,
        );
        let free = 0;
        for (const { x, numbers, name } of labels) {
          const width = (numbers.length + (name === '' ? 0 : 1 + name.length)) * LETTER;
          const left = x > WIDTH - 64 ? x - width : x;
          assert.ok(left >= free - 0.01, JSON.stringify(labels.map(({ x, name }) => [x, name])));
          assert.ok(left + width <= WIDTH + 0.01);
          free = left + width;
        }
      }),
    );
  });

  it('are a line at each moment and a band over what lasted, within the plot', () => {
    fc.assert(
      fc.property(MARKS, (marks) => {
        const { source } = markLines(marks, PLOT);
        const moments = new Set(marks.map(({ tone, fromMs }) => `${tone} ${PLOT.x(fromMs)}`));
        assert.equal((source.match(/V190(?=M|")/g) ?? []).length, moments.size);
        for (const [, x = ''] of source.matchAll(/[MH]([\d.]+)/g)) assert.ok(Number(x) <= WIDTH);
      }),
    );
  });

  it('spell out what happened when a label is pointed at, as text', () => {
    const mark = {
      fromMs: 100,
      toMs: null,
      tone: 'loss',
      name: 'worker died',
      text: 'worker 3 <died>',
    } as const;
    const four = [1, 2, 3, 4].map((number) => ({ ...mark, number }));
    const { source } = markLabels(four, PLOT, (ms) => `${ms} ms`);
    assert.match(source, /<title>100 ms worker 3 &lt;died&gt;/);
    assert.match(source, /and 1 more<\/title>1–4<tspan class="mark-name"> worker died<\/tspan>/);
  });
});
