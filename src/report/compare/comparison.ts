/**
 * A comparison of runs: which are repeats of one plan, in which settings, hosts and servers the sides differ, field by
 * field, what makes the comparison doubtful, and how each side stands to the first. Pure data, from run files alone.
 */
import { UsageError } from '../../base/errors.ts';
import { formatBytes, formatDuration } from '../../base/units.ts';
import { printable } from '../../base/text.ts';
import { missingRows } from '../../metrics/ledger.ts';
import type { RunFile } from '../run-file-schema.ts';
import { ASSUMED_SPREAD, type Difference, judgeSides } from './judge.ts';
import { type RunFigures, figuresOf } from './figures.ts';

export interface ComparedSide {
  /** A, B, C … */
  readonly label: string;
  readonly runs: readonly RunFigures[];
}

/** A setting or fact that is not the same on all sides, as text, one value a side. */
export interface FieldDifference {
  readonly about: 'plan' | 'host' | 'server' | 'versions';
  readonly field: string;
  readonly values: readonly string[];
}

export interface Comparison {
  readonly sides: readonly ComparedSide[];
  readonly fields: readonly FieldDifference[];
  /** In sentences. */
  readonly warnings: readonly string[];
  /** Each side but the first, against the first. */
  readonly against: readonly { readonly label: string; readonly differences: readonly Difference[] }[];
}

/** Sides a screen has room for, and letters. */
export const MAX_SIDES = 8;
/** What is over sooner is mostly start-up. */
const SHORT_RUN_MS = 10_000;
/** Characters of a setting that are shown. */
const MAX_VALUE = 120;
const LABELS = 'ABCDEFGH';

/**
 * Runs of one plan together, in the order in which the plans first appear. Two plans are one when all their settings
 * are, whatever their seeds, run ids and times.
 */
export function pooledByPlan(runs: readonly RunFile[]): readonly (readonly RunFile[])[] {
  const pools = new Map<string, RunFile[]>();
  for (const run of runs) {
    const key = JSON.stringify([...planFields(run), ...serverFields(run)]);
    pools.set(key, [...(pools.get(key) ?? []), run]);
  }
  return [...pools.values()];
}

/**
 * Compares sides, each one or more runs of one plan. Throws a UsageError when a side holds different plans, a run twice,
 * or when some runs went to another kind of target: such numbers have nothing to do with each other.
 */
export function compareRuns(groups: readonly (readonly RunFile[])[]): Comparison {
  const sides = groups.map((runs, index) => ({ label: LABELS[index] ?? '?', runs }));
  const problems = [...sides.flatMap(sideProblems), ...sharedProblems(sides), ...targetProblems(sides)];
  if (problems.length > 0)
    throw new UsageError(problems, { hint: 'A side is one run, or repeats of one plan joined by commas.' });
  const compared = sides.map(({ label, runs }) => ({ label, runs: runs.map(figuresOf) }));
  const [first, ...others] = compared;
  const against = others.map(({ label, runs }) => ({
    label,
    differences: judgeSides(first?.runs ?? [], runs),
  }));
  return {
    sides: compared,
    fields: differingFields(sides.map(({ runs }) => runs)),
    warnings: warningsOf(sides, against),
    against,
  };
}

interface Side {
  readonly label: string;
  readonly runs: readonly RunFile[];
}

type Field = readonly [name: string, value: string];

