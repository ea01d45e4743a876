/** `crategen ceiling` as a user runs it: real workers, a target in a process of its own, and its place among the runs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crategen, home } from '../support/built-command.ts';
import { sandboxFor } from '../support/sandbox.ts';

const QUIET = ['--live', 'off', '--quiet'];

describe('crategen ceiling', () => {
  it('sends the rows of its plan to a target that keeps none, and says so everywhere', async (context) => {
    const place = await home(context);
    const args = ['ceiling', '--rows', '20k', '--batch-size', '500', '--procs', '2', '--json', ...QUIET];
    const ended = await crategen(args, place).ended;
    assert.equal(ended.code, 0, ended.stderr);
    const run = ended.run();
    assert.deepEqual(
      [run.plan.command, run.target.kind, run.ledger.acknowledged],
      ['ceiling', 'discard', 20_000],
    );
    assert.deepEqual([run.verification.verdict, run.verification.stored], ['skipped', null]);
    assert.match(run.verification.detail, /the target discards rows: there is nothing to count/);
    assert.deepEqual([run.workers.length, run.measuredFor], [2, null]);
    assert.match(ended.stderr, /20,000 rows sent to a target that stores nothing +exit 0/);
    assert.match(ended.stderr, /\nceiling +\d.* rows\/s [·|] .*CPU s per million rows/);
    assert.doesNotMatch(ended.stderr, /\d rows stored|crategen verify/);
    const listed = await crategen(['runs'], place).ended;
    assert.match(listed.stdout, /crategen\.records +discarded/);
  });

  for (const path of ['unnest', 'values'] as const) {
    it(`measures --insert-path ${path} too`, async (context) => {
      const args = [
        'ceiling',
        '--rows',
        '2k',
        '--insert-path',
        path,
        '--compress',
        'gzip',
        '--json',
        ...QUIET,
      ];
      const ended = await crategen(args, await home(context)).ended;
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(ended.run().ledger.acknowledged, 2000);
    });
  }

  it('holds a run against the ceiling of its plan, which then is no run to verify, clean or go on with', async (context) => {
    const [place, sandbox] = [await home(context), await sandboxFor(context)];
    const real = [
      'cluster',
      '--url',
      sandbox.url,
      '--rows',
      '3k',
      '--preset',
      'metrics',
      '--batch-size',
      '100',
    ];
    const ran = await crategen([...real, '--procs', '1', '--run-id', 'real', ...QUIET], place).ended;
    assert.equal(ran.code, 0, ran.stderr);
    const args = ['ceiling', '--run', 'latest', '--rows', '20k', '--run-id', 'top', '--json', ...QUIET];
    const ended = await crategen(args, place).ended;
    assert.equal(ended.code, 0, ended.stderr);
    const { measuredFor, plan } = ended.run();
    assert.deepEqual([plan.batchSize, plan.procs, measuredFor?.runId], [100, 1, 'real']);
    assert.deepEqual(measuredFor?.hostDiffers, []);
    assert.ok((measuredFor?.share ?? 0) > 0, ended.stderr);
    assert.match(ended.stderr, /\nshare +run real reached \d+ % of what this client can do here/);
    for (const refused of [
      ['verify', 'top'],
      ['clean', 'top', '--yes'],
      ['cluster', '--resume', 'top'],
      ['ceiling', '--run', 'top'],
    ]) {
      const { code, stderr } = await crategen(refused, place).ended;
      assert.equal(code, 2, `${refused.join(' ')}: ${stderr}`);
      assert.match(stderr, /^crategen: .*run top /);
    }
    const compared = await crategen(['compare', 'real', 'top'], place).ended;
    assert.match(compared.stderr, /different kinds of target/);
    const shown = await crategen(['report', 'top'], place).ended;
    assert.match(shown.stdout, /share +run real reached/);
  });

  it('refuses with exit 2 what it cannot do, in one JSON document with --json', async (context) => {
    const args = ['ceiling', '--url', 'http://db:4200', '--insert-path', 'pg', '--json'];
    const { code, stdout } = await crategen(args, await home(context)).ended;
    assert.equal(code, 2);
    const { error } = JSON.parse(stdout) as { readonly error: { readonly message: string } };
    assert.match(error.message, /^--url: not with ceiling: .*\n--insert-path pg: expected bulk-args/);
  });

  it('refuses batches that would be sent in parts before anything is measured', async (context) => {
    const args = ['ceiling', '--preset', 'everything', '--batch-size', '20k', ...QUIET];
    const { code, stderr } = await crategen(args, await home(context)).ended;
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /--max-body: a batch can take .* would be sent in parts.*batches of at most [\d,]+ rows/,
    );
  });

  it('misses a threshold with exit 5, as a run does', async (context) => {
    const args = ['ceiling', '--rows', '2k', '--procs', '1', '--fail-on', 'rows/s<900m', ...QUIET];
    const { code, stderr } = await crategen(args, await home(context)).ended;
    assert.equal(code, 5, stderr);
  });

  it('ends on Ctrl-C with a summary and exit 130, and leaves no target behind', async (context) => {
    const command = crategen(['ceiling', '--duration', '50s', '--live', 'lines'], await home(context));
    const line = await command.line(/target kind=discard/);
    await command.line(/phase=running/);
    command.kill('SIGINT');
    const { code, stderr } = await command.ended;
    assert.equal(code, 130, stderr);
    // Under load the signal may come before the first row.
    assert.match(
      stderr,
      /(no row was stored: stopped by SIGINT|rows sent to a target that stores nothing) +exit 130/,
    );
    const url = /nodes=(\S+)/.exec(line)?.[1] ?? '';
    await assert.rejects(fetch(url), 'the target is gone');
  });
});
