/** What a command does before anything large is loaded: for its memory, and for its start. */
import { useKeptCode } from '../base/kept-code.ts';
import { keepToOneThread } from '../base/one-thread.ts';

/** What a run needs of Node. */
const NEEDED = [
  'node:child_process',
  'node:crypto',
  'node:dns/promises',
  'node:fs/promises',
  'node:net',
  'node:os',
  'node:perf_hooks',
  'node:readline',
  'node:stream',
  'node:tty',
];

/**
 * Next to workers that send rows every megabyte of a coordinator is one too many: it keeps to one thread, and its space
 * for young objects stays as it is at the start, 15 MB less for a process that is busy for moments only. Not where much
 * is computed. Flags come first: compiled code fits only those that it was made with.
 */
export function begin(argv: readonly string[]): void {
  const [command = ''] = argv;
  const isHelp = argv.some((word) => word === '--help' || word === '-h');
  if (command === 'cluster' && !isHelp) keepToOneThread(NEEDED, ['--semi-space-growth-factor=1']);
  // The stack of a bug names the lines of src/ where Node itself has loaded them.
  if ((process.env['CRATEGEN_DEBUG'] ?? '') !== '') process.setSourceMapsEnabled(true);
  // What runs differs by command, and little of it for help.
  else useKeptCode(isHelp || !/^[a-z]+$/.test(command) ? 'help' : command);
}
