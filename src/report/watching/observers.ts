/** Chooses how a run is watched: the live screen, lines, or nothing; by flags, terminal and environment. */
import { type Clock, systemClock } from '../../base/clock.ts';
import type { RunObserver } from '../../coordinator/run-state.ts';
import { createLineLog, renderNote } from './line-log.ts';
import { type ScreenHost, type ScreenInput, type ScreenOutput, createLiveScreen } from './live-writer.ts';
import {
  type Environment,
  type OutputFacts,
  isAnimated,
  isContinuousIntegration,
  isForeground,
  rowsOf,
  textViewOf,
} from '../terminal.ts';

export interface ObserverOptions {
  readonly live: 'auto' | 'screen' | 'lines' | 'off';
  readonly stderr: ScreenOutput & OutputFacts;
  readonly env: Environment;
  readonly logFormat: 'text' | 'json';
  /** Nothing at all until the summary. */
  readonly quiet: boolean;
  /** What the screen uses of this process; given by tests. */
  readonly terminal?: TerminalAccess;
}

/** The parts of the process that the screen needs beside stderr. */
interface TerminalAccess {
  readonly input: ScreenInput | null;
  readonly host: ScreenHost;
  readonly clock: Clock;
  readonly isForeground: () => boolean;
  readonly suspend: () => void;
  readonly stop: () => void;
}

/** A run under observation. */
export interface Watching {
  readonly observer: RunObserver;
  /** Writes a line for people to stderr without tearing the screen: status, batch outcomes. */
  print(text: string): void;
  /** Gives the terminal back; to be called in every case, and before the summary. */
  close(): void;
}

/** Time between two lines of progress. */
const LINE_EVERY_MS = 10_000;

/**
 * The observer for a run. A screen needs a terminal that can be drawn over and this process in its foreground;
 * `auto` takes lines on build servers and for JSON. `onStop` is called for `q` and Ctrl-C on the screen, where
 * the terminal sends no signal.
 */
export function chooseObserver(options: ObserverOptions, onStop: () => void): Watching {
  const print = (text: string): void => {
    options.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
  };
  const nothing = (): void => undefined;
  if (options.quiet) return { observer: nothing, print, close: nothing };
  const access = options.terminal ?? ownTerminal();
  switch (surfaceOf(options, access)) {
    case 'screen':
      return createLiveScreen({
        ...access,
        output: options.stderr,
        size: () => ({ ...textViewOf(options.stderr, options.env), rows: rowsOf(options.stderr) }),
        onStop,
        onSuspend: access.suspend,
        stopProcess: access.stop,
      });
    case 'lines':
      return {
        observer: createLineLog({ write: print, format: options.logFormat, everyMs: LINE_EVERY_MS }),
        print,
        close: nothing,
      };
    case 'off':
      return { observer: troubleOnly(print), print, close: nothing };
  }
}

function surfaceOf(options: ObserverOptions, access: TerminalAccess): 'screen' | 'lines' | 'off' {
  const { live, stderr, env, logFormat } = options;
  if (live === 'off' || live === 'lines') return live;
  const canDraw = isAnimated(stderr, env) && logFormat === 'text' && access.isForeground();
  if (!canDraw) return 'lines';
  return live === 'auto' && isContinuousIntegration(env) ? 'lines' : 'screen';
}

/** Whoever wants no progress still wants to know why nothing moves. */
function troubleOnly(print: (text: string) => void): RunObserver {
  return (event) => {
    if (event.kind === 'note' && event.level !== 'info') print(renderNote(event));
  };
}

function ownTerminal(): TerminalAccess {
  return {
    input: process.stdin.isTTY ? process.stdin : null,
    host: process,
    clock: systemClock,
    isForeground: () => isForeground(),
    // 0 is this process group: as the terminal itself does for Ctrl-Z.
    suspend: () => void process.kill(0, 'SIGTSTP'),
    stop: () => void process.kill(process.pid, 'SIGTSTP'),
  };
}
