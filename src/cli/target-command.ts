/** The base of commands that talk to a target without making a run: verify, recover, clean, doctor. */
import { UsageError } from '../base/errors.ts';
import type { TargetDefaults } from '../plan/parse-target.ts';
import type { SettingReader } from '../plan/setting-reader.ts';
import { TARGET_SETTINGS } from '../plan/settings.ts';
import type { TargetAccess, TargetPlan } from '../plan/run-plan.ts';
import type { RunFile } from '../report/run-file-schema.ts';
import { type Arguments, BaseCommand } from './base-command.ts';
import { flagsOf } from './flags.ts';
import { readTargetAccess, settingReader } from './target-access.ts';

/** Flags that all of them take. */
export const TARGET_FLAGS = flagsOf(TARGET_SETTINGS);

/**
 * The nodes that a later command may go to by itself. Discovered ones are not among them: they were used under the
 * credentials of their run, which those of the later command need not be.
 */
export function namedNodes(target: TargetPlan, used: readonly string[]): readonly string[] {
  return target.kind === 'embedded' ? used : target.nodes;
}

export abstract class TargetCommand extends BaseCommand {
  /** Command line and config file, with the problems they have so far. */
  protected async readSettings(): Promise<{ read: Arguments; reader: SettingReader }> {
    const read = await this.readArguments();
    const { reader, problems } = await settingReader(read.flags);
    reader.problems.push(...read.problems, ...problems);
    return { read, reader };
  }

  /** Opens the target; throws a UsageError with all problems there are, those of the reader included. */
  protected async openTarget(
    reader: SettingReader,
    defaults: Omit<TargetDefaults, 'allowsEmbedded'>,
  ): Promise<TargetAccess> {
    const opened = await readTargetAccess(reader, { ...defaults, allowsEmbedded: false });
    if (!opened.ok) throw this.usageError(opened.problems);
    const { access, warnings } = opened.opened;
    this.keepSecrets(access.password, access.token);
    for (const warning of warnings) this.warning(warning);
    if (!access.tls.verify) this.insecureWarning();
    return access;
  }

  /** The target of a run: its own nodes unless this command line, the environment or a config file says otherwise. */
  protected async openTargetOf(file: RunFile, reader: SettingReader): Promise<TargetAccess> {
    const { target } = file.plan;
    if (file.target.kind === 'discard') {
      throw new UsageError(`run ${file.run.id} stored nothing: its target discarded every row`, {
        hint: `crategen report ${file.run.id} shows what it measured.`,
      });
    }
    const nodes = namedNodes(target, file.target.nodes);
    const access = await this.openTarget(reader, { nodes, username: target.username });
    const isGone = target.kind === 'embedded' && access.nodes.join() === file.target.nodes.join();
    if (!isGone) return access;
    throw new UsageError(
      `run ${file.run.id} went to its own embedded sandbox, which ended with it: its rows are gone`,
      {
        hint: 'For a sandbox that stays: crategen sandbox, and in another terminal crategen cluster --url with the URL it prints.',
      },
    );
  }
}
