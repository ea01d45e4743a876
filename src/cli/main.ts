/**
 * The command line's entry: runs oclif and tells every failure in one way. Everything else is imported by the
 * command that needs it, so that `--help` stays quick.
 */
import { fileURLToPath } from 'node:url';
import { run } from '@oclif/core/run';
import { EXIT } from './exit-codes.ts';
import { reportOf, writeFailure } from './failure.ts';
import { watchPipes } from './output-pipes.ts';

/** Runs one command line; `root` is the URL of the package's folder. Sets the exit code and never rejects. */
export async function main(argv: readonly string[], root: URL): Promise<void> {
  // Nobody reads on: there is nothing to say and nobody to say it to. Long-running commands add their own watch.
  watchPipes(
    [process.stdout, process.stderr],
    () => undefined,
    () => {
      process.exitCode = EXIT.unexpected;
    },
  );
  const fail = (thrown: unknown): void => {
    process.exitCode = tell(thrown, argv);
  };
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
