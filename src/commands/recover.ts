/** `crategen recover RUN`: the result of a run whose parent was killed, from what its workers left. */
import * as Flags from '@oclif/core/flags';
import { UsageError } from '../base/errors.ts';
import { RUN_ARGS, RUN_MISSING, ownRunsFolder } from '../cli/finished-runs/run-argument.ts';
import { TARGET_FLAGS, TargetCommand, namedNodes } from '../cli/target-command.ts';
import { findRun } from '../report/runs-folder.ts';

export default class Recover extends TargetCommand {
  static override summary = 'Account for a run whose parent process was killed';
  static override examples = ['$ crategen recover latest', '$ crategen recover 20261124-1530-x7k2'];
  static override usage = 'recover RUN [flags]';
  static override args = RUN_ARGS;
  static override flags = {
    ...TARGET_FLAGS,
    json: Flags.boolean({ summary: 'The run file on standard output', helpGroup: 'output' }),
  };

  async run(): Promise<void> {
    const { read, reader } = await this.readSettings();
    const reference = read.args.get('run');
    if (reference === undefined) throw this.usageError([...reader.problems, RUN_MISSING]);
    const found = await findRun(ownRunsFolder(), reference);
    if (found.runFile !== null || found.planFile === null) {
      throw new UsageError(`run ${found.id ?? reference} has its result already`, {
        hint: `crategen report ${found.id ?? reference} shows it.`,
      });
    }
    const { readPlanFile, recoverAndSave } = await import('../cli/finished-runs/recover-run.ts');
    const planFile = await readPlanFile(found.planFile);
    const { facts, plan } = planFile;
    const access = await this.openTarget(reader, {
      nodes: namedNodes(plan.target, facts.target.nodes),
      username: plan.target.username,
    });
    const saved = await recoverAndSave(planFile, access, {
      runs: ownRunsFolder(),
      version: this.config.version,
      note: (line) => this.note(line),
    });
    const [{ renderSummary }, { textViewOf }] = await Promise.all([
      import('../report/summary/summary.ts'),
      import('../report/terminal.ts'),
    ]);
    process.stderr.write(
      renderSummary(saved.run, textViewOf(process.stderr, process.env), { file: saved.file }),
    );
    if (reader.switch('json', false)) this.printJson(saved.run);
    process.exitCode = saved.run.run.exitCode;
  }
}