function sideProblems({ label, runs }: Side): string[] {
  const ids = runs.map(({ run }) => run.id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  const own = new Map<string, Set<string>>();
  for (const run of runs)
    for (const [name, value] of planFields(run)) own.set(name, (own.get(name) ?? new Set()).add(value));
  const mixed = [...own].filter(([, values]) => values.size > 1);
  return [
    ...twice.map((id) => `side ${label}: run ${printable(id)} is named twice`),
    ...mixed.map(([name, values]) => `side ${label}: its runs differ in ${name}: ${[...values].join(', ')}`),
  ];
}

/** A run held against itself differs in nothing, and says nothing. */
function sharedProblems(sides: readonly Side[]): string[] {
  const ids = sides.flatMap(({ runs }) => [...new Set(runs.map(({ run }) => run.id))]);
  const shared = new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
  return [...shared].map((id) => `run ${printable(id)} is on more than one side`);
}

function targetProblems(sides: readonly Side[]): string[] {
  const kinds = sides.map(({ label, runs }) => `${label} to ${runs[0]?.target.kind ?? '?'}`);
  const distinct = new Set(sides.flatMap(({ runs }) => runs.map(({ target }) => target.kind)));
  return distinct.size > 1 ? [`the runs went to different kinds of target: ${kinds.join(', ')}`] : [];
}

function differingFields(groups: readonly (readonly RunFile[])[]): FieldDifference[] {
  const firsts = groups.map(([run]) => run).filter((run) => run !== undefined);
  const kinds = [
    ['plan', planFields],
    ['host', hostFields],
    ['server', serverFields],
    ['versions', versionFields],
  ] as const;
  return kinds.flatMap(([about, fieldsOf]) => {
    const perSide = firsts.map((run) => new Map(fieldsOf(run)));
    const names = [...new Set(perSide.flatMap((fields) => [...fields.keys()]))];
    return names
      .map((field) => ({ about, field, values: perSide.map((fields) => fields.get(field) ?? '–') }))
      .filter(({ values }) => new Set(values).size > 1);
  });
}

/** In what two runs' hosts and programs differ, one value each. */
export function hostDifferences(a: RunFile, b: RunFile): readonly FieldDifference[] {
  return differingFields([[a], [b]]).filter(({ about }) => about === 'host' || about === 'versions');
}

function warningsOf(sides: readonly Side[], against: Comparison['against']): string[] {
  const all = sides.flatMap(({ runs }) => runs);
  const single = singleSides(sides, against);
  const differing = differingFields(sides.map(({ runs }) => runs));
  const bad = all.filter(({ run, verification, ledger }) => {
    return ![0, 5].includes(run.exitCode) || missingRows(ledger) > 0 || verification.verdict === 'mismatch';
  });
  const short = all.filter(({ run }) => (run.measuredMs ?? 0) < SHORT_RUN_MS);
  const asked = all.filter(({ plan }) => plan.rowsPerSecond !== null);
  return [
    ...(['host', 'server', 'versions'] as const).flatMap((about) => {
      const names = differing.filter((field) => field.about === about).map(({ field }) => field);
      return names.length === 0
        ? []
        : [`The sides differ in their ${about}: ${names.join(', ')}. A difference may come from there.`];
    }),
    ...(single.length === 0
      ? []
      : [
          `One run is not a repeat: ${single.join(' and ')} ${single.length === 1 ? 'is' : 'are'} judged by the unrest within the run and a spread between runs of ${ASSUMED_SPREAD * 100} %, which is assumed unless another side shows its own.`,
        ]),
    ...bad.map(({ run }) => `Run ${printable(run.id)} did not end well (exit ${run.exitCode}).`),
    ...all.flatMap(outageWarning),
    ...(short.length === 0 ? [] : [`${short.length} of ${all.length} runs measured less than 10 seconds.`]),
    ...(asked.length === 0
      ? []
      : ['Runs with --rate store what was asked for: compare their latency and cost.']),
    ...(isInOrder(sides)
      ? [
          'All runs of one side came before all runs of the other: what else changed meanwhile looks like a difference. crategen ab shuffles them.',
        ]
      : []),
    ...(all.some(({ target }) => target.kind !== 'cratedb')
      ? ['The target was not CrateDB: this says something about crategen and this host only.']
      : []),
  ];
}

/** Of a run that went on without a node: whoever reads its figures should know. */
function outageWarning({ run, nodes }: RunFile): string[] {
  const out = nodes.filter(({ outages }) => outages.length > 0);
  const outMs = out
    .flatMap(({ outages }) => outages)
    .reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  if (out.length === 0) return [];
  const who = out.length === 1 ? 'a node was out for' : `${out.length} nodes were out, together for`;
  return [`In run ${printable(run.id)} ${who} ${formatDuration(outMs)}: what that cost is in its figures.`];
}

/** The labels of sides that are one run and were judged all the same: others are too short to tell. */
function singleSides(sides: readonly Side[], against: Comparison['against']): string[] {
  const assumed = against.filter(({ differences }) => differences.some(({ isAssumed }) => isAssumed));
  const judged = assumed.length === 0 ? [] : [sides[0]?.label, ...assumed.map(({ label }) => label)];
  return sides
    .filter(({ label, runs }) => runs.length === 1 && judged.includes(label))
    .map(({ label }) => label);
}

/** With one run a side there is always an order. */
function isInOrder(sides: readonly Side[]): boolean {
  const spans = sides.map(({ runs }) => runs.map(({ run }) => Date.parse(run.startedAt)));
  if (spans.length !== 2 || spans.some((starts) => starts.length < 2)) return false;
  const [a = [], b = []] = spans;
  return Math.max(...a) < Math.min(...b) || Math.max(...b) < Math.min(...a);
}

/** Every setting that shapes a run, by its name; identity and what only watches it are left out. */
function planFields(run: RunFile): Field[] {
  const { plan } = run;
  // Those that are no plain values are told below.
  const skipped: ReadonlySet<string> = new Set([
    'also',
    'schema',
    'source',
    'table',
    'target',
    'maxFailed',
    'stopAtDisk',
    'statement',
    'ddl',
    'timeOrigin',
    'poolsHash',
    'failOn',
    'verify',
    'startAt',
    'isConfirmed',
  ]);
  return [
    ...Object.entries(plan).filter(([name]) => !skipped.has(name)),
    ...Object.entries(plan.table).map(([name, value]) => [`table.${name}`, value] as const),
    ['table', run.target.table] as const,
    ['also', plan.also.map(furtherTable).join(', ')] as const,
    ['keyed', run.target.keyed] as const,
    ['schema', schemaText(plan.schema)] as const,
    ['discover', plan.target.discover] as const,
    ['tls', plan.target.tls.verify] as const,
    ['source', plan.source] as const,
    ['maxFailed', plan.maxFailed] as const,
    ['stopAtDisk', plan.stopAtDisk] as const,
  ].map(([name, value]) => [name, shown(value)]);
}

function furtherTable({ table, weight, schema }: RunFile['plan']['also'][number]): string {
  return `${table}=${weight}: ${schemaText(schema)}`;
}

function hostFields({ host }: RunFile): Field[] {
  return [
    ['cores', shown(host.cores)],
    ['cgroup cores', shown(host.cgroupCores)],
    ['memory', formatBytes(host.memoryBytes)],
  ];
}

function serverFields({ target, server, plan }: RunFile): Field[] {
  const nodes = server?.nodes ?? [];
  return [
    ['kind', target.kind],
    ['version', printable(target.version ?? '–')],
    ['nodes', String(target.nodes.length)],
    // An embedded sandbox has another port each time.
    [
      'addresses',
      plan.target.kind === 'embedded' ? 'embedded' : printable(target.nodes.toSorted().join(' '), 400),
    ],
    ['cores of the nodes', nodes.map(({ cores }) => cores ?? '–').join(' ')],
    [
      'heap of the nodes',
      nodes.map(({ heapMaxBytes }) => (heapMaxBytes === null ? '–' : formatBytes(heapMaxBytes))).join(' '),
    ],
  ];
}

function versionFields({ versions }: RunFile): Field[] {
  return Object.entries(versions).map(([name, version]) => [name, printable(version)]);
}

/** Two schemas are one when their columns are; a name and their number are enough to be told apart by people. */
function schemaText(schema: RunFile['plan']['schema']): string {
  return `${schema.name}, ${schema.columns.length} columns (${hashOf(JSON.stringify(schema))})`;
}

/** Long values are told apart by a hash of all of them: what is cut off must not make two plans one. */
function shown(value: unknown): string {
  if (value === null) return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= MAX_VALUE
    ? printable(text)
    : `${printable(text.slice(0, MAX_VALUE))} (${hashOf(text)})`;
}

function hashOf(text: string): string {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return (hash >>> 0).toString(16);
}
