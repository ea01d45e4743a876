/** How a run shows itself: files, screen, live page, pushed metrics. It changes nothing of what is inserted. */
import { HOUR_MS } from '../base/units.ts';
import { parseOtlpHeaders } from './otlp-headers.ts';
import type { Environment } from './parse-target.ts';
import type { SettingReader } from './setting-reader.ts';

const DEFAULT_PUSH_MS = 10_000;
/** Of metrics, in OTLP over HTTP. */
const OTLP_PATH = '/v1/metrics';

/** The settings of it that go with any run, whatever its plan comes from. */
export const SHOWING_SETTINGS: readonly string[] = [
  'out',
  'json',
  'live',
  'log-format',
  'quiet',
  'web',
  'web-port',
  'otlp-endpoint',
  'otlp-interval',
];

/** How a run shows itself; it changes nothing of what is inserted. */
export interface OutputPlan {
  readonly out: string | null;
  readonly json: boolean;
  readonly live: 'auto' | 'screen' | 'lines' | 'off';
  readonly logFormat: 'text' | 'json';
  readonly quiet: boolean;
  readonly dryRun: boolean;
  readonly verbose: boolean;
  /** The live page; null: none. Port 0 takes a free one. */
  readonly web: { readonly port: number } | null;
  readonly otlp: OtlpPlan | null;
}

/** Where metrics are pushed to. */
export interface OtlpPlan {
  /** With its path. */
  readonly url: string;
  /** Secrets more often than not. */
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
}

/** The environment is asked for the headers of `--otlp-endpoint` alone. */
export function readOutput(reader: SettingReader, env: Environment): OutputPlan {
  const out = reader.text('out');
  if (out?.value === '' || out?.value === '-')
    reader.problem(out, 'expected a file; --json writes to standard output');
  const live = reader.choice('live', ['auto', 'screen', 'lines', 'off'], 'auto');
  const quiet = reader.switch('quiet', false);
  if (quiet && (live === 'screen' || live === 'lines'))
    reader.problems.push(`--quiet: expected without --live ${live}`);
  return {
    out: out?.value ?? null,
    json: reader.switch('json', false),
    live,
    logFormat: reader.choice('log-format', ['text', 'json'], 'text'),
    quiet,
    dryRun: reader.switch('dry-run', false),
    verbose: reader.switch('verbose', false),
    web: readWeb(reader),
    otlp: readOtlp(reader, env),
  };
}

/** A URL without a path is a collector's base, as with OTEL_EXPORTER_OTLP_ENDPOINT. */
function readOtlp(reader: SettingReader, env: Environment): OtlpPlan | null {
  const intervalMs = reader.durationMs('otlp-interval', { min: 1000, max: HOUR_MS }, DEFAULT_PUSH_MS);
  const given = reader.text('otlp-endpoint');
  if (given === null) return null;
  const url = URL.canParse(given.value) ? new URL(given.value) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username + url.password + url.hash !== '') {
    reader.problem(
      given,
      'expected http(s)://host:port; what signs in belongs into OTEL_EXPORTER_OTLP_HEADERS',
    );
    return null;
  }
  const read = parseOtlpHeaders(env['OTEL_EXPORTER_OTLP_HEADERS'] ?? '');
  if ('problem' in read) {
    reader.problems.push(read.problem);
    return null;
  }
  if (!url.pathname.endsWith(OTLP_PATH)) url.pathname = url.pathname.replace(/\/*$/, OTLP_PATH);
  return { url: url.href, headers: read.headers, intervalMs };
}

/** A port is enough to say that there is to be a page. */
function readWeb(reader: SettingReader): OutputPlan['web'] {
  const port = reader.count('web-port', { min: 0, max: 65_535 }, null);
  return port === null && !reader.switch('web', false) ? null : { port: port ?? 0 };
}
