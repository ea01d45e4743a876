/**
 * The plan of `cluster --resume`: the stored one, with what the command line says about the target, patience and
 * output. What decides which rows exist and who inserts them must stay as it was.
 */
import { SHOWING_SETTINGS, readOutput } from './parse-output.ts';
import type { ParsedRunPlan, PlanInput } from './plan-input.ts';
import { readSafety } from './parse-safety.ts';
import { type TargetDefaults, readTarget } from './parse-target.ts';
import { readThresholds } from './parse-thresholds.ts';
import type { RunPlan, VerifyMethod } from './run-plan.ts';
import { SettingReader, quoted } from './setting-reader.ts';

/** What `--resume` may change: how the target is opened, patience, and what is shown. */
const RESUME_SETTINGS: ReadonlySet<string> = new Set([
  'url',
  'discover',
  'username',
  'password-file',
  'password-stdin',
  'token-file',
  'token-stdin',
  'ca-cert-file',
  'system-ca',
  'cert-file',
  'key-file',
  'insecure',
  'timeout',
  'retries',
  'drain-timeout',
  'outage-timeout',
  'block-timeout',
  'max-failed',
  'max-bytes',
  'stop-at-disk',
  'yes',
  'fail-on',
  ...SHOWING_SETTINGS,
  'verify',
  'resume',
  'config',
]);

/** `stored` with what may change; everything that does not go together is among the problems. */
export function parseResumePlan(
  input: Omit<PlanInput, 'command' | 'schemaFile' | 'alsoFiles'>,
  stored: RunPlan,
): ParsedRunPlan {
  const reader = new SettingReader(input.flags, input.config);
  reader.acceptOnly(RESUME_SETTINGS, 'expected to stay as in the run that --resume goes on with');
  if (stored.target.kind === 'embedded') {
    reader.problems.push(
      `--resume ${quoted(stored.runId)}: its embedded sandbox ended with it, so there is nothing to go on with`,
    );
  }
  const defaults: TargetDefaults = {
    nodes: stored.target.nodes,
    username: stored.target.username,
    discover: stored.target.discover,
    allowsEmbedded: false,
  };
  const { target, secrets } = readTarget(reader, input.env, defaults);
  const plan: RunPlan = {
    ...stored,
    target: {
      ...target,
      pgPort: stored.target.pgPort,
      tls: resumedTls(reader, target.tls, stored.target.tls),
    },
    safety: readSafety(reader, stored.safety),
    failOn: reader.isSpelledOut('fail-on') ? readThresholds(reader) : stored.failOn,
    verify: reader.choice<VerifyMethod>('verify', ['count', 'rows', 'none'], stored.verify),
    startAtMs: null,
  };
  const output = readOutput(reader, input.env);
  if (reader.problems.length > 0)
    return { ok: false, target: plan.target, secrets, problems: reader.problems };
  return { ok: true, target: plan.target, secrets, plan, output, warnings: reader.warnings, notes: null };
}

type TlsPlan = RunPlan['target']['tls'];

/** Verification is only off when this command line says so: a resumed run does not inherit `--insecure`. */
function resumedTls(reader: SettingReader, given: TlsPlan, stored: TlsPlan): TlsPlan {
  return {
    verify: !reader.switch('insecure', false),
    caCertFile: given.caCertFile ?? stored.caCertFile,
    systemCa: given.systemCa || stored.systemCa,
    certFile: given.certFile ?? stored.certFile,
    keyFile: given.keyFile ?? stored.keyFile,
  };
}
