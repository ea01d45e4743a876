/**
 * The command line's entry: runs oclif and tells every failure in one way. Everything else is imported by the
 * command that needs it, so that `--help` stays quick.
 */
import { fileURLToPath } from 'node:url';
// Loaded here, so that its listener is there to be removed.
import '@oclif/core/command';
import { run } from '@oclif/core/run';
import { OutputError, systemCodeOf } from '../base/errors.ts';
import { reportOf, writeFailure } from './failure.ts';
import { watchPipes } from './output-pipes.ts';

/** Runs one command line; `root` is the URL of the package's folder. Sets the exit code and never rejects. */
export async function main(argv: readonly string[], root: URL): Promise<void> {
  const fail = (thrown: unknown): void => {
    process.exitCode = tell(thrown, argv);
  };
  // oclif's own listener throws what it does not know, in the middle of whatever runs.
  process.stdout.removeAllListeners('error');
  // Nobody reads on: there is nothing to say and nobody to say it to. Long-running commands add their own watch.
  const nothing = (): void => undefined;
  watchPipes([process.stderr], nothing, nothing);
  let isStdoutBroken = false;
  watchPipes([process.stdout], nothing, (cause) => {
    // Told once, and not as JSON: that would go where nothing can be written.
    if (isStdoutBroken) return;
    isStdoutBroken = true;
    const thrown = new OutputError(`standard output cannot be written: ${systemCodeOf(cause)}`, { cause });
    process.exitCode = tell(thrown, []);
  });
  // A diagnostic report would show the environment, where a password or a token may be.
  if (process.report !== undefined) process.report.excludeEnv = true;
  process.on('uncaughtException', (thrown) => {
    fail(thrown);
    // The state of the process is not known any more; workers and the sandbox end when they see it gone.
    process.exit();
  });
  try {
    await run(helpFirst(argv), { root: fileURLToPath(root) });
  } catch (thrown) {
    fail(thrown);
  }
}

/** `crategen help cluster` as `crategen cluster --help`. */
function helpFirst(argv: readonly string[]): string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv];
}

function tell(thrown: unknown, argv: readonly string[]): number {
  return writeFailure(reportOf(thrown), {
    stdout: process.stdout,
    stderr: process.stderr,
    isJson: argv.includes('--json'),
    isDebugging: (process.env['CRATEGEN_DEBUG'] ?? '') !== '',
  });
}
