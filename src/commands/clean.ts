/** `crategen clean RUN`: deletes a run's rows by its run id, after saying how many. */
import * as Flags from '@oclif/core/flags';
import { TargetError } from '../base/errors.ts';
import { formatTable } from '../base/sql.ts';
import { formatExact } from '../base/units.ts';
import { tablesOf } from '../plan/run-plan.ts';
import { hasRunColumns } from '../rows/schema.ts';
import { runPlanOf } from '../report/run-file.ts';
import { RUN_ARGS, RUN_MISSING, openRun } from '../cli/finished-runs/run-argument.ts';
import { TARGET_FLAGS, TargetCommand } from '../cli/target-command.ts';

export default class Clean extends TargetCommand {
  static override summary = "Delete a run's rows, found by its run id";
  static override examples = ['$ crategen clean latest', '$ crategen clean latest --yes'];
  static override usage = 'clean RUN [flags]';
  static override args = RUN_ARGS;
  static override flags = {
    ...TARGET_FLAGS,
    yes: Flags.boolean({ summary: 'Delete; without it the rows are only counted' }),
    json: Flags.boolean({ summary: 'One JSON document', helpGroup: 'output' }),
  };

  async run(): Promise<void> {
    const { read, reader } = await this.readSettings();
    const reference = read.args.get('run');
    if (reference === undefined) throw this.usageError([...reader.problems, RUN_MISSING]);
    const { file } = await openRun(reference);
    const filled = tablesOf(runPlanOf(file));
    if (!filled.some(({ schema }) => hasRunColumns(schema))) {
      const { checkTellsRows } = await import('../cli/finished-runs/run-rows.ts');
      checkTellsRows(file);
    }
    const access = await this.openTargetOf(file, reader);
    const [{ cleanRun }, { targetHint }] = await Promise.all([
      import('../cli/finished-runs/clean-run.ts'),
      import('../coordinator/target-hints.ts'),
    ]);
    const isMeant = read.flags.get('yes') === true;
    const asJson = read.flags.get('json') === true;
    const tables: { readonly table: string; readonly rows: number; readonly deleted: boolean }[] = [];
    for (const { name, schema } of filled) {
      const table = formatTable(name);
      if (!hasRunColumns(schema)) {
        this.warning(`the rows in ${table} carry no run_id and cannot be told from others: they stay`);
        continue;
      }
      const outcome = await cleanRun(access, name, file.run.id, isMeant);
      if (!outcome.ok) {
        const cannot = `cannot be ${isMeant ? 'deleted' : 'counted'}: ${outcome.message}`;
        const hint = targetHint(outcome, { schema: name.schema, user: access.username });
        throw new TargetError(`the rows of run ${file.run.id} in ${table} ${cannot}`, { hint });
      }
      const { rows, deleted } = outcome.value;
      tables.push({ table, rows, deleted });
      const what = `${formatExact(rows)} rows of run ${file.run.id} in ${table}`;
      if (!asJson) this.print(isMeant ? `deleted ${what}` : `${what}; nothing is deleted without --yes`);
    }
    if (!asJson) return;
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    this.printJson({ runId: file.run.id, table: file.target.table, rows, deleted: isMeant, tables });
  }
}
