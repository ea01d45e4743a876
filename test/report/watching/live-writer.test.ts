/** The drawing of the live screen, on a small terminal made for it: what stands on it, and how it is left. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import {
  type LiveScreen,
  type ScreenInput,
  createLiveScreen,
} from '../../../src/report/watching/live-writer.ts';
import { HandClock } from '../../support/hand-clock.ts';
import { SmallTerminal } from './small-terminal.ts';
import { sampleSnapshot, sampleState } from '../samples.ts';

class Keyboard extends EventEmitter implements ScreenInput {
  isRaw = false;
  isReading = false;
  keepsAlive = true;
  setRawMode = (raw: boolean): void => void (this.isRaw = raw);
  resume = (): this => ((this.isReading = true), this);
  pause = (): this => ((this.isReading = false), this);
  ref = (): void => void (this.keepsAlive = true);
  unref = (): void => void (this.keepsAlive = false);
  type(keys: string): void {
    this.emit('data', Buffer.from(keys));
  }
}

let terminal: SmallTerminal;
let keyboard: Keyboard;
let clock: HandClock;
let host: EventEmitter;
let isForeground: boolean;
let calls: string[];
let screen: LiveScreen;

beforeEach(() => {
  [keyboard, clock, host] = [new Keyboard(), new HandClock(), new EventEmitter()];
  [isForeground, calls] = [true, []];
  openOn(new SmallTerminal());
});
afterEach(() => screen.close());

test('frames are drawn in place, and a shorter one leaves nothing of a longer one', async () => {
  tick(8);
  assert.match(terminal.text, /^crategen cluster .*00:42\n/);
  await clock.pass(250);
  tick(2, 43_000);
  assert.match(terminal.text, /^crategen cluster .*00:43\n/);
  assert.equal(terminal.text.match(/crategen cluster/g)?.length, 1);
  assert.doesNotMatch(terminal.text, /8123/);
});

test('no more than four frames a second are drawn, and the last state is not lost', async () => {
  for (let ms = 0; ms < 1000; ms += 20) {
    tick(2, 42_000 + ms);
    await clock.pass(20);
  }
  assert.ok(terminal.writes <= 5, `${terminal.writes} frames`);
  tick(2, 99_000);
  await clock.pass(250);
  assert.match(terminal.text, /01:39/);
});

test('frames that take long to make are drawn less often, and a key does not wait for them', async () => {
  screen.close();
  openOn(new SmallTerminal(), 6);
  for (let ms = 0; ms < 3000; ms += 50) {
    tick(8, 42_000 + ms);
    await clock.pass(50);
  }
  assert.equal(terminal.writes, 5, 'at once, then each 600 ms');
  await clock.pass(300);
  keyboard.type('?');
  assert.match(terminal.text, /all errors, with an example each/);
});

test('every frame is one synchronized update with the cursor hidden and wrapping restored', () => {
  const frames: string[] = [];
  terminal.write = (text) => frames.push(text) > 0;
  tick(2);
  assert.match(frames[0] ?? '', /^\u001b\[\?2026h\u001b\[\?25l.*\u001b\[\?7l.*\u001b\[\?7h\u001b\[\?2026l$/s);
});

test('notes stay above the frame, in their order', async () => {
  tick(2);
  note('worker 1 died');
  note('worker 1 replaced');
  await clock.pass(250);
  tick(2, 43_000);
  assert.match(
    terminal.text,
    /^t=1s workerDied: worker 1 died\nt=1s workerDied: worker 1 replaced\ncrategen cluster .*00:43\n/,
  );
});

test('lines can be printed before the first frame, above it, and after the end', () => {
  screen.print('before');
  tick(2);
  screen.print('between\n');
  screen.close();
  screen.print('after');
  assert.equal(terminal.text, 'before\nbetween\nafter');
});

test('the end takes the frame away and gives back cursor, wrapping, raw mode and listeners', () => {
  terminal.write('$ crategen\r\n');
  tick(8);
  assert.equal(terminal.modes.get('25'), false);
  screen.close();
  screen.close();
  assert.equal(terminal.text, '$ crategen');
  assert.deepEqual([...terminal.modes.values()], [true, true, false]);
  assert.deepEqual([keyboard.isRaw, keyboard.isReading, keyboard.keepsAlive], [false, false, true]);
  assert.equal(
    keyboard.listenerCount('data') + host.listenerCount('exit') + host.listenerCount('SIGCONT'),
    0,
  );
  assert.equal(terminal.listenerCount('resize') + terminal.listenerCount('drain'), 0);
});

test('a crash leaves the terminal as it was', () => {
  tick(2);
  host.emit('exit');
  assert.equal(keyboard.isRaw, false);
  assert.equal(terminal.modes.get('25'), true);
});

test('keys alone do not keep the process alive', () => {
  assert.deepEqual([keyboard.isRaw, keyboard.keepsAlive], [true, false]);
});

test('q and Ctrl-C stop, each time they are pressed', () => {
  keyboard.type('q');
  keyboard.type('\u0003');
  keyboard.type('x\u001b[A\u001b[200~');
  assert.deepEqual(calls, ['stop', 'stop']);
});

test('pasted text is not taken for keys', () => {
  keyboard.type('a question that holds a q');
  assert.deepEqual(calls, []);
});

test('keys change the view', async () => {
  const press = async (key: string): Promise<string> => {
    await clock.pass(250);
    keyboard.type(key);
    return terminal.text;
  };
  const errors = [{ class: 'timeout', code: null, rows: 4, batches: 4, example: 'no reply' }];
  screen.observer({ kind: 'tick', state: sampleState(2, { total: sampleSnapshot({ errors }) }) });
  assert.match(await press('s'), /s sort: rows\/s/);
  assert.match(await press('s'), /s sort: cpu/);
  assert.match(await press('e'), /in 4 attempts/);
  assert.match(await press('?'), /all errors, with an example each/);
  assert.match(await press('\u001b'), /^ {2}0 .*8121/m);
});

test('a terminal that takes no more gets no more frames until it does', async () => {
  terminal.takesMore = false;
  tick(2);
  for (let frame = 0; frame < 20; frame += 1) {
    await clock.pass(250);
    tick(2, 43_000 + frame);
  }
  assert.equal(terminal.writes, 1);
  terminal.takesMore = true;
  terminal.emit('drain');
  assert.equal(terminal.writes, 2);
});

test('a terminal that is gone is not written to, and the run is not disturbed', async () => {
  tick(2);
  terminal.emit('error', new Error('write EIO'));
  await clock.pass(250);
  tick(2, 43_000);
  note('still here');
  screen.close();
  assert.equal(terminal.writes, 1);
  terminal.emit('error', new Error('write EIO'));
});

test('a resize draws at the new width, over the rows the old frame was broken into', async () => {
  terminal.write('$ crategen\r\n');
  tick(2);
  assert.match(terminal.text, /restarts/);
  terminal.resize(200, 30);
  await clock.pass(250);
  assert.match(terminal.text, /^\$ crategen\ncrategen cluster/);
  assert.equal(terminal.text.match(/parent/g)?.length, 1);
});

test('a frame is written over cell by cell, so that no terminal shows it half erased', async () => {
  tick(8);
  await clock.pass(250);
  const written: string[] = [];
  const write = terminal.write.bind(terminal);
  terminal.write = (text) => (written.push(text), write(text));
  tick(8, 43_000);
  assert.match(terminal.text, /00:43/);
  assert.doesNotMatch(written.join(''), /\u001b\[\d+M/, 'no row is deleted');
});

test('a terminal that loses height and gets it back has one frame and what was there before', async () => {
  terminal.write('$ crategen\r\n');
  tick(8);
  for (const rows of [12, 5, 1, 2, 8, 40]) {
    terminal.resize(100, rows);
    await clock.pass(250);
    tick(8, 43_000 + rows);
    await clock.pass(250);
  }
  assert.match(terminal.text, /^\$ crategen\ncrategen cluster/);
  assert.equal(terminal.text.match(/running  00:4/g)?.length, 1);
  screen.close();
  assert.equal(terminal.text, '$ crategen');
});

test('on a terminal of one line the line is written over, and nothing scrolls away', async () => {
  openOn(new SmallTerminal(80, 1));
  for (let frame = 0; frame < 8; frame += 1) {
    tick(8, 42_000 + frame * 1000);
    await clock.pass(250);
  }
  assert.match(terminal.text, /^[^\n]*running {2}00:49$/);
});

for (const [what, widths] of [
  ['loses and wins height, no more than one frame is seen', { min: 100, max: 100 }],
  ['is resized, what was there before stays', { min: 20, max: 130 }],
] as const) {
  test(`however often a terminal ${what}`, async () => {
    const step = fc.oneof(
      fc.record({ columns: fc.integer(widths), rows: fc.integer({ min: 1, max: 45 }) }),
      fc.record({ workers: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ key: fc.constantFrom('e', '?', 's', '\u001b[B') }),
    );
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      fc.boolean(),
      async (steps, bringsBack) => {
        openOn(new SmallTerminal(100, 24, { bringsBack }));
        terminal.write('$ first\r\n$ crategen\r\n');
        tick(4);
        for (const each of steps) {
          if ('columns' in each) terminal.resize(each.columns, each.rows);
          else if ('workers' in each) tick(each.workers);
          else keyboard.type(each.key);
          await clock.pass(250);
        }
        terminal.resize(100, 90);
        await clock.pass(250);
        assert.match(terminal.text, /^\$ first\n\$ crategen\n/);
        if (widths.min === widths.max)
          assert.equal(terminal.screen.match(/running {2}00:42/g)?.length, 1, terminal.screen);
      },
    );
    await fc.assert(
      property.beforeEach(() => screen.close()),
      { numRuns: 50 },
    );
  });
}

test('Ctrl-Z gives the terminal back before the process stops, and the screen returns with it', async () => {
  terminal.write('$ crategen\r\n');
  tick(2);
  keyboard.type('\u001a');
  assert.deepEqual(calls, ['suspend raw=false text="$ crategen"']);
  assert.equal(terminal.modes.get('25'), true);
  await clock.pass(1000);
  host.emit('SIGCONT');
  assert.equal(keyboard.isRaw, true);
  assert.match(terminal.text, /^\$ crategen\ncrategen cluster/);
});

test('SIGTSTP from elsewhere gives the terminal back, and is heard again after the process has gone on', async () => {
  terminal.write('$ crategen\r\n');
  tick(2);
  host.emit('SIGTSTP');
  // Nobody listens while it stops: the kernel then does what it does to every process.
  assert.deepEqual(calls, ['stopped raw=false text="$ crategen" listening=0']);
  assert.equal(host.listenerCount('SIGTSTP'), 1);
  await clock.pass(1000);
  host.emit('SIGCONT');
  assert.equal(keyboard.isRaw, true);
  assert.match(terminal.text, /^\$ crategen\ncrategen cluster/);
  screen.close();
  assert.equal(host.listenerCount('SIGTSTP'), 0);
});

test('arrows and page keys scroll the workers, no further than there are any, however long they are held', async () => {
  const first = async (key: string): Promise<string | undefined> => {
    await clock.pass(250);
    keyboard.type(key);
    await clock.pass(250);
    return terminal.text.match(/^ {2}(\d+) /m)?.[1];
  };
  terminal.resize(80, 24);
  screen.observer({ kind: 'tick', state: sampleState(128, { server: null, verdict: null }) });
  assert.equal(await first('\u001b[B'), '1');
  assert.equal(await first('\u001bOB'), '2');
  assert.equal(await first('\u001b[B'.repeat(20)), '22');
  assert.equal(await first('\u001b[5~'), '9');
  assert.equal(await first('\u001b[F'), '115');
  assert.equal(await first('\u001b[6~'), '115');
  assert.equal(await first('\u001b[A'), '114');
  assert.equal(await first('\u001b[H'), '0');
  assert.equal(await first('\u001b[6~'), '13');
  assert.equal(await first('s'), '127');
  assert.deepEqual(calls, []);
});

test('in the background nothing is drawn and the mode of the terminal is not touched', async () => {
  tick(2);
  keyboard.type('\u001a');
  isForeground = false;
  host.emit('SIGCONT');
  const before = terminal.text;
  await clock.pass(250);
  tick(2, 43_000);
  assert.equal(terminal.text, before);
  assert.equal(keyboard.isRaw, false);
  isForeground = true;
  await clock.pass(250);
  tick(2, 44_000);
  assert.match(terminal.text, /00:44/);
  assert.equal(keyboard.isRaw, true);
});

/** A screen on this terminal, each frame of which takes so long to make. */
function openOn(on: SmallTerminal, frameMs = 0): void {
  terminal = on;
  screen = createLiveScreen({
    output: terminal,
    input: keyboard,
    host,
    clock,
    size: () => {
      clock.nowMs += frameMs;
      return { columns: terminal.columns, rows: terminal.rows, colour: false, unicode: true };
    },
    isForeground: () => isForeground,
    onStop: () => calls.push('stop'),
    stopProcess: () =>
      calls.push(
        `stopped raw=${keyboard.isRaw} text=${JSON.stringify(terminal.text)} listening=${host.listenerCount('SIGTSTP')}`,
      ),
    onSuspend: () => calls.push(`suspend raw=${keyboard.isRaw} text=${JSON.stringify(terminal.text)}`),
  });
}

function tick(workers: number, elapsedMs = 42_000): void {
  screen.observer({ kind: 'tick', state: sampleState(workers, { elapsedMs }) });
}

function note(message: string): void {
  screen.observer({ kind: 'note', level: 'info', event: 'workerDied', message, atMs: 1000 });
}
