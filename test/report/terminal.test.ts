/** What a stream can show, by the conventions people rely on. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  isAnimated,
  isContinuousIntegration,
  isForeground,
  rowsOf,
  textViewOf,
} from '../../src/report/terminal.ts';

const TTY = { isTTY: true, columns: 120, rows: 40 };
const PIPE = {};

test('colours are for terminals, unless NO_COLOR, TERM=dumb or FORCE_COLOR say otherwise', () => {
  const cases = [
    [TTY, {}, true],
    [PIPE, {}, false],
    [TTY, { NO_COLOR: '1' }, false],
    [TTY, { NO_COLOR: '' }, true],
    [TTY, { TERM: 'dumb' }, false],
    [PIPE, { FORCE_COLOR: '1' }, true],
    [PIPE, { FORCE_COLOR: '' }, true],
    [TTY, { FORCE_COLOR: '0' }, false],
    [TTY, { FORCE_COLOR: 'false' }, false],
    [TTY, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ] as const;
  for (const [stream, env, expected] of cases) {
    assert.equal(textViewOf(stream, env).colour, expected, JSON.stringify(env));
  }
});

test('the first locale variable that is set decides about UTF-8', () => {
  const cases = [
    [{ LANG: 'en_US.UTF-8' }, true],
    [{ LANG: 'C.utf8' }, true],
    [{ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, false],
    [{ LC_ALL: '', LC_CTYPE: 'de_DE.UTF-8', LANG: 'C' }, true],
    [{}, false],
  ] as const;
  for (const [env, expected] of cases)
    assert.equal(textViewOf(TTY, env).unicode, expected, JSON.stringify(env));
});

test('lines are as wide as the terminal or COLUMNS, whichever is narrower, and 100 without either', () => {
  const cases = [
    [TTY, {}, 120],
    [TTY, { COLUMNS: '80' }, 80],
    [TTY, { COLUMNS: '200' }, 120],
    [PIPE, { COLUMNS: '200' }, 200],
    [PIPE, { COLUMNS: 'wide' }, 100],
    [PIPE, { COLUMNS: '1' }, 20],
    [{ isTTY: true, columns: 0 }, {}, 100],
  ] as const;
  for (const [stream, env, expected] of cases)
    assert.equal(textViewOf(stream, env).columns, expected, JSON.stringify(env));
  assert.equal(rowsOf(TTY), 40);
  assert.equal(rowsOf({ isTTY: true, rows: 0 }), 24);
});

test('only a terminal that is not dumb is drawn over, and CI is not watched', () => {
  assert.equal(isAnimated(TTY, { TERM: 'xterm' }), true);
  assert.equal(isAnimated(TTY, { TERM: 'dumb' }), false);
  assert.equal(isAnimated(PIPE, {}), false);
  for (const value of ['true', '1', 'yes']) assert.equal(isContinuousIntegration({ CI: value }), true);
  for (const value of [undefined, '', 'false', '0'])
    assert.equal(isContinuousIntegration({ CI: value }), false);
});

test('a process in the background of its terminal knows it, whatever its name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'crategen-stat-'));
  const stat = (ownGroup: number, foregroundGroup: number): string => {
    const path = join(folder, 'stat');
    writeFileSync(path, `42 (no) de ) S) S 1 ${ownGroup} 30 34816 ${foregroundGroup} 4194304 0`);
    return path;
  };
  assert.equal(isForeground(stat(50, 50)), true);
  assert.equal(isForeground(stat(50, 60)), false);
  assert.equal(isForeground(stat(50, -1)), true);
  assert.equal(isForeground(join(folder, 'missing')), true);
  rmSync(folder, { recursive: true });
});
