/** Completion scripts are valid for their shell and complete what the commands have. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type CompletableCommand, completionScript } from '../../src/cli/completion.ts';
import { folderFor } from '../support/folder.ts';

const COMMANDS: readonly CompletableCommand[] = [
  {
    id: 'cluster',
    summary: "Insert rows: it's quick",
    flags: {
      rows: { type: 'option', summary: 'The total (1m)' },
      live: { type: 'option', summary: 'While it runs' },
      key: { type: 'boolean', allowNo: true, summary: 'Key' },
      secret: { type: 'option', hidden: true },
    },
  },
  { id: 'schema:ddl', summary: 'Its DDL', flags: { table: { type: 'option' } } },
  { id: 'schema:list', summary: 'All', flags: {} },
  { id: 'ghost', hidden: true, flags: {} },
];

function has(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

/** What bash offers for a line that ends behind its last word. */
function bashOffers(...words: string[]): readonly string[] {
  const script = `${completionScript('bash', COMMANDS)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _crategen; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'crategen', ...words], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('in bash', () => {
  it('commands, commands of a topic, flags and their values are completed, hidden ones are not', () => {
    assert.deepEqual(bashOffers(''), ['cluster', 'schema']);
    assert.deepEqual(bashOffers('cl'), ['cluster']);
    assert.deepEqual(bashOffers('schema', ''), ['ddl', 'list']);
    assert.deepEqual(bashOffers('cluster', '--'), ['--rows', '--live', '--key', '--no-key', '--help']);
    assert.deepEqual(bashOffers('schema', 'ddl', '--t'), ['--table']);
    assert.deepEqual(bashOffers('cluster', '--rows', '5', '--live', 's'), ['screen']);
  });
});

describe('in zsh and fish', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    it(
      `the script for ${shell} is accepted by it`,
      { skip: has(shell) ? false : `${shell} is not installed` },
      (context) => {
        const folder = folderFor(context);
        writeFileSync(join(folder, 'script'), completionScript(shell, COMMANDS));
        const { status, stderr } = spawnSync(shell, ['-n', join(folder, 'script')], { encoding: 'utf8' });
        assert.deepEqual([status, stderr], [0, '']);
      },
    );
  }

  it('flags are offered under their command', () => {
    assert.ok(
      completionScript('fish', COMMANDS).includes(
        "complete -c crategen -n '__fish_seen_subcommand_from cluster' -l 'rows' -d 'The total'",
      ),
    );
    assert.ok(completionScript('zsh', COMMANDS).includes("'--rows:The total'"));
  });
});
