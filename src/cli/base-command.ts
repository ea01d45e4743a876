/**
 * The base of all commands: arguments with all their problems at once, data on stdout, failures told without argv,
 * stacks and secrets. oclif's own JSON mode is not used, because its error document holds the whole command line.
 */
import { styleText } from 'node:util';
import { Command } from '@oclif/core/command';
import { UsageError } from '../base/errors.ts';
import { type RawSettings } from '../plan/settings.ts';
import { quoted } from '../plan/setting-reader.ts';
import { hideUrlCredentials, reportOf, writeFailure } from './failure.ts';
import { readFlags } from './flags.ts';
import { nearest } from '../base/nearest.ts';

/** The command line, read. A command with problems of its own adds them before it throws. */
export interface Arguments {
  readonly flags: RawSettings;
  /** By name; absent when not given. */
  readonly args: ReadonlyMap<string, string>;
  /** All values of the argument that takes several; empty for commands without one. */
  readonly words: readonly string[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export abstract class BaseCommand extends Command {
  readonly #secrets: string[] = [];

  /** From here on these texts appear in no failure. */
  protected keepSecrets(...secrets: readonly (string | null)[]): void {
    // Before the listener of main(), which knows no secrets.
    if (this.#secrets.length === 0)
      process.prependOnceListener('uncaughtException', (thrown) => {
        void this.catch(thrown);
        process.exit();
      });
    this.#secrets.push(...secrets.filter((secret) => secret !== null));
  }

  /** Data, for programs and pipes. */
  protected print(text: string): void {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** One JSON document. */
  protected printJson(value: unknown): void {
    process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** A line for people. */
  protected note(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  protected warning(line: string): void {
    const name = styleText('yellow', 'crategen:', { stream: process.stderr });
    this.note(`${name} ${hideUrlCredentials(line)}`);
  }

  protected insecureWarning(): void {
    const text = 'TLS certificates are not verified (--insecure): the server may be anybody';
    this.note(styleText('red', `crategen: ${text}`, { stream: process.stderr }));
  }

  /** Reads the command line without stopping at its first problem. */
  protected async readArguments(): Promise<Arguments> {
    const outcome = await this.#parse();
    const { flags, problems, warnings } = readFlags(outcome.flags);
    const args = new Map<string, string>();
    const words: string[] = [];
    for (const [name, value] of Object.entries(outcome.args)) {
      if (typeof value === 'string') args.set(name, value);
      words.push(...texts(value));
    }
    return { flags, args, words, problems: [...outcome.problems, ...problems], warnings };
  }

  /** As `readArguments`, for commands whose flags have no problems of their own. */
  protected async readCleanArguments(): Promise<Arguments> {
    const read = await this.readArguments();
    if (read.problems.length > 0) throw this.usageError(read.problems);
    return read;
  }

  protected usageError(problems: readonly string[]): UsageError {
    return new UsageError(problems, {
      hint: `crategen ${this.id?.replaceAll(':', ' ') ?? ''} --help lists what is accepted.`,
    });
  }

  /** Ends the command with a failure; never rethrows, so that oclif prints nothing of its own. */
  protected override catch(thrown: unknown): Promise<void> {
    const report = reportOf(thrown, this.#secrets);
    process.exitCode = writeFailure(report, {
      stdout: process.stdout,
      stderr: process.stderr,
      isJson: this.jsonEnabled(),
      isDebugging: isDebugging(process.env),
    });
    return Promise.resolve();
  }

  /** Whether `--json` was given, also on a command line that could not be parsed. */
  override jsonEnabled(): boolean {
    const end = this.argv.indexOf('--');
    const flags = end < 0 ? this.argv : this.argv.slice(0, end);
    return this.ctor.flags?.['json'] !== undefined && flags.includes('--json');
  }

  /** oclif would add argv, flags and package.json. */
  protected override toErrorJson(thrown: unknown): {
    error: { code: string; message: string; hint: string | null };
  } {
    const { code, lines, hint } = reportOf(thrown, this.#secrets);
    return { error: { code, message: lines.join('\n'), hint } };
  }

  async #parse(): Promise<{
    flags: Record<string, unknown>;
    args: Record<string, unknown>;
    problems: string[];
  }> {
    try {
      const { flags, args } = await this.parse(this.ctor);
      return { flags, args, problems: [] };
    } catch (thrown) {
      const failed = failedParse(thrown);
      if (failed === null) throw thrown;
      const known = Object.keys(this.ctor.flags ?? {});
      const flags = failed.unknownFlags.map((flag) => unknownFlag(flag, known));
      // What follows an unknown flag is most likely its value, which nobody asked to see.
      const extra =
        flags.length > 0 ? [] : failed.extraArguments.map((text) => `${quoted(text)}: unexpected argument`);
      return { flags: failed.flags, args: failed.args, problems: [...flags, ...extra] };
    }
  }
}

export function isDebugging(env: NodeJS.ProcessEnv): boolean {
  return (env['CRATEGEN_DEBUG'] ?? '') !== '';
}

function unknownFlag(flag: string, known: readonly string[]): string {
  // The value may be a secret: `--password=…`.
  const name = flag.split('=', 1)[0] ?? '';
  const near = nearest(name.replace(/^-+(no-)?/, ''), known);
  return `${quoted(name).slice(1, -1)}: no such flag${near === null ? '' : `; did you mean --${near}?`}`;
}

interface FailedParse {
  readonly flags: Record<string, unknown>;
  readonly args: Record<string, unknown>;
  readonly unknownFlags: readonly string[];
  readonly extraArguments: readonly string[];
}

/**
 * What oclif understood of a command line with unknown flags or arguments too many, or null for other errors. Its
 * error classes are not exported in a stable place, so the shape decides.
 */
function failedParse(thrown: unknown): FailedParse | null {
  if (!(thrown instanceof Error) || !('parse' in thrown)) return null;
  const output = member(thrown.parse, 'output');
  const [flags, args] = [member(output, 'flags'), member(output, 'args')];
  const unknownFlags = 'flags' in thrown ? texts(thrown.flags) : [];
  const extraArguments = 'args' in thrown ? texts(thrown.args) : [];
  if (!isRecord(flags) || !isRecord(args) || unknownFlags.length + extraArguments.length === 0) return null;
  return { flags, args, unknownFlags, extraArguments };
}

function member(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
