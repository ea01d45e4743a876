/** `crategen completion SHELL`: a script that completes commands, flags and their values. */
import * as Args from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.ts';
import { SHELLS, completionScript } from '../cli/completion.ts';

export default class Completion extends BaseCommand {
  static override summary = 'Print the completion script for bash, zsh or fish';
  static override examples = [
    '$ source <(crategen completion bash)',
    '$ crategen completion zsh > ~/.zfunc/_crategen',
    '$ crategen completion fish > ~/.config/fish/completions/crategen.fish',
  ];
  static override usage = 'completion SHELL';
  static override args = { shell: Args.string({ ignoreStdin: true, description: SHELLS.join(', ') }) };

  async run(): Promise<void> {
    const { args, problems } = await this.readArguments();
    const shell = SHELLS.find((name) => name === args.get('shell'));
    if (shell === undefined) throw this.usageError([...problems, `SHELL: expected ${SHELLS.join(', ')}`]);
    if (problems.length > 0) throw this.usageError(problems);
    this.print(completionScript(shell, this.config.commands));
  }
}
