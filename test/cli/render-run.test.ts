/** Which format a report or a comparison is written in, from its flags and the name of the file. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMPARE_FORMATS } from '../../src/cli/finished-runs/compare-runs.ts';
import { REPORT_FORMATS, type ReportFormat, readFormat } from '../../src/cli/finished-runs/render-run.ts';
import { SettingReader } from '../../src/plan/setting-reader.ts';

function read(
  flags: Readonly<Record<string, string | boolean>>,
  formats: readonly ReportFormat[] = REPORT_FORMATS,
): { readonly format: ReportFormat; readonly problems: readonly string[] } {
  const reader = new SettingReader(new Map(Object.entries(flags)), null);
  return { format: readFormat(reader, formats), problems: reader.problems };
}

describe('the format of what is written', () => {
  it('is what the name of the file ends in, and text where it has no ending', () => {
    for (const [out, format] of [
      ['a.html', 'html'],
      ['a.b/c.CSV', 'csv'],
      ['a.txt', 'text'],
      ['folder.d/report', 'text'],
      ['report-1.5', 'text'],
      ['/dev/stdout', 'text'],
    ] as const)
      assert.deepEqual(read({ out }), { format, problems: [] }, out);
  });

  it('is what the flags say, whatever the name', () => {
    assert.deepEqual(read({ out: 'a.pdf', format: 'md' }), { format: 'md', problems: [] });
    assert.deepEqual(read({ out: 'a.html', json: true }), { format: 'json', problems: [] });
    assert.deepEqual(read({ out: 'a.log', format: 'text' }), { format: 'text', problems: [] });
  });

  it('is not guessed for an ending that stands for none', () => {
    assert.deepEqual(read({ out: 'a.pdf' }).problems, [
      '--out "a.pdf": expected a name that ends in .txt, .md, .html, .htm, .json, .csv, or --format beside it',
    ]);
    assert.deepEqual(read({ out: 'a.csv' }, COMPARE_FORMATS).problems, [
      '--out "a.csv": expected a name that ends in .txt, .md, .html, .htm, .json, or --format beside it',
    ]);
  });
});
