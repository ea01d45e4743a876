/**
 * How a command that fails says so: one line per problem and a hint on stderr, one JSON document on stdout with
 * `--json`, no stack, no argv, no secrets. The only place that knows oclif's errors.
 */
import { styleText } from 'node:util';
import { CrategenError, UsageError, messageOf } from '../base/errors.ts';
import { printable, redact } from '../base/text.ts';
import { EXIT, exitCodeOfError } from './exit-codes.ts';

/** A failure as it is told. `code` is stable. */
export interface FailureReport {
  readonly exitCode: number;
  readonly code: string;
  /** Printable, one problem each. */
  readonly lines: readonly string[];
  readonly hint: string | null;
  /** For CRATEGEN_DEBUG; null for what is no accident. */
  readonly stack: string | null;
}

const BUG_HINT =
  'This should not happen: please report it with the output of the same command under CRATEGEN_DEBUG=1.';

/** Lines of one message; a list of problems may be long, a text of a server must not be. */
const MAX_LINES = 50;
const MAX_LINE_CHARACTERS = 1000;

/** What to say about anything that was thrown. `secrets` are removed from every text. */
export function reportOf(thrown: unknown, secrets: readonly string[] = []): FailureReport {
  const clean = (text: string): string => hideUrlCredentials(redact(text, secrets));
  const facts = factsOf(thrown);
  const lines = facts.lines.map((line) => printable(clean(line), MAX_LINE_CHARACTERS));
  const rest = lines.length - MAX_LINES;
  return {
    exitCode: facts.exitCode,
    code: facts.code,
    lines: rest > 0 ? [...lines.slice(0, MAX_LINES), `… and ${rest} more`] : lines,
    hint: facts.hint === null ? null : clean(facts.hint),
    stack: thrown instanceof Error ? clean(stacksOf(thrown)) : null,
  };
}

interface FailureFacts {
  readonly exitCode: number;
  readonly code: string;
  readonly lines: readonly string[];
  readonly hint: string | null;
}

function factsOf(thrown: unknown): FailureFacts {
  if (thrown instanceof UsageError) {
    return { exitCode: EXIT.usage, code: thrown.code, lines: thrown.problems, hint: thrown.hint ?? null };
  }
  if (thrown instanceof CrategenError) {
    const hint = thrown.hint ?? (thrown.code === 'bug' ? BUG_HINT : null);
    return { exitCode: exitCodeOfError(thrown), code: thrown.code, lines: linesOf(thrown.message), hint };
  }
  if (isOclifError(thrown)) {
    return { exitCode: EXIT.usage, code: 'usage', lines: oclifLines(thrown.message), hint: null };
  }
  return { exitCode: EXIT.unexpected, code: 'bug', lines: linesOf(messageOf(thrown)), hint: BUG_HINT };
}

function linesOf(message: string): readonly string[] {
  return message.split('\n').filter((line) => line.trim() !== '');
}

/** oclif marks its errors with the exit code they stand for; 2 is about usage. */
function isOclifError(thrown: unknown): thrown is Error {
  if (!(thrown instanceof Error) || !('oclif' in thrown)) return false;
  const { oclif } = thrown;
  return typeof oclif === 'object' && oclif !== null && 'exit' in oclif && oclif.exit === EXIT.usage;
}

/** oclif's message is a list over several lines; its pointer to the help is given as the hint instead. */
function oclifLines(message: string): readonly string[] {
  const lines = linesOf(message).map((line) => line.trim());
  const kept = lines.filter((line) => line !== 'See more help with --help');
  return [kept.join(' ')];
}

/** The stack of an error and of its causes. */
function stacksOf(error: Error): string {
  const stacks: string[] = [];
  for (let at: unknown = error; at instanceof Error && stacks.length < 10; at = at.cause)
    stacks.push(at.stack ?? String(at));
  return stacks.join('\ncaused by ');
}

/** `http://user:pw@host` → `http://***@host` anywhere in a text; greedy, since a password may hold an `@` too. */
export function hideUrlCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)\S*@/gi, '$1***@');
}

/** Where failures are written: the process's streams, or a test's. */
export interface FailureOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly isJson: boolean;
  readonly isDebugging: boolean;
}

/** Writes the report and returns the exit code. */
export function writeFailure(report: FailureReport, output: FailureOutput): number {
  const name = styleText('red', 'crategen:', { stream: output.stderr });
  for (const line of report.lines) output.stderr.write(`${name} ${line}\n`);
  if (report.hint !== null) output.stderr.write(`  ${report.hint}\n`);
  if (output.isDebugging && report.stack !== null) output.stderr.write(`${report.stack}\n`);
  if (output.isJson) {
    const error = { code: report.code, message: report.lines.join('\n'), hint: report.hint };
    output.stdout.write(`${JSON.stringify({ error })}\n`);
  }
  return report.exitCode;
}
