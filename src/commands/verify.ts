/** `crategen verify RUN`: the run's rows are generated again and compared with the server's, one by one. */
import * as Flags from '@oclif/core/flags';
import { TargetError } from '../base/errors.ts';
import { parseTableName } from '../base/sql.ts';
import { EXIT } from '../cli/exit-codes.ts';
import { RUN_ARGS, RUN_MISSING, openRun } from '../cli/finished-runs/run-argument.ts';
import { TARGET_FLAGS, TargetCommand } from '../cli/target-command.ts';

export default class Verify extends TargetCommand {
  static override summary = "Compare a run's rows with the server's: lost, duplicated, altered";
  static override examples = [
    '$ crategen verify latest',
    '$ crategen verify 20261124-1530-x7k2 --url http://db-2:4200 --json',
  ];
  static override usage = 'verify RUN [flags]';
  static override args = RUN_ARGS;
  static override flags = {
    ...TARGET_FLAGS,
    json: Flags.boolean({ summary: 'One JSON document', helpGroup: 'output' }),
  };

  async run(): Promise<void> {
    const { read, reader } = await this.readSettings();
    const reference = read.args.get('run');
    if (reference === undefined) throw this.usageError([...reader.problems, RUN_MISSING]);
    const { file } = await openRun(reference);
    const access = await this.openTargetOf(file, reader);
    const { verifyRun } = await import('../cli/finished-runs/verify-run.ts');
    const outcome = await verifyRun(file, access, (rows) => this.#progress(rows, file.ledger.offered));
    if (!outcome.ok) {
      const { targetHint } = await import('../coordinator/target-hints.ts');
      const table = parseTableName(file.target.table);
      throw new TargetError(`the rows cannot be read: ${outcome.message}`, {
        hint:
          targetHint(outcome, table.ok ? { schema: table.name.schema, user: access.username } : null) ??
          'crategen doctor tells what is wrong with the target.',
      });
    }
    const report = outcome.value;
    if (reader.switch('json', false)) this.printJson(report);
    else {
      const [{ renderVerify }, { textViewOf }] = await Promise.all([
        import('../report/listings.ts'),
        import('../report/terminal.ts'),
      ]);
      for (const table of report.tables)
        this.print(renderVerify(table, textViewOf(process.stdout, process.env)));
    }
    for (const { table, unexpected } of report.tables) {
      if (unexpected.rows === 0) continue;
      const which = `seq ${unexpected.seqs.join(', ')}`;
      this.warning(
        `${unexpected.rows} rows of ${table} carry this run id and were never sent by it; ${which}`,
      );
    }
    const { wrongRows } = await import('../report/listings.ts');
    process.exitCode = wrongRows(report) > 0 ? EXIT.mismatch : EXIT.ok;
  }

  /** On a terminal only: a long comparison should be seen to go on. */
  #progress(rows: number, offered: number): void {
    if (!process.stderr.isTTY || process.env['TERM'] === 'dumb') return;
    const isDone = rows >= offered;
    process.stderr.write(`\r\u001b[K${isDone ? '' : `compared ${rows} of ${offered} rows`}`);
  }
}
