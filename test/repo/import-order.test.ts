/** The order of the rooms and the fences around packages hold, and the check that says so really looks. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type ICruiseOptions, type ICruiseResult, cruise } from 'dependency-cruiser';

const ROOT = join(import.meta.dirname, '../..');
const RULES = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs')) as {
  readonly forbidden: NonNullable<NonNullable<ICruiseOptions['ruleSet']>['forbidden']>;
  readonly options: ICruiseOptions;
};

async function cruised(baseDir: string): Promise<ICruiseResult> {
  const { tsConfig: _, ...options } = RULES.options;
  const { output } = await cruise(['src'], {
    ...options,
    baseDir,
    validate: true,
    ruleSet: { forbidden: RULES.forbidden },
  });
  if (typeof output === 'string') throw new Error('expected a result, not a report');
  return output;
}

const violated = (result: ICruiseResult): readonly string[] =>
  [...new Set(result.summary.violations.map(({ rule }) => rule.name))].toSorted();

describe('the imports', () => {
  it('of this repository keep the order of the rooms and the fences', async () => {
    const { summary } = await cruised(ROOT);
    assert.ok(summary.totalCruised > 150, `${summary.totalCruised} modules were looked at`);
    assert.ok((summary.totalDependenciesCruised ?? 0) > 500);
    assert.deepEqual(
      summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
      [],
    );
  });

  it('that break the order or a fence are found', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'crategen-imports-'));
    const lay = (path: string, text: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    try {
      lay(
        'package.json',
        JSON.stringify({
          devDependencies: { undici: '1', pidusage: '1', '@oclif/core': '1', 'fast-check': '1' },
        }),
      );
      for (const name of ['undici', 'pidusage', '@oclif/core', 'fast-check']) {
        lay(
          `node_modules/${name}/package.json`,
          JSON.stringify({ name, version: '1.0.0', main: 'index.js' }),
        );
        lay(`node_modules/${name}/index.js`, '');
      }
      lay('src/base/a.ts', "import '../cli/b.ts';\n");
      lay('src/cli/b.ts', "import 'undici';\n");
      lay('src/report/c.ts', "import 'pidusage';\nimport '@oclif/core';\n");
      lay('src/sandbox/d.ts', "import '../plan/e.ts';\n");
      lay('src/plan/e.ts', "import './f.ts';\n");
      lay('src/plan/f.ts', "import './e.ts';\n");
      lay('src/rows/g.ts', "import 'node:fs';\nimport 'fast-check';\n");
      assert.deepEqual(violated(await cruised(folder)), [
        'base-imports-only-from-rooms-before-it',
        'no-cycles',
        'no-tools-at-run-time',
        'oclif-is-behind-cli',
        'pidusage-is-behind-coordinator',
        'rows-are-pure',
        'sandbox-is-written-apart',
        'undici-is-behind-cratedb',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
