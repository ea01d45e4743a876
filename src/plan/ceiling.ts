/**
 * What a ceiling takes of a run: everything that decides how much the client has to do, and nothing that a server, a
 * table or somebody's patience decides. Pure.
 */
import { printable } from '../base/text.ts';
import { durationFlag, formatExact } from '../base/units.ts';
import type { ConfigFile } from './config-file.ts';
import { DEFAULT_PG_PORT } from './parse-target.ts';
import type { RunPlan, TargetPlan } from './run-plan.ts';
import { type RawSettings, type Setting, TARGET_SETTINGS, settingsOf } from './settings.ts';

/** Settings of a run that mean nothing here, and why. */
const NOT_TAKEN: readonly (readonly [names: readonly string[], why: string])[] = [
  [
    [
      ...TARGET_SETTINGS.map(({ name }) => name).filter((name) => name !== 'config'),
      'sandbox',
      'discover',
      'pg-port',
    ],
    'it starts a target of its own',
  ],
  [
    ['like', 'shape', 'copy-values'],
    'no server is asked: --run takes the plan of a run, and crategen schema infer writes a file for --schema',
  ],
  [['create', 'recreate', 'yes-drop', 'shards', 'replicas'], 'no table is made'],
  [
    ['rate', 'ramp-up', 'batch-interval', 'max-bytes', 'start-at'],
    'it goes as fast as this client can, from the start',
  ],
  [['verify', 'stop-at-disk', 'block-timeout', 'yes'], 'nothing is stored'],
  [['repeat', 'resume', 'machine', 'dry-run'], 'it is one short run on this machine'],
];

const REASONS: ReadonlyMap<string, string> = new Map(
  NOT_TAKEN.flatMap(([names, why]) => names.map((name) => [name, why] as const)),
);

/** How long it takes is not for the config file of the real run to say. */
const OWN_LENGTH: readonly string[] = ['rows', 'duration', 'warm-up'];
/** Long enough for compilers and caches to be warm, short enough to be asked for in between. */
export const CEILING_DURATION_MS = 10_000;
export const CEILING_WARM_UP_MS = 2000;

/** All settings of `cluster`: those that are refused stay known, so that their refusal can say why. */
export const CEILING_SETTINGS: readonly Setting[] = settingsOf('cluster').map((setting) =>
  REASONS.has(setting.name) ? { ...setting, hidden: true } : setting,
);

/** Settings as `parseRunPlan` takes them for a ceiling, and what is wrong with those that were given. */
export interface CeilingSettings {
  readonly flags: RawSettings;
  readonly config: ConfigFile | null;
  readonly problems: readonly string[];
}

/**
 * The settings without what a ceiling does not take: refused on the command line, passed over in a config file, which is
 * the real run's; only a table that the file wants to be like cannot be passed over.
 */
export function ceilingSettings(flags: RawSettings, config: ConfigFile | null): CeilingSettings {
  const problems = [...flags.keys()].flatMap((name) => {
    const why = REASONS.get(name);
    return why === undefined ? [] : [`--${name}: not with ceiling: ${why}`];
  });
  const isSourceGiven = ['preset', 'schema', 'ddl', 'like', 'run'].some((name) => flags.has(name));
  if (config?.settings.has('like') === true && !isSourceGiven)
    problems.push(`like in ${printable(config.path)}: not with ceiling: ${REASONS.get('like') ?? ''}`);
  return {
    flags: new Map([
      ...defaultLength(flags),
      ...[...flags].filter(([name]) => !REASONS.has(name)),
      // Above what the environment names.
      ['sandbox', true],
    ]),
    config:
      config === null
        ? null
        : {
            ...config,
            settings: new Map(
              [...config.settings].filter(([name]) => !REASONS.has(name) && !OWN_LENGTH.includes(name)),
            ),
          },
    problems,
  };
}

function defaultLength(flags: RawSettings): readonly (readonly [string, string])[] {
  if (flags.has('rows') || flags.has('duration')) return [];
  return [
    ['duration', durationFlag(CEILING_DURATION_MS)],
    ['warm-up', durationFlag(CEILING_WARM_UP_MS)],
  ];
}

/** A target that is started for the run and ends with it. */
const OWN_TARGET: TargetPlan = {
  kind: 'embedded',
  nodes: [],
  discover: false,
  pgPort: DEFAULT_PG_PORT,
  username: null,
  tls: { verify: true, caCertFile: null, systemCa: false, certFile: null, keyFile: null },
};

/** The plan of a run, without all that held it back and with a target of its own. */
export function ceilingPlanOf(run: RunPlan): RunPlan {
  return {
    ...run,
    command: 'ceiling',
    target: OWN_TARGET,
    load: { ...run.load, rowsPerSecond: null, batchIntervalMs: 0, rampUpMs: 0 },
    safety: { ...run.safety, maxBytes: null, stopAtDisk: { kind: 'watermark' }, isConfirmed: false },
    machine: { index: 1, count: 1 },
    startAtMs: null,
    failOn: [],
    verify: 'count',
  };
}

/** What the target, which answers every request by the same bytes unread, has no answer to. */
export function ceilingProblems({ bounds, load }: Pick<RunPlan, 'bounds' | 'load'>): readonly string[] {
  const { rows } = bounds;
  const isUneven = rows !== null && rows % load.batchSize !== 0;
  return [
    ...(load.insertPath === 'pg'
      ? ['--insert-path pg: expected bulk-args, unnest or values: the target of a ceiling speaks HTTP only']
      : []),
    ...(isUneven
      ? [
          `--rows ${formatExact(rows)}: expected whole batches of ${formatExact(load.batchSize)} rows: the target of a ceiling does not look into requests`,
        ]
      : []),
  ];
}
