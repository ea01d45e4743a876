/** `schema show` as a user sees it: every column, and whether its rows are written by compiled code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRESET_NAMES } from '../../src/rows/presets.ts';
import { insertedColumns } from '../../src/rows/schema.ts';
import { preset } from '../rows/support.ts';
import { home, run } from '../support/built-command.ts';

for (const name of PRESET_NAMES) {
  test(`schema show ${name} has a line for each column and says that all are compiled`, async (context) => {
    const ended = await run(['schema', 'show', name], await home(context));
    assert.equal(ended.code, 0, ended.stderr);
    const lines = ended.stdout.split('\n');
    for (const column of preset(name).columns)
      assert.ok(
        lines.some((line) => line.startsWith(`${column.name} `)),
        column.name,
      );
    const filled = insertedColumns(preset(name)).length;
    assert.ok(lines.includes(`compiled: all ${filled} columns that crategen fills`), ended.stdout);
  });
}

test('without WebAssembly schema show says that nothing is compiled', async (context) => {
  const { env } = await home(context);
  const ended = await run(['schema', 'show', 'records'], { env: { ...env, NODE_OPTIONS: '--jitless' } });
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^compiled: none, /m);
});

test('a name that is neither a preset nor a file is told what there is', async (context) => {
  const said = async (name: string): Promise<string> =>
    (await run(['schema', 'show', name], await home(context))).stderr;
  assert.match(
    await said('nope'),
    /nope: no such preset \(records, metrics, everything\) and no such file$/m,
  );
  assert.match(await said('recrods'), /recrods: no such preset; did you mean records\?$/m);
  assert.match(await said('./nope.yaml'), /nope\.yaml: no such file$/m);
});
