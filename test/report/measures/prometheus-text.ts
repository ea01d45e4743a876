/**
 * A strict reader of Prometheus' text format, written from its description
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format) and its conventions for names
 * (https://prometheus.io/docs/practices/naming/). Throws at whatever Prometheus would refuse or promtool would blame.
 */
import assert from 'node:assert/strict';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly Sample[];
}

const SUFFIXES = ['_bucket', '_sum', '_count'];

/** The families of a page by name; every sample belongs to one that was announced before it. */
export function parsePrometheus(text: string): ReadonlyMap<string, Family> {
  assert.ok(text === '' || text.endsWith('\n'), 'the last line ends with a line feed');
  const families = new Map<string, { type: Family['type']; help: string; samples: Sample[] }>();
  let help = { name: '', text: '' };
  let current = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      assert.ok(!families.has(name), `${name} is described once`);
      help = { name, text: rest };
    } else if (kind === 'TYPE') {
      assert.equal(help.name, name, 'TYPE follows HELP');
      assert.ok(rest === 'counter' || rest === 'gauge' || rest === 'histogram', rest);
      families.set(name, { type: rest, help: help.text, samples: [] });
      current = name;
    } else {
      const sample = parseSample(line);
      const family = families.get(current);
      const own = family?.type === 'histogram' ? SUFFIXES.map((suffix) => current + suffix) : [current];
      assert.ok(own.includes(sample.name), `${sample.name} stands in its family, not in ${current}`);
      family?.samples.push(sample);
    }
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function parseSample(line: string): Sample {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  assert.ok(match !== null, `a sample: ${line}`);
  const [, name = '', inside = '', number = ''] = match;
  const labels: Record<string, string> = {};
  const pattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
  while (pattern.lastIndex < inside.length) {
    const at = pattern.lastIndex;
    const label = pattern.exec(inside);
    assert.ok(label !== null, `labels at ${at} of ${inside}`);
    const [, key = '', value = ''] = label;
    assert.ok(!key.startsWith('__') && !Object.hasOwn(labels, key), key);
    labels[key] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  assert.match(number, /^-?\d+(\.\d+)?(e[+-]?\d+)?$/, `a finite number: ${line}`);
  return { name, labels, value: Number(number) };
}

function checkFamily(name: string, { type, help, samples }: Family): void {
  assert.notEqual(help, '');
  assert.ok(samples.length > 0, `${name} has samples`);
  assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
  assert.doesNotMatch(name, /milliseconds|microseconds|kilobytes|megabytes|percent/, 'base units only');
  const keys = samples.map((sample) => sample.name + JSON.stringify(sample.labels));
  assert.equal(new Set(keys).size, keys.length, `${name}: no series twice`);
  if (type === 'counter') for (const { value } of samples) assert.ok(value >= 0);
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => (labels['le'] === '+Inf' ? Infinity : Number(labels['le'])));
  assert.deepEqual(
    bounds,
    bounds.toSorted((a, b) => a - b),
  );
  assert.equal(bounds.at(-1), Infinity);
  const counts = buckets.map(({ value }) => value);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
    'buckets are cumulative',
  );
  const count = samples.find((sample) => sample.name === `${name}_count`);
  assert.equal(count?.value, counts.at(-1));
  assert.ok(samples.some((sample) => sample.name === `${name}_sum`));
}
