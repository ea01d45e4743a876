/**
 * Draws the live screen on a terminal and listens to its keys: the only impure part of the screen. Frames are
 * written over each other in place, at most four a second, inside synchronized output, on the normal screen, so
 * that what was there before stays in the scrollback.
 */
import type { Clock } from '../../base/clock.ts';
import type { RunEvent, RunObserver, RunState } from '../../coordinator/run-state.ts';
import { type LiveSort, type LiveView, LIVE_SORTS, renderLiveScreen, scrollRange } from './live-screen.ts';
import { renderNote } from './line-log.ts';
import { STYLE_CODE, textWidth } from '../styled-text.ts';

/** What is used of `process.stderr`. */
export interface ScreenOutput {
  write(text: string): boolean;
  on(event: 'resize' | 'drain' | 'error', listener: () => void): unknown;
  off(event: 'resize' | 'drain' | 'error', listener: () => void): unknown;
}

/** What is used of `process.stdin`, when it is a terminal. */
export interface ScreenInput {
  setRawMode(raw: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  off(event: 'data', listener: (chunk: Buffer) => void): unknown;
  /** Keys alone must not keep the process alive. */
  unref(): unknown;
  ref(): unknown;
}

/** What is used of `process`. */
export interface ScreenHost {
  on(event: 'exit' | 'SIGCONT' | 'SIGTSTP', listener: () => void): unknown;
  off(event: 'exit' | 'SIGCONT' | 'SIGTSTP', listener: () => void): unknown;
}

export interface LiveScreenOptions {
  readonly output: ScreenOutput;
  /** Null: no keys. */
  readonly input: ScreenInput | null;
  readonly host: ScreenHost;
  readonly clock: Clock;
  /** Asked before each frame: the terminal may have been resized. */
  readonly size: () => Pick<LiveView, 'columns' | 'rows' | 'colour' | 'unicode'>;
  /** Asked before the terminal's mode is touched: in the background that would stop the process. */
  readonly isForeground: () => boolean;
  /** `q` or Ctrl-C. */
  readonly onStop: () => void;
  /** Ctrl-Z, after the terminal is as it was: stops the process group as the terminal would have done. */
  readonly onSuspend: () => void;
  /** Stops this process as SIGTSTP does by itself, where the kernel lets it; returns when it goes on. */
  readonly stopProcess: () => void;
}

export interface LiveScreen {
  readonly observer: RunObserver;
  /** Writes lines above the screen, where they stay. */
  print(text: string): void;
  /** Removes the screen and gives the terminal back; may be called again. */
  close(): void;
}

/** At most four frames a second; news waits longer where a frame takes more than this share of the time until the next. */
const FRAME_MS = 250;
const FRAME_SHARE = 0.01;
const SLOWEST_FRAME_MS = 1000;
/** More characters at once are a paste, not keys. */
const MAX_KEYS_AT_ONCE = 8;

/** The terminal shows everything between these at once: no flicker. Others ignore them. */
const BEGIN_FRAME = '\u001b[?2026h\u001b[?25l';
const END_FRAME = '\u001b[?2026l';
/** To the end of the line; with the cursor held at the last column, that column too. */
const ERASE_REST = '\u001b[K';
/** A line that is wider than we think must be cut by the terminal, not wrapped: the frame's height is counted on. */
const [NO_WRAP, WRAP] = ['\u001b[?7l', '\u001b[?7h'];
const SHOW_CURSOR = '\u001b[?25h';
/** A character, or an escape sequence: a key that has none, the mouse, a reply of the terminal. */
const KEYS = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|O.|[^[O])?|[^]/g;
/** What the keys that move send, in both modes of a terminal's cursor keys. */
const MOVES: ReadonlyMap<string, (at: number, page: number, most: number) => number> = new Map([
  ...['\u001b[A', '\u001bOA'].map((key) => [key, (at: number) => at - 1] as const),
  ...['\u001b[B', '\u001bOB'].map((key) => [key, (at: number) => at + 1] as const),
  ['\u001b[5~', (at, page) => at - page],
  ['\u001b[6~', (at, page) => at + page],
  ...['\u001b[H', '\u001bOH', '\u001b[1~'].map((key) => [key, () => 0] as const),
  ...['\u001b[F', '\u001bOF', '\u001b[4~'].map(
    (key) => [key, (_at: number, _page: number, most: number) => most] as const,
  ),
]);

/** Takes over the terminal until `close`. */
export function createLiveScreen(options: LiveScreenOptions): LiveScreen {
  return new Screen(options);
}

class Screen implements LiveScreen {
  readonly #options: LiveScreenOptions;
  readonly #ended = new AbortController();
  #state: RunState | null = null;
  /** The frame that stands on the terminal now, and the size that it was drawn for. */
  #frame: Frame = NO_FRAME;
  /**
   * Widths of lines of ours that stand right above the frame, beyond the top: a terminal that loses height moves them
   * into its scrollback, and most bring them back when they grow.
   */
  #pushedOut: readonly number[] = [];
  #drawnAtMs = -Infinity;
  #newsEveryMs = FRAME_MS;
  /** When the next frame is due; infinity when none is. */
  #dueMs = Infinity;
  /** The terminal has not taken the last frame yet: frames are left out, never queued. */
  #isFull = false;
  #isBroken = false;
  #isCursorHidden = false;
  #hasKeys = false;
  #sort: LiveSort = 'index';
  #showErrors = false;
  #showHelp = false;
  #scroll = 0;

