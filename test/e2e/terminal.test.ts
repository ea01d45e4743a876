/**
 * The live screen on a real terminal: a pty of util-linux's `script`, which is as it was before after every kind of end,
 * and tmux, which is resized while it is drawn on.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import type { Sandbox } from '../../src/sandbox/server.ts';
import { BIN, home } from '../support/built-command.ts';
import { sandboxFor } from '../support/sandbox.ts';
import { HANGS_AFTER_MS, until } from '../support/until.ts';

const HAS_TMUX = spawnSync('tmux', ['-V']).status === 0;
const HAS_SCRIPT = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '');

interface Terminal {
  /** The process that draws on it. */
  readonly pid: () => number;
  type(keys: string): void;
  /** Resolves when it has shown what matches. */
  shows(pattern: RegExp): Promise<void>;
  /** Everything that was written, when the shell on it has ended. */
  readonly ended: Promise<string>;
}

/** A shell on a terminal of 80 by 24 that runs crategen and then says its exit code and the terminal's modes. */
async function terminalFor(
  context: TestContext,
  sandbox: Sandbox,
  options: { readonly before?: string; readonly nodeArgs?: string } = {},
): Promise<Terminal> {
  const { env } = await home(context);
  const command = `"${process.execPath}" ${options.nodeArgs ?? ''} "${BIN}" cluster --url ${sandbox.url} --procs 2 --duration 40s --rate 2k`;
  const lines = ['stty cols 80 rows 24', options.before ?? ':', command, 'echo "code=$?"', 'stty -a'];
  const child: ChildProcess = spawn('script', ['-qefc', lines.join('; '), '/dev/null'], {
    env: {
      ...process.env,
      ...env,
      COLUMNS: '',
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      LC_ALL: 'C.UTF-8',
      CI: '',
      SHELL: '/bin/sh',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: HANGS_AFTER_MS,
  });
  context.after(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (more: string) => (text += more));
  return {
    pid: () => Number(/parent +(\d+)/.exec(text)?.[1]),
    type: (keys) => void child.stdin?.write(keys),
    shows: (pattern) => until(() => pattern.test(text)),
    ended: new Promise((resolve) => child.on('close', () => resolve(text))),
  };
}

/** Cursor shown, lines wrapped, no synchronized update open, and the modes of a shell. */
function assertRestored(text: string): void {
  for (const [mode, setting] of [
    ['25', 'h'],
    ['7', 'h'],
    ['2026', 'l'],
  ] as const) {
    const last = [...text.matchAll(new RegExp(`\\u001b\\[\\?${mode}([hl])`, 'g'))].at(-1)?.[1];
    assert.equal(last, setting, `mode ${mode}`);
  }
  assert.match(text, /code=\d+\r\n[^]*[\s;]icanon[\s;]/);
  assert.match(text, /[\s;]isig[\s;]/);
  assert.match(text, /[\s;]echo[\s;]/);
  assert.doesNotMatch(text, /\u001b\[\?1049h/, 'no alternate screen');
}

const codeOf = (text: string): number => Number(/code=(\d+)/.exec(text)?.[1]);
/** For a second at least, however late it is looked at. */
const RUNNING = /running {2}00:(?!00)\d\d/;

describe(
  'the live screen on a real terminal',
  { skip: HAS_SCRIPT ? false : 'no script of util-linux' },
  () => {
    const ends: readonly (readonly [string, (terminal: Terminal) => void, number])[] = [
      ['q', (terminal) => terminal.type('q'), 130],
      ['Ctrl-C', (terminal) => terminal.type('\u0003'), 130],
      ['SIGTERM', (terminal) => void process.kill(terminal.pid(), 'SIGTERM'), 143],
      ['an accident', (terminal) => void process.kill(terminal.pid(), 'SIGUSR1'), 1],
    ];
    for (const [what, end, code] of ends) {
      it(`is as it was after ${what}`, async (context) => {
        const sandbox = await sandboxFor(context);
        const accident = `process.on('SIGUSR1', () => { throw new TypeError('an accident'); });`;
        const nodeArgs =
          what === 'an accident' ? `--import "data:text/javascript,${encodeURIComponent(accident)}"` : '';
        const terminal = await terminalFor(context, sandbox, { nodeArgs });
        await terminal.shows(RUNNING);
        end(terminal);
        const text = await terminal.ended;
        assert.equal(codeOf(text), code, text.slice(-2000));
        assertRestored(text);
      });
    }

    it('is given back while a SIGTSTP from elsewhere holds the process', async (context) => {
      const sandbox = await sandboxFor(context);
      // A shell with job control goes on when its command is stopped.
      const terminal = await terminalFor(context, sandbox, { before: 'set -m' });
      await terminal.shows(RUNNING);
      process.kill(terminal.pid(), 'SIGTSTP');
      await terminal.shows(/code=148/);
      assertRestored(await terminal.ended);
    });
  },
);

describe('the live screen in tmux', { skip: HAS_TMUX ? false : 'no tmux' }, () => {
  it('has one frame, whole lines and what was there before, whatever the size goes through', async (context) => {
    const sandbox = await sandboxFor(context);
    const { env, folder } = await home(context);
    const server = join(folder, 'tmux');
    const tmux = (...args: string[]): string =>
      spawnSync('tmux', ['-S', server, '-f', '/dev/null', ...args], {
        encoding: 'utf8',
        env: { ...process.env, ...env, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', CI: '', COLUMNS: '' },
      }).stdout;
    const seen = (): string => tmux('capture-pane', '-p', '-t', 'run').trimEnd();
    context.after(() => void tmux('kill-server'));
    const command = `echo before; "${process.execPath}" "${BIN}" cluster --url ${sandbox.url} --procs 2 --duration 50s --rate 1k; sleep 60`;
    tmux('new-session', '-d', '-s', 'run', '-x', '100', '-y', '30', command);
    await until(() => RUNNING.test(seen()));
    const resized = async (columns: number, rows: number): Promise<void> => {
      tmux('resize-window', '-t', 'run', '-x', String(columns), '-y', String(rows));
      // A frame may be on its way that is drawn for the size before; the one of another second is not.
      const clocks = new Set<string>();
      await until(() => {
        const lines = seen().split('\n');
        const [clock] = lines.flatMap((line) => /running {2}(\d\d:\d\d)( \/ 00:50)?$/.exec(line)?.[1] ?? []);
        if (clock !== undefined) clocks.add(clock);
        return clocks.size > 2 && lines.every((line) => line.length <= columns);
      });
    };
    for (const [columns, rows] of [
      [100, 8],
      [100, 12],
      [100, 1],
      [200, 60],
    ] as const)
      await resized(columns, rows);
    await until(() => /^ {2}parent/m.test(seen()));
    assert.match(seen(), /^before\n/);
    assert.equal(seen().match(/running {2}00:/g)?.length, 1, seen());
    // Lines that are broken over the edge of the screen stay in part: tmux does not join what is drawn after them.
    await resized(40, 12);
    assert.match(tmux('capture-pane', '-p', '-S', '-', '-t', 'run'), /^before\n/);
    tmux('send-keys', '-t', 'run', 'q');
    await until(() => /^again /m.test(seen()));
    assert.doesNotMatch(seen(), /q stop/);
  });
});
