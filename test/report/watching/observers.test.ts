/** Which surface a run gets, and that none of them writes what it must not. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { type ObserverOptions, chooseObserver } from '../../../src/report/watching/observers.ts';
import { sampleState } from '../samples.ts';

class Stream extends EventEmitter {
  isTTY: boolean;
  columns = 100;
  rows = 30;
  text = '';
  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

const TERMINAL_ENV = { TERM: 'xterm-256color', LANG: 'C.UTF-8' };

test('auto takes the screen on a watched terminal and lines everywhere else', () => {
  const cases = [
    [{}, true, 'screen'],
    [{ CI: 'true' }, true, 'lines'],
    [{ TERM: 'dumb' }, true, 'lines'],
    [{}, false, 'lines'],
  ] as const;
  for (const [env, isTTY, expected] of cases)
    assert.equal(surface({ env, isTTY }), expected, JSON.stringify(env));
  assert.equal(surface({ isForeground: false }), 'lines');
  assert.equal(surface({ logFormat: 'json' }), 'lines');
});

test('a screen that is asked for still needs a terminal, but no watcher', () => {
  assert.equal(surface({ live: 'screen', env: { CI: 'true' } }), 'screen');
  assert.equal(surface({ live: 'screen', isTTY: false }), 'lines');
});

test('lines are lines on a terminal too, and hold no escape code even when colour is forced', () => {
  const text = written({ live: 'lines', env: { FORCE_COLOR: '1' } });
  assert.match(text, /^crategen cluster run-id=/);
  assert.doesNotMatch(text, /[\u001b\r]/);
});

test('off is silent but for trouble, and quiet altogether', () => {
  assert.equal(written({ live: 'off' }), 't=1s warning outage: nobody answers\n');
  assert.equal(written({ quiet: true }), '');
});

interface Case {
  readonly live?: ObserverOptions['live'];
  readonly env?: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
  readonly isForeground?: boolean;
  readonly logFormat?: 'text' | 'json';
  readonly quiet?: boolean;
}

function surface(options: Case): 'screen' | 'lines' {
  const text = written(options);
  return text.includes('\u001b[?2026h') ? 'screen' : 'lines';
}

/** What reaches stderr for one tick, one piece of news and one piece of trouble. */
function written(options: Case): string {
  const stderr = new Stream(options.isTTY ?? true);
  const watching = chooseObserver(
    {
      live: options.live ?? 'auto',
      stderr,
      env: { ...TERMINAL_ENV, ...options.env },
      logFormat: options.logFormat ?? 'text',
      quiet: options.quiet ?? false,
      terminal: {
        input: null,
        host: new EventEmitter(),
        clock: systemClock,
        isForeground: () => options.isForeground ?? true,
        suspend: () => assert.fail('nobody pressed Ctrl-Z'),
        stop: () => assert.fail('nobody stopped it'),
      },
    },
    () => assert.fail('nobody pressed q'),
  );
  watching.observer({ kind: 'tick', state: sampleState(1) });
  watching.observer({ kind: 'note', level: 'info', event: 'tableCreated', message: 'created', atMs: 1000 });
  watching.observer({
    kind: 'note',
    level: 'warning',
    event: 'outage',
    message: 'nobody answers',
    atMs: 1000,
  });
  watching.close();
  return stderr.text;
}