  constructor(options: LiveScreenOptions) {
    this.#options = options;
    const { output, host } = options;
    output.on('resize', this.#redraw);
    output.on('drain', this.#onDrain);
    output.on('error', this.#onError);
    host.on('exit', this.close);
    host.on('SIGCONT', this.#onContinue);
    host.on('SIGTSTP', this.#onStopSignal);
    this.#takeKeys();
  }

  readonly observer: RunObserver = (event: RunEvent): void => {
    if (event.kind === 'note') return this.print(`${renderNote(event)}\n`);
    this.#state = event.state;
    this.#drawAt(this.#drawnAtMs + this.#newsEveryMs);
  };

  readonly print = (text: string): void => {
    if (this.#isBroken) return;
    const lines = text.endsWith('\n') ? text : `${text}\n`;
    if (this.#ended.signal.aborted) return void this.#options.output.write(lines);
    const erased = this.#withoutFrame();
    // What is written now stands between them and the frame.
    this.#pushedOut = [];
    if (this.#state !== null && !isForSize(this.#frame, this.#options.size())) {
      this.#frame = this.#rendered(this.#state);
    }
    this.#write(`${erased}${lines.replaceAll('\n', '\r\n')}${drawn(this.#frame)}`);
  };

  readonly close = (): void => {
    if (this.#ended.signal.aborted) return;
    this.#leave();
    this.#ended.abort();
    const { output, host } = this.#options;
    output.off('resize', this.#redraw);
    output.off('drain', this.#onDrain);
    host.off('exit', this.close);
    host.off('SIGCONT', this.#onContinue);
    host.off('SIGTSTP', this.#onStopSignal);
    // The listener for errors stays: an error that is on its way must not become an uncaught one.
  };

  /** For who waits for it, after a key or a resize: now, or when the last frame is old enough. */
  readonly #redraw = (): void => this.#drawAt(this.#drawnAtMs + FRAME_MS);

  #drawAt(atMs: number): void {
    const { clock } = this.#options;
    const waitMs = atMs - clock.monotonicMs();
    if (this.#ended.signal.aborted || atMs >= this.#dueMs) return;
    if (waitMs <= 0) return this.#draw();
    this.#dueMs = atMs;
    void clock.sleep(waitMs, this.#ended.signal).then(() => {
      if (this.#dueMs === atMs) this.#draw();
    });
  }

  #draw(): void {
    this.#dueMs = Infinity;
    const isOver = this.#ended.signal.aborted || this.#isBroken;
    if (isOver || this.#isFull || !this.#options.isForeground()) return;
    this.#takeKeys();
    if (this.#state === null) return;
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const frame = this.#rendered(this.#state);
    // The terminal may break and move what stands on it when its size changes; else it is written over.
    const isInPlace = isForSize(this.#frame, frame);
    this.#write(isInPlace ? drawnOver(this.#frame, frame) : `${this.#withoutFrame()}${drawn(frame)}`);
    this.#frame = frame;
    this.#drawnAtMs = clock.monotonicMs();
    const tookMs = this.#drawnAtMs - startedMs;
    this.#newsEveryMs = Math.min(Math.max(FRAME_MS, tookMs / FRAME_SHARE), SLOWEST_FRAME_MS);
  }

  #rendered(state: RunState): Frame {
    const view = this.#view();
    return { lines: renderLiveScreen(state, view), columns: view.columns, rows: view.rows };
  }

  #view(): LiveView {
    return {
      ...this.#options.size(),
      sort: this.#sort,
      showErrors: this.#showErrors,
      showHelp: this.#showHelp,
      scroll: this.#scroll,
      hasKeys: this.#options.input !== null,
    };
  }

  /**
   * The cursor to where the frame begins, the frame gone. Its rows are deleted, not erased: tmux moves a screen
   * into the scrollback that is erased from its first cell on. No terminal moves the cursor beyond its top.
   */
  #withoutFrame(): string {
    const { columns, rows } = this.#options.size();
    const frame = this.#frame.lines.map(shownWidth);
    const pushedOut = rowsOfAll(this.#pushedOut, columns);
    // The cursor is at the beginning of the row below the frame, or of its only line.
    const atCursor = rowsBelow(this.#frame) === 0 ? rowsOf(frame.at(-1) ?? 0, columns) : 0;
    const above = rowsOfAll(frame, columns) - atCursor;
    // A frame that has pushed lines out begins at the top; what the terminal has grown by they may have filled.
    const most = pushedOut === 0 ? rows : above + Math.max(0, rows - this.#frame.rows);
    const hidden = pushedOut + above - Math.min(most, rows - 1);
    this.#pushedOut = firstLines([...this.#pushedOut, ...frame], columns, hidden);
    const [up, taken] = [pushedOut + above, pushedOut + above + atCursor];
    return `${BEGIN_FRAME}\r${up > 0 ? `\u001b[${up}A` : ''}${taken > 0 ? `\u001b[${taken}M` : ''}`;
  }

  #write(text: string): void {
    if (this.#isBroken) return;
    this.#isCursorHidden = !text.includes(SHOW_CURSOR);
    this.#isFull = !this.#options.output.write(text);
  }

  readonly #onDrain = (): void => {
    this.#isFull = false;
    this.#redraw();
  };

  /** The terminal is gone. What that means for the run is decided elsewhere; here nothing is written any more. */
  readonly #onError = (): void => {
    this.#isBroken = true;
  };

  /** Raw mode, so that single keys arrive; only in the foreground, and only once until `#leave`. */
  #takeKeys(): void {
    const { input, isForeground } = this.#options;
    if (input === null || this.#hasKeys || !isForeground()) return;
    this.#hasKeys = true;
    // Setting a mode that libuv believes to be set does nothing, but a shell may have changed it behind its back.
    input.setRawMode(false);
    input.setRawMode(true);
    input.on('data', this.#onKeys);
    input.resume();
    input.unref();
  }

  /** Removes the frame and gives the terminal back as it was. */
  #leave(): void {
    if (this.#isCursorHidden) this.#write(`${this.#withoutFrame()}${SHOW_CURSOR}${END_FRAME}`);
    [this.#frame, this.#pushedOut] = [NO_FRAME, []];
    const { input, isForeground } = this.#options;
    if (input === null || !this.#hasKeys) return;
    this.#releaseKeys();
    if (isForeground()) input.setRawMode(false);
  }

  #releaseKeys(): void {
    const { input } = this.#options;
    this.#hasKeys = false;
    input?.off('data', this.#onKeys);
    input?.pause();
    input?.ref();
  }

  readonly #onKeys = (chunk: Buffer): void => {
    const keys = chunk.toString('latin1').match(KEYS) ?? [];
    const typed = keys.filter((key) => key.length === 1);
    if (typed.length > MAX_KEYS_AT_ONCE) return;
    // A key that is held down sends its sequence many times.
    for (const key of keys) this.#onKey(key, keys.length === 1);
  };

  #onKey(key: string, isAlone: boolean): void {
    const move = MOVES.get(key);
    if (move !== undefined) return this.#move(move);
    switch (key) {
      case 'q':
      case 'Q':
      case '\u0003':
        return this.#options.onStop();
      case '\u001a':
        this.#leave();
        return this.#options.onSuspend();
      case 's':
        this.#sort = LIVE_SORTS[(LIVE_SORTS.indexOf(this.#sort) + 1) % LIVE_SORTS.length] ?? 'index';
        break;
      case 'e':
        [this.#showErrors, this.#showHelp] = [!this.#showErrors, false];
        break;
      case '?':
      case 'h':
        [this.#showErrors, this.#showHelp] = [false, !this.#showHelp];
        break;
      case '\u001b':
        // With something behind it, it is the beginning of a key that is not ours.
        if (!isAlone) return;
        [this.#showErrors, this.#showHelp] = [false, false];
        break;
      default:
        return;
    }
    this.#scroll = 0;
    this.#redraw();
  }

  #move(move: (at: number, page: number, most: number) => number): void {
    if (this.#state === null) return;
    const { most, page } = scrollRange(this.#state, this.#view());
    this.#scroll = Math.min(Math.max(move(Math.min(this.#scroll, most), page, most), 0), most);
    this.#redraw();
  }

  /** SIGTSTP from elsewhere: the shell that comes back must find its terminal as it left it. */
  readonly #onStopSignal = (): void => {
    this.#leave();
    const { host, stopProcess } = this.#options;
    host.off('SIGTSTP', this.#onStopSignal);
    stopProcess();
    host.on('SIGTSTP', this.#onStopSignal);
  };

  /** After a stop (Ctrl-Z, SIGSTOP) the shell has changed the terminal's mode and written below the frame. */
  readonly #onContinue = (): void => {
    if (this.#hasKeys) this.#releaseKeys();
    [this.#frame, this.#pushedOut] = [NO_FRAME, []];
    this.#redraw();
  };
}

/** Lines on the terminal, drawn for one of so many columns and rows. */
interface Frame {
  readonly lines: readonly string[];
  readonly columns: number;
  readonly rows: number;
}

const NO_FRAME: Frame = { lines: [], columns: 0, rows: 0 };

function isForSize(frame: Frame, size: { readonly columns: number; readonly rows: number }): boolean {
  return frame.columns === size.columns && frame.rows === size.rows;
}

/** The row of the cursor, which stands below the frame; a terminal of one line has none to spare. */
function rowsBelow({ lines, rows }: Frame): number {
  return lines.length > 0 && rows === 1 ? 0 : 1;
}

/** The frame below what stands there, on rows that are empty. */
function drawn(frame: Frame): string {
  return `${NO_WRAP}${rowsOfFrame(frame, (line) => line)}\r${WRAP}${END_FRAME}`;
}

/** The frame in the place of one that was drawn for the same size; each cell changes at most once. */
function drawnOver(old: Frame, frame: Frame): string {
  const up = old.lines.length - 1 + rowsBelow(old);
  const surplus = old.lines.length - frame.lines.length;
  const rows = rowsOfFrame(frame, (line) => writtenOver(line, frame.columns));
  const removed = surplus > 0 ? `\u001b[${surplus}M` : '';
  return `${BEGIN_FRAME}${NO_WRAP}\r${up > 0 ? `\u001b[${up}A` : ''}${rows}\r${removed}${WRAP}${END_FRAME}`;
}

function rowsOfFrame(frame: Frame, row: (line: string) => string): string {
  const text = frame.lines.map((line) => `\r${row(line)}\n`).join('');
  return rowsBelow(frame) === 0 ? text.slice(0, -1) : text;
}

function writtenOver(line: string, columns: number): string {
  return shownWidth(line) < columns ? `${line}${ERASE_REST}` : `${ERASE_REST}${line}`;
}

function shownWidth(line: string): number {
  return textWidth(line.replaceAll(STYLE_CODE, ''));
}

/** Rows that a line takes where so many columns break it. */
function rowsOf(width: number, columns: number): number {
  return Math.max(1, Math.ceil(width / columns));
}

function rowsOfAll(widths: readonly number[], columns: number): number {
  return widths.reduce((sum, width) => sum + rowsOf(width, columns), 0);
}

/** The lines that find room in the first `rows` rows. Of one that does not, the rest joins what is drawn next. */
function firstLines(widths: readonly number[], columns: number, rows: number): number[] {
  const kept: number[] = [];
  let left = rows;
  for (const width of widths) {
    left -= rowsOf(width, columns);
    if (left < 0) break;
    kept.push(width);
  }
  return kept;
}
