/** `crategen doctor`: what could spoil a run, on this host and at the target. */
import { styleText } from 'node:util';
import * as Flags from '@oclif/core/flags';
import { parseTableName } from '../base/sql.ts';
import type { Finding } from '../cli/doctor/finding.ts';
import { EXIT } from '../cli/exit-codes.ts';
import { ownRunsFolder } from '../cli/finished-runs/run-argument.ts';
import { TARGET_FLAGS, TargetCommand } from '../cli/target-command.ts';
import { DEFAULT_NODES } from '../plan/parse-target.ts';

const SIGNS = { good: ['green', 'ok  '], warning: ['yellow', 'note'], bad: ['red', 'BAD '] } as const;

export default class Doctor extends TargetCommand {
  static override summary = 'What could spoil a run: limits of this host, state of the target';
  static override examples = [
    '$ crategen doctor',
    '$ crategen doctor --url https://db:4200 --username me --password-file ./secret',
  ];
  static override usage = 'doctor [flags]';
  static override flags = {
    ...TARGET_FLAGS,
    table: Flags.string({
      helpValue: 'SCHEMA.TABLE',
      summary: 'Asked about in privileges (crategen.records)',
      helpGroup: 'what',
    }),
    json: Flags.boolean({ summary: 'One JSON document', helpGroup: 'output' }),
  };

  async run(): Promise<void> {
    const { reader } = await this.readSettings();
    const parse = (text: string): ReturnType<typeof parseTableName> => parseTableName(text);
    const given = reader.text('table');
    const table = parse(given?.value ?? 'crategen.records');
    if (given !== null && !table.ok) reader.problem(given, table.why);
    const access = await this.openTarget(reader, { nodes: DEFAULT_NODES, username: null });
    if (!table.ok) throw this.usageError(reader.problems);
    const { examine } = await import('../cli/doctor/doctor.ts');
    const findings = await examine(access, { runs: ownRunsFolder(), table: table.name });
    if (reader.switch('json', false)) this.printJson({ findings });
    else for (const finding of findings) this.print(lineOf(finding));
    const bad = findings.filter((finding) => finding.status === 'bad');
    const isTargetBad = bad.some((finding) => finding.about === 'target');
    process.exitCode = bad.length === 0 ? EXIT.ok : isTargetBad ? EXIT.target : EXIT.usage;
  }
}

function lineOf({ status, what, detail, hint }: Finding): string {
  const [colour, sign] = SIGNS[status];
  const line = `${styleText(colour, sign, { stream: process.stdout })}  ${what.padEnd(11)} ${detail}`;
  return hint === '' ? line : `${line}\n${' '.repeat(18)}${hint}`;
}
