/** The further tables of a run: what `--also` takes, and every way in which it is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseAlso, parseWeight } from '../../src/plan/parse-also.ts';
import { alsoFlag } from '../../src/plan/schema-source.ts';
import { preset } from '../rows/support.ts';
import { planned, problems } from './parse-input.ts';

const FILES = new Map([
  ['orders.yaml', { ok: true, schema: preset('metrics'), table: { schema: 'shop', table: 'orders' } }],
] as const);

describe('--also', () => {
  it('names a preset or a file, then a table and a weight where wanted', () => {
    const records = { kind: 'preset', name: 'records' } as const;
    assert.deepEqual(parseAlso('records'), { source: records, table: null, weight: null });
    assert.deepEqual(parseAlso('records=2.5'), { source: records, table: null, weight: '2.5' });
    assert.deepEqual(parseAlso('records@a.b=3'), { source: records, table: 'a.b', weight: '3' });
    assert.deepEqual(parseAlso('dir@1/x=y.yaml@"a@b".c'), {
      source: { kind: 'file', path: 'dir@1/x=y.yaml' },
      table: '"a@b".c',
      weight: null,
    });
    assert.deepEqual(parseAlso('t.sql')?.source, { kind: 'ddl', path: 't.sql' });
    for (const text of ['', 'nobody', 'http://u:pw@host', 'records=-1']) assert.equal(parseAlso(text), null);
  });

  it('is a table of its own, created as the main one', () => {
    const { plan } = planned(
      { also: ['metrics@crategen.m=2', 'orders.yaml=0.5'], weight: '1.5', shards: '3', key: false },
      { alsoFiles: FILES },
    );
    assert.equal(plan.table.weight, 1.5);
    assert.deepEqual(
      plan.also.map(({ name, weight, shards, key }) => [name.schema, name.table, weight, shards, key]),
      [
        ['crategen', 'm', 2, 3, false],
        ['shop', 'orders', 0.5, 3, false],
      ],
    );
  });

  it('is written again as it can be read', () => {
    const { plan } = planned({ also: ['metrics=2', 'orders.yaml@a."b-c"'] }, { alsoFiles: FILES });
    assert.deepEqual(plan.also.map(alsoFlag), ['metrics=2', 'orders.yaml@a."b-c"']);
    const again = planned({ also: plan.also.map(alsoFlag) }, { alsoFiles: FILES });
    assert.deepEqual(again.plan.also, plan.also);
  });

  it('is refused where two tables are one, and says how to name the second', () => {
    assert.deepEqual(problems({ also: ['records', 'metrics', 'metrics=2'] }), [
      '--also: "crategen.records" is named twice; expected one table each, as --also NAME@SCHEMA.TABLE says',
      '--also: "crategen.metrics" is named twice; expected one table each, as --also NAME@SCHEMA.TABLE says',
    ]);
  });

  it('is refused with weights that never come out even, on several machines, and where it would drop', () => {
    const said = problems({ also: ['metrics=9999'], weight: '1.001' });
    assert.match(said.join('\n'), /weights 1\.001 : 9999 come out even only after 909091 batches/);
    assert.match(
      problems({ also: ['metrics@doc.m'], recreate: true }).join('\n'),
      /"metrics@doc\.m": expected/,
    );
    assert.match(
      problems({ also: ['metrics'], machine: '1/1' }).join('\n'),
      /--machine: expected without --also/,
    );
    assert.match(problems({ weight: '2' }).join('\n'), /--weight "2": expected only together with --also/);
    for (const weight of ['0', '1.2345', '99999']) assert.equal(parseWeight(weight), null);
  });

  it('warns of tables that a short run leaves empty', () => {
    const { warnings } = planned({ also: ['metrics'], rows: '500' });
    assert.deepEqual(warnings, [
      'the run has only 1 batch of 1000 rows: crategen.metrics gets no row; more --rows or a smaller --batch-size would',
    ]);
    assert.deepEqual(planned({ also: ['metrics'], rows: '2000' }).warnings, []);
  });

  it('takes any text without an accident', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const said = problemsOrNone(text);
        assert.ok(said.every((line) => !line.includes('\n')));
      }),
    );
  });
});

function problemsOrNone(text: string): readonly string[] {
  try {
    planned({ also: [text] });
    return [];
  } catch {
    return problems({ also: [text] });
  }
}
