/** Series of runs: `cluster --repeat` and `ab`, as a user runs them. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readRunFile, runFiles } from '../../src/report/runs-folder.ts';
import { type Home, crategen, home } from '../support/built-command.ts';
import { sandboxFor } from '../support/sandbox.ts';

const LOAD = ['--procs', '1', '--live', 'off', '--quiet'];

function runsOf({ folder }: Home): readonly string[] {
  return readdirSync(join(folder, 'crategen', 'runs')).toSorted();
}

const runOf = (place: Home, id: string) =>
  readRunFile(runFiles(join(place.folder, 'crategen', 'runs'), id).runFile);

describe('cluster --repeat', () => {
  it('makes runs of one plan, each with rows of its own, and ends with what they show together', async (context) => {
    const [place, sandbox] = [await home(context), await sandboxFor(context)];
    const { code, stderr } = await crategen(
      ['cluster', '--url', sandbox.url, '--rows', '2k', '--repeat', '2', '--run-id', 'twice', ...LOAD],
      place,
    ).ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /2 runs, one after the other: twice-1 twice-2/);
    assert.match(stderr, /each inserts 2,000 rows .* crategen\.records keeps the rows of the runs before/);
    assert.match(stderr, /side +runs +run ids\nA +2 +twice-1 twice-2/);
    assert.deepEqual(runsOf(place), ['twice-1', 'twice-2']);
    const [first, second] = [await runOf(place, 'twice-1'), await runOf(place, 'twice-2')];
    assert.deepEqual([first.run.seed, first.plan.timeOrigin], [second.run.seed, second.plan.timeOrigin]);
    assert.deepEqual([first.verification.stored, second.verification.stored], [2000, 2000]);
  });

  it('ends with the run at hand when it is told to stop, and shows what there is', async (context) => {
    const [place, sandbox] = [await home(context), await sandboxFor(context)];
    const command = crategen(
      [
        'cluster',
        '--url',
        sandbox.url,
        '--duration',
        '50s',
        '--rate',
        '1k',
        '--repeat',
        '3',
        '--run-id',
        'cut',
      ]
        .concat(LOAD)
        .filter((flag) => flag !== '--quiet')
        .map((flag) => (flag === 'off' ? 'lines' : flag)),
      place,
    );
    await command.line(/running/);
    command.kill('SIGTERM');
    const { code, stderr } = await command.ended;
    assert.equal(code, 143, stderr);
    assert.match(stderr, /1 of 3 runs were made/);
    assert.deepEqual(runsOf(place), ['cut-1']);
    assert.equal((await runOf(place, 'cut-1')).run.endReason, 'signal');
  });

  it('refuses what cannot be repeated, before anything is sent', async (context) => {
    const place = await home(context);
    const { code, stderr } = await crategen(
      [
        'cluster',
        '--repeat',
        '0',
        '--url',
        'http://me:canary-81@db:4200',
        '--resume',
        'latest',
        '--password-stdin',
      ],
      place,
    ).ended;
    assert.equal(code, 2);
    for (const expected of [
      /--repeat "0": expected/,
      /--url: a password in a URL/,
      /--resume: not with/,
      /--password-stdin: not with/,
    ])
      assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /canary/);
  });
});

describe('ab', () => {
  it('lets two plans take turns in the order of its seed, and compares them as one JSON document', async (context) => {
    const place = await home(context);
    const [a, b] = [join(place.folder, 'a.yaml'), join(place.folder, 'b.json')];
    writeFileSync(a, 'batch-size: 100\n');
    writeFileSync(b, '{"batch-size": 500}');
    const { code, stdout, stderr } = await crategen(
      [
        'ab',
        a,
        b,
        '--sandbox',
        '--rows',
        '1k',
        '--repeat',
        '2',
        '--order-seed',
        '3',
        '--run-id',
        'x',
        '--json',
        ...LOAD,
      ],
      place,
    ).ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /4 runs, one after the other: x-a-1 x-b-1 x-b-2 x-a-2/);
    assert.match(stderr, /order seed 3/);
    const comparison = JSON.parse(stdout) as {
      format: string;
      sides: { label: string; runs: { id: string }[] }[];
      fields: unknown[];
    };
    assert.equal(comparison.format, 'crategen.comparison/1');
    assert.deepEqual(
      comparison.sides.map(({ runs }) => runs.map(({ id }) => id)),
      [
        ['x-a-1', 'x-a-2'],
        ['x-b-1', 'x-b-2'],
      ],
    );
    assert.deepEqual(comparison.fields, [{ about: 'plan', field: 'batchSize', values: ['100', '500'] }]);
  });

  it('says what it misses', async (context) => {
    const args = ['ab', '--repeat', '1', '--out', 'turns.pdf'];
    const { code, stderr } = await crategen(args, await home(context)).ended;
    assert.equal(code, 2);
    assert.match(stderr, /PLAN_A PLAN_B: expected two files/);
    assert.match(stderr, /--repeat "1": expected/);
    assert.match(stderr, /--out "turns\.pdf": expected a name that ends in .*\.html/);
  });
});
