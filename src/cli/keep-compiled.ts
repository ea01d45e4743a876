/** Compiled code is kept from one start of a command to the next: a fifth of the time until the first row leaves. */
import { useKeptCode } from '../base/kept-code.ts';

/** To be called before anything large is imported. What runs differs by command, and little of it for help. */
export function keepCompiledCode(argv: readonly string[]): void {
  const [command = ''] = argv;
  const isHelp = argv.some((word) => word === '--help' || word === '-h');
  useKeptCode(isHelp || !/^[a-z]+$/.test(command) ? 'help' : command);
}
