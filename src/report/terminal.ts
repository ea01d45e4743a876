/**
 * What a stream can show: width, colours, characters, and whether it may be animated. From the stream and the
 * environment alone, by the usual conventions (NO_COLOR, FORCE_COLOR, TERM, CI, COLUMNS, LC_ALL).
 */
import { readFileSync } from 'node:fs';
import { systemCodeOf } from '../base/errors.ts';
import type { TextView } from './styled-text.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A stream such as `process.stdout`; all of it is undefined when it is no terminal. */
export interface OutputFacts {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Where nobody says how wide a line may be. */
const DEFAULT_COLUMNS = 100;
/** Below this a text is cut rather than wrapped into syllables. */
const MIN_COLUMNS = 20;
const DEFAULT_ROWS = 24;

/** How text on this stream may look. */
export function textViewOf(stream: OutputFacts, env: Environment): TextView {
  return { columns: columnsOf(stream, env), colour: hasColour(stream, env), unicode: hasUnicode(env) };
}

/** Lines of the terminal. */
export function rowsOf(stream: OutputFacts): number {
  return stream.rows !== undefined && stream.rows > 0 ? stream.rows : DEFAULT_ROWS;
}

/** A terminal whose lines can be drawn over: no pipe, no TERM=dumb. */
export function isAnimated(stream: OutputFacts, env: Environment): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** A build server: it may offer a terminal, but nobody watches it. */
export function isContinuousIntegration(env: Environment): boolean {
  const value = env['CI'] ?? '';
  return value !== '' && value !== '0' && value !== 'false';
}

/**
 * Whether this process is in the foreground of its terminal. A background process that touches the terminal's
 * mode is stopped by the kernel (SIGTTOU). True where it cannot be known (no Linux, no controlling terminal).
 */
export function isForeground(statPath = '/proc/self/stat'): boolean {
  try {
    const stat = readFileSync(statPath, 'utf8');
    // The name, in parentheses, may hold anything; behind it: state ppid pgrp session tty_nr tpgid.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [ownGroup, foregroundGroup] = [Number(fields[2]), Number(fields[5])];
    return !(foregroundGroup > 0) || foregroundGroup === ownGroup;
  } catch (thrown) {
    if (systemCodeOf(thrown) === '') throw thrown;
    return true;
  }
}

function columnsOf(stream: OutputFacts, env: Environment): number {
  const wished = /^[1-9]\d{0,4}$/.test(env['COLUMNS'] ?? '') ? Number(env['COLUMNS']) : null;
  const real = stream.columns !== undefined && stream.columns > 0 ? stream.columns : null;
  const columns =
    wished !== null && real !== null ? Math.min(wished, real) : (wished ?? real ?? DEFAULT_COLUMNS);
  return Math.max(columns, MIN_COLUMNS);
}

/** FORCE_COLOR wins over NO_COLOR, as it does in Node itself. */
function hasColour(stream: OutputFacts, env: Environment): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if ((env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return false;
  return stream.isTTY === true;
}

/** The first of the three that is set decides, as in POSIX. */
function hasUnicode(env: Environment): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  );
  return /utf-?8/i.test(locale ?? '');
}
