/** `crategen single`: the same run in this process, to look at it closely. */
import { flagsOf } from '../cli/flags.ts';
import { RunCommand } from '../cli/run-command.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { settingsOf } from '../plan/settings.ts';

/** Enough to see what the rows are like. */
const SHOWN_ROWS = 5;

export default class Single extends RunCommand {
  static override summary = 'The same run in one process, for debugging: no fork, --inspect works';
  static override examples = [
    '$ crategen single --preset everything --dry-run',
    '$ crategen single --sandbox --rows 5k --verbose',
    '$ crategen single --url http://db-1:4200 --rows 1k --batch-size 10',
  ];
  static override usage = 'single [flags]';
  static override flags = flagsOf(settingsOf('single'));

  async run(): Promise<void> {
    const ready = await this.readRun('single', await this.readArguments());
    if (ready.output.dryRun) return await this.#showPlanned(ready.plan, ready.output.json);
    await this.carryOutAndTell(ready);
  }

  /** What would be created and sent, and not a byte to any server. */
  async #showPlanned(plan: RunPlan, asJson: boolean): Promise<void> {
    const { sampleOf } = await import('../cli/schema-sample.ts');
    const sample = await sampleOf(plan, SHOWN_ROWS);
    if (asJson)
      return this.printJson({ plan, ddl: sample.ddl, statement: sample.statement, rows: sample.rows });
    this.print(`${sample.ddl}\n\n${sample.statement}\n\n${sample.rows.join('\n')}`);
  }
}
