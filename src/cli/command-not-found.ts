/** The hook for a command that does not exist: exit 2 and the command that was most likely meant. */
import type { Hook } from '@oclif/core/hooks';
import { UsageError } from '../base/errors.ts';
import { printable } from '../base/text.ts';
import { nearest } from './suggest.ts';

const hook: Hook.CommandNotFound = function commandNotFound({ id, config }) {
  const typed = id.replaceAll(':', ' ');
  const commands = config.commands
    .filter((command) => command.hidden !== true)
    .map((command) => command.id.replaceAll(':', ' '));
  const near = nearest(typed, commands) ?? nearest(typed.split(' ', 1)[0] ?? '', commands);
  throw new UsageError(`${printable(typed, 60)}: no such command`, {
    hint: near === null ? 'crategen --help lists the commands.' : `Did you mean: crategen ${near}`,
  });
};

export default hook;
