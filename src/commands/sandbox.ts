/** `crategen sandbox`: an embedded CrateDB-like endpoint, until it is stopped. */
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.ts';
import { readSandboxOptions } from '../cli/sandbox-options.ts';
import { shellWord } from '../report/repeat-command.ts';

export default class Sandbox extends BaseCommand {
  static override summary = 'Serve an embedded CrateDB-like endpoint for trying things out';
  static override examples = [
    '$ crategen sandbox',
    '$ crategen sandbox --port 0 --data ./rows.db --latency 5ms..20ms',
    '$ crategen sandbox --fault reset%1 --fault 503@5s..10s',
    '$ crategen sandbox --discard',
  ];
  static override usage = 'sandbox [flags]';
  static override flags = {
    host: Flags.string({ helpValue: 'ADDRESS', summary: 'Address to listen on (127.0.0.1)' }),
    port: Flags.string({ helpValue: 'N', summary: 'Port to listen on; 0 takes a free one (4200)' }),
    data: Flags.string({ helpValue: 'FILE', summary: 'Keep rows and tables in this file (in memory)' }),
    'max-memory': Flags.string({
      helpValue: 'SIZE',
      summary: 'Rows in memory beyond this are refused as a full disk is, with 4037 (1g)',
    }),
    latency: Flags.string({
      helpValue: 'TIME',
      summary: 'Answer an INSERT no sooner than this: 20ms, or 5ms..20ms (0)',
    }),
    fault: Flags.string({
      helpValue: 'FAULT',
      multiple: true,
      multipleNonGreedy: true,
      summary:
        'Misbehave on purpose, repeatable: KIND, KIND%SHARE, KIND@FROM..TO, KIND#FIRST..LAST; see docs/guide/sandbox-faults.md',
    }),
    discard: Flags.boolean({ summary: "Answer without storing, to find the client's own ceiling" }),
    username: Flags.string({
      helpValue: 'NAME',
      summary: 'Ask for this user and the password of --password-file',
    }),
    'password-file': Flags.string({ helpValue: 'FILE', summary: 'File whose first line is that password' }),
    json: Flags.boolean({ summary: 'Say where it listens as one JSON document' }),
  };

  async run(): Promise<void> {
    const read = await this.readArguments();
    const options = await readSandboxOptions(read.flags);
    const problems = [...read.problems, ...(options.ok ? [] : options.problems)];
    if (!options.ok || problems.length > 0) throw this.usageError(problems);
    this.keepSecrets(options.options.credentials?.password ?? null);
    const { startSandbox } = await import('../sandbox/server.ts');
    // Listening before the port is open: a signal in between must not leave it open.
    const stopped = firstSignal();
    const sandbox = await startSandbox(options.options);
    if (read.flags.get('json') === true)
      this.printJson({ url: sandbox.url, pid: process.pid, discard: options.options.discard });
    else this.print(greeting(sandbox.url, options.options));
    await stopped;
    await sandbox.close();
  }
}

function greeting(
  url: string,
  options: {
    readonly discard: boolean;
    readonly dataFile: string | null;
    readonly credentials: { readonly username: string } | null;
  },
): string {
  const what = options.discard
    ? 'discards every row'
    : options.dataFile === null
      ? 'rows in memory'
      : `rows in ${options.dataFile}`;
  const user =
    options.credentials === null
      ? ''
      : ` --username ${shellWord(options.credentials.username)} --password-file FILE`;
  return `crategen sandbox at ${url} (${what}), until Ctrl-C\n  crategen cluster --url ${url}${user} --rows 200k`;
}

/** Resolves at the first INT, TERM or HUP; later ones change nothing. */
function firstSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  return promise;
}
