/** The hook for a command that does not exist: exit 2 and the command that was most likely meant. */
import type { Hook } from '@oclif/core/hooks';
import { UsageError } from '../base/errors.ts';
import { quoted } from '../plan/setting-reader.ts';
import { nearest } from '../base/nearest.ts';

/**
 * oclif hands over all words up to the first flag, joined by colons. An argument too many of a known command looks
 * the same, and may be anything, a URL with a password included: it is not repeated.
 */
const hook: Hook.CommandNotFound = function commandNotFound({ id, config }) {
  const commands = config.commands.filter((command) => command.hidden !== true).map((command) => command.id);
  const [first = '', second] = id.split(':');
  if (commands.includes(first)) {
    throw new UsageError(`${first}: takes no such argument`, {
      hint: `crategen ${first} --help lists what it takes.`,
    });
  }
  const isTopic = commands.some((command) => command.startsWith(`${first}:`));
  const typed = isTopic && second !== undefined ? `${first} ${second}` : first;
  const names = commands.map((command) => command.replaceAll(':', ' '));
  const near = nearest(typed, names);
  throw new UsageError(`${quoted(typed).slice(1, -1)}: no such command`, {
    hint: near === null ? 'crategen --help lists the commands.' : `Did you mean: crategen ${near}`,
  });
};

export default hook;
