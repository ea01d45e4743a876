/** Failures are told in lines without stacks, argv, secrets or escape codes. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TargetError, UsageError } from '../../src/base/errors.ts';
import { hideUrlCredentials, reportOf, writeFailure } from '../../src/cli/failure.ts';

describe('a report', () => {
  it('has a line per problem, the code of its class and the hint', () => {
    const report = reportOf(new UsageError(['one', 'two'], { hint: 'try this' }));
    assert.deepEqual(
      [report.exitCode, report.code, report.lines, report.hint],
      [2, 'usage', ['one', 'two'], 'try this'],
    );
    assert.equal(reportOf(new TargetError('x')).code, 'target');
  });

  it('asks to report what nobody foresaw, without its stack', () => {
    const report = reportOf(new TypeError('undefined is not a function'));
    assert.deepEqual(
      [report.exitCode, report.code, report.lines],
      [1, 'bug', ['undefined is not a function']],
    );
    assert.match(report.hint ?? '', /CRATEGEN_DEBUG=1/);
  });

  it('removes known secrets and credentials in URLs everywhere, causes included', () => {
    const cause = new Error('GET http://me:other@pw@host/ failed');
    const error = new TargetError('cannot reach canary%20x or canary x', {
      cause,
      hint: 'http://u:canary x@h',
    });
    assert.ok(!/canary|other/.test(JSON.stringify(reportOf(error, ['canary x']))));
  });

  it('shows control characters as symbols, and a long list by its beginning', () => {
    const report = reportOf(new UsageError(Array.from({ length: 80 }, () => '\u001b[31mred\u0007')));
    assert.equal(report.lines.length, 51);
    assert.ok(!report.lines.join('').includes('\u001b'));
  });

  it('never fails itself, whatever was thrown', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: false }), (thrown) => {
        let text = '';
        try {
          text = JSON.stringify(reportOf(thrown));
        } catch (error) {
          // String() of an object whose toString throws is the thrower's doing.
          assert.ok(error instanceof TypeError);
          return;
        }
        assert.ok(text.length > 0);
      }),
    );
  });
});

describe('writing it', () => {
  const written = (isJson: boolean): { stdout: string; stderr: string; code: number } => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const code = writeFailure(reportOf(new UsageError(['a', 'b'], { hint: 'h' })), {
      stdout,
      stderr,
      isJson,
      isDebugging: false,
    });
    return { stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? ''), code };
  };

  it("puts people's lines on stderr and nothing on stdout", () => {
    assert.deepEqual(written(false), { stdout: '', stderr: 'crategen: a\ncrategen: b\n  h\n', code: 2 });
  });

  it('puts exactly one JSON document on stdout with --json', () => {
    assert.deepEqual(JSON.parse(written(true).stdout), {
      error: { code: 'usage', message: 'a\nb', hint: 'h' },
    });
  });
});

describe('credentials in a URL', () => {
  it('are hidden up to the last @', () => {
    assert.equal(
      hideUrlCredentials('at http://u:p@ss@host:4200/x and crate://v:w@h'),
      'at http://***@host:4200/x and crate://***@h',
    );
    assert.equal(hideUrlCredentials('mail me@host, http://host/'), 'mail me@host, http://host/');
  });
});
