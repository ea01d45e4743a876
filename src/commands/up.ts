/** `crategen up`: starts a CrateDB on this host, with what is there. */
import * as Flags from '@oclif/core/flags';
import { systemClock } from '../base/clock.ts';
import { BaseCommand } from '../cli/base-command.ts';
import { SIGNAL_CODES } from '../cli/exit-codes.ts';
import type { StopSignal } from '../coordinator/stop-control.ts';
import { SettingReader } from '../plan/setting-reader.ts';
import { shellWord } from '../report/repeat-command.ts';

const DEFAULT_URL = 'http://127.0.0.1:4200';

export default class Up extends BaseCommand {
  static override summary = 'Start a CrateDB on this host, reachable from this host only';
  static override examples = [
    '$ crategen up',
    '$ crategen up --tarball ./crate-6.4.3 --nodes 3 --heap 512m',
    '$ crategen up --with podman --ephemeral --port 4210 --pg-port 5442',
  ];
  static override usage = 'up [flags]';
  static override flags = {
    tarball: Flags.string({ helpValue: 'DIR', summary: 'An unpacked CrateDB [env: CRATE_HOME]' }),
    with: Flags.string({
      helpValue: 'WHAT',
      summary: 'tarball, docker, podman or crate, which is on the PATH (the first of them that is there)',
    }),
    image: Flags.string({
      helpValue: 'NAME',
      summary: 'For docker and podman (docker.io/library/crate:6.4.3)',
    }),
    port: Flags.string({ helpValue: 'N', summary: 'HTTP; further nodes take the next ones (4200)' }),
    'pg-port': Flags.string({ helpValue: 'N', summary: 'PostgreSQL protocol (5432)' }),
    nodes: Flags.string({
      helpValue: 'N',
      summary: 'Nodes of the cluster, 1 to 3; not with docker and podman (1)',
    }),
    heap: Flags.string({ helpValue: 'SIZE', summary: 'Java heap of each node (1g)' }),
    data: Flags.string({
      helpValue: 'DIR',
      summary: 'Where rows are kept (a folder or volume of crategen, kept too)',
    }),
    ephemeral: Flags.boolean({ summary: 'Rows are removed by crategen down' }),
    'run-as': Flags.string({
      helpValue: 'USER',
      summary: 'User that the server runs as, when root starts it',
    }),
    timeout: Flags.string({ helpValue: 'TIME', summary: 'Until it must have answered (3m)' }),
    json: Flags.boolean({ summary: 'Say what runs as one JSON document' }),
  };

  async run(): Promise<void> {
    const read = await this.readArguments();
    const reader = new SettingReader(read.flags, null);
    const { readLocalPlan } = await import('../cli/local/local-plan.ts');
    const plan = readLocalPlan(reader);
    const problems = [...read.problems, ...reader.problems];
    if (problems.length > 0) throw this.usageError(problems);
    const { up } = await import('../cli/local/up.ts');
    const { ownLocalFolder } = await import('../cli/local/local-cluster.ts');
    const stop = firstSignal();
    const started = await up(plan, {
      folder: ownLocalFolder(),
      env: process.env,
      clock: systemClock,
      uid: process.getuid?.() ?? null,
      note: (line) => this.note(`crategen: ${line}`),
      signal: stop.aborts,
    });
    if (started === null) {
      this.note('crategen: stopped before CrateDB answered; nothing of it runs');
      process.exitCode = SIGNAL_CODES[stop.cameAs() ?? 'SIGINT'];
      return;
    }
    const { cluster, version, wasRunning } = started;
    if (reader.switch('json', false)) return this.printJson({ version, wasRunning, ...cluster });
    const [url = ''] = cluster.urls;
    const urls = cluster.urls.flatMap((each) => ['--url', each]).join(' ');
    const target = cluster.urls.length === 1 && url === DEFAULT_URL ? '' : ` ${urls}`;
    this.print(
      [
        `CrateDB ${version} ${wasRunning ? 'runs already' : 'answers'} at ${cluster.urls.join(', ')} (${placeOf(cluster)})`,
        `  crategen cluster${target} --rows 200k`,
        '  crategen down',
      ].join('\n'),
    );
  }
}

function placeOf({
  data,
  isEphemeral,
}: {
  readonly data: string | null;
  readonly isEphemeral: boolean;
}): string {
  return isEphemeral ? 'rows are removed by crategen down' : `rows are kept in ${shellWord(data ?? '')}`;
}

/** Aborts at the first INT, TERM or HUP: what was started is stopped then. */
function firstSignal(): { readonly aborts: AbortSignal; readonly cameAs: () => StopSignal | null } {
  const control = new AbortController();
  let first: StopSignal | null = null;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      first ??= signal;
      control.abort();
    });
  return { aborts: control.signal, cameAs: () => first };
}
