/** Files that cannot be used: schema and config files in any state, and places for the run file that take no byte. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { schemaFile, spoiling } from '../plan/schema-file/arbitrary-schema-file.ts';
import { crategen, home, run } from '../support/built-command.ts';
import { sandboxFor } from '../support/sandbox.ts';

/** Commands that are started: each takes a third of a second of CPU. */
const STARTS = Number(process.env['CRATEGEN_BROKEN_STARTS'] ?? 6);

test('whatever is wrong in a schema or config file: exit 2, lines of places, no stack, nothing sent, nothing made', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const broken = fc.sample(fc.tuple(schemaFile, spoiling, fc.boolean()), STARTS);
  for (const [{ text, columnLines }, spoil, isConfig] of broken) {
    const at = columnLines[0] ?? 1;
    const spoiled = text.split('\n').map((line, index) => (index === at - 1 ? spoil(line) : line));
    const file = join(place.folder, isConfig ? 'config.yaml' : 'schema.yaml');
    writeFileSync(file, spoiled.join('\n'));
    const flag = isConfig ? '--config' : '--schema';
    const ended = await run(['cluster', '--url', sandbox.url, flag, file], place);
    assert.equal(ended.code, 2, `${spoiled.join('\n')}\n${ended.stderr}`);
    assert.equal(ended.stdout, '');
    for (const line of ended.stderr.trim().split('\n'))
      assert.match(
        line,
        /^(crategen: .+(:\d+:\d+: .+|: .+)| {2}crategen cluster --help lists .*)$/,
        ended.stderr,
      );
    assert.doesNotMatch(ended.stderr, /\n\s+at /);
    assert.ok(!existsSync(join(place.folder, 'crategen')));
  }
  assert.deepEqual([sandbox.stats().tables, sandbox.stats().requests], [{}, 0]);
});

test('a place for the run file that takes no byte is told before the run, and nothing is made', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const folders = [
    join(place.folder, 'none', 'run.json'),
    place.folder,
    ...(existsSync('/dev/full') ? ['/dev/full'] : []),
  ];
  for (const out of folders) {
    const ended = await run(
      ['cluster', '--url', sandbox.url, '--rows', '100', '--live', 'off', '--out', out],
      place,
    );
    assert.ok(ended.code === 1 || ended.code === 2, `${ended.code} ${ended.stderr}`);
    assert.match(ended.stderr, /^crategen: cannot write /m);
  }
  assert.deepEqual(sandbox.stats().tables, {});
});

test('a place that goes while the run takes place costs exit 1, and the run file is on stderr', async (context) => {
  const [place, sandbox] = [await home(context), await sandboxFor(context)];
  const folder = join(place.folder, 'out');
  mkdirSync(folder);
  const args = ['--rows', '2k', '--rate', '1k', '--batch-size', '100', '--out', join(folder, 'run.json')];
  const command = crategen(['cluster', '--url', sandbox.url, ...args], place);
  await command.line(/phase=running/);
  rmSync(folder, { recursive: true });
  const ended = await command.ended;
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(ended.stderr, /cannot write .*run\.json/);
  const document = /\{\s*"format": ?"crategen\.run\/1"[^]*\}/.exec(ended.stderr)?.[0] ?? '';
  assert.equal((JSON.parse(document) as { ledger: { acknowledged: number } }).ledger.acknowledged, 2000);
});
