/** Every row of every preset is JSON of the right shape, and each value one that its column can store. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import { PRESET_NAMES, presetSchema } from '../../src/rows/presets.ts';
import { type Column, type ColumnType, type Generator, insertedColumns } from '../../src/rows/schema.ts';
import { validateSchema } from '../../src/rows/validate-schema.ts';
import { IDENTITY, planOf, preset, readerOf, rowsOf } from './support.ts';

const ROWS = 3000;

/** Throws where a value does not fit its type or lies outside of what its generator promises. */
function check(type: ColumnType, generator: Generator | null, value: unknown, where: string): void {
  if (generator !== null) checkRange(generator, value, where);
  const isOk = (claim: boolean): void => assert.ok(claim, `${where}: ${JSON.stringify(value)}`);
  const integer = (bits: number): void =>
    isOk(
      Number.isSafeInteger(value) && Number(value) >= -(2 ** (bits - 1)) && Number(value) < 2 ** (bits - 1),
    );
  const matches = (pattern: RegExp): void => isOk(typeof value === 'string' && pattern.test(value));
  switch (type.kind) {
    case 'boolean':
      return isOk(typeof value === 'boolean');
    case 'byte':
      return integer(8);
    case 'smallint':
      return integer(16);
    case 'integer':
      return integer(32);
    case 'bigint':
    case 'timestamptz':
    case 'timestamp':
      return integer(64);
    case 'real':
    case 'double':
      return isOk(typeof value === 'number' && Number.isFinite(value));
    case 'numeric':
      return matches(new RegExp(`^-?\\d{1,${type.precision - type.scale}}(\\.\\d{1,${type.scale}})?$`));
    case 'text':
      return isOk(typeof value === 'string');
    case 'varchar':
    case 'char':
      return isOk(typeof value === 'string' && value.length <= type.length && value === value.trimEnd());
    case 'ip':
      return isOk(isIP(String(value)) > 0);
    case 'uuid':
      return matches(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    case 'bit':
      return matches(new RegExp(`^[01]{${type.length}}$`));
    case 'geo_point':
      return checkPlace(value, where);
    case 'geo_shape':
      return checkShape(value as { type: string; coordinates: unknown }, where);
    case 'float_vector':
      isOk(Array.isArray(value) && value.length === type.dimensions);
      return (value as unknown[]).forEach((part) => isOk(Math.abs(Number(part)) <= 1));
    case 'array':
      isOk(Array.isArray(value));
      for (const element of value as unknown[])
        check(type.of, generator?.kind === 'array' ? generator.of : null, element, `${where}[]`);
      return;
    case 'object': {
      if (type.policy === 'ignored') return isOk(typeof value === 'object' && value !== null);
      const object = value as Readonly<Record<string, unknown>>;
      assert.deepEqual(
        Object.keys(object),
        type.columns.map(({ name }) => name),
        where,
      );
      return type.columns.forEach((column) => checkColumn(column, object[column.name], where));
    }
  }
}

function checkRange(generator: Generator, value: unknown, where: string): void {
  const within = (min: number, max: number): void =>
    assert.ok(
      Number(value) >= min && Number(value) <= max,
      `${where}: ${String(value)} is not ${min} to ${max}`,
    );
  switch (generator.kind) {
    case 'integer':
      return within(generator.min, generator.max);
    case 'decimal':
      return within(generator.min / 10 ** generator.scale, generator.max / 10 ** generator.scale);
    case 'exponential':
      return within(
        generator.min / 10 ** generator.scale,
        (generator.min + 17 * generator.mean) / 10 ** generator.scale,
      );
    case 'zipf':
      return within(generator.from, generator.from + generator.ranks - 1);
    case 'complement':
      return within(0, generator.total);
    case 'array': {
      const { length } = value as unknown[];
      return assert.ok(length >= generator.minLength && length <= generator.maxLength, where);
    }
    case 'characters': {
      const { length } = String(value);
      return assert.ok(length >= generator.minLength && length <= generator.maxLength, where);
    }
    case 'choice':
      return assert.ok(
        generator.options.some((option) => JSON.stringify(option.value) === JSON.stringify(value)),
        where,
      );
    default:
  }
}

function checkColumn(column: Column, value: unknown, where: string): void {
  const path = `${where}.${column.name}`;
  if (value === null) assert.ok((column.nulls ?? 0) > 0, `${path} is null`);
  else check(column.type, column.generator, value, path);
}

function checkPlace(value: unknown, where: string): void {
  const [lon, lat] = value as readonly [number, number];
  assert.ok(
    lon >= -9.5 && lon <= 30 && lat >= 36 && lat <= 60,
    `${where}: ${lon}, ${lat} is outside of the box`,
  );
}

/** A ring is closed, counter-clockwise, and a box with sides that are not 0. */
function checkShape({ type, coordinates }: { type: string; coordinates: unknown }, where: string): void {
  const points = (type === 'Polygon' ? (coordinates as unknown[])[0] : coordinates) as readonly [
    number,
    number,
  ][];
  for (const point of points) checkPlace(point, where);
  const [a, b, c, d, e] = points;
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  assert.ok(b[0] > a[0] && b[1] === a[1] && c[0] === b[0] && c[1] > b[1], where);
  if (type === 'Polygon') assert.deepEqual([d, e, points.length], [[a[0], c[1]], a, 5], where);
  else assert.deepEqual([type, points.length], ['LineString', 3], where);
}

describe('the presets', () => {
  it('are known by name, others are not', () => {
    assert.deepEqual([...PRESET_NAMES], ['records', 'metrics', 'everything']);
    assert.equal(presetSchema('record'), null);
    for (const name of PRESET_NAMES) assert.equal(preset(name).name, name);
  });

  for (const name of PRESET_NAMES) {
    it(`${name} has no problems, and starts with the key of the run`, () => {
      const schema = preset(name);
      assert.deepEqual(validateSchema(schema), []);
      assert.deepEqual(schema.primaryKey, ['run_id', 'seq']);
      assert.deepEqual(
        schema.columns.slice(0, 2).map((column) => column.name),
        ['run_id', 'seq'],
      );
    });

    it(`${name} has rows of the right shape, with values that their columns can store`, async () => {
      const schema = preset(name);
      const columns = insertedColumns(schema);
      rowsOf(await planOf(schema), 0, ROWS).forEach((row, index) => {
        assert.equal(row.length, columns.length);
        assert.deepEqual(row.slice(0, 2), [IDENTITY.runId, index]);
        columns.forEach((column, place) => checkColumn(column, row[place], name));
      });
    });
  }
});

describe('records', () => {
  it('advance in time with their number, and mail addresses belong to names', async () => {
    for (const [, seq, ts, person, email] of rowsOf(await planOf(preset('records')), 1000, 500)) {
      const due = IDENTITY.timeOriginMs + 10 * Number(seq);
      assert.ok(Number(ts) >= due && Number(ts) < due + 10);
      const [first = '', last = ''] = String(person)
        .split(' ')
        .map((part) => part.toLowerCase().replaceAll(/[^a-z]/g, ''));
      assert.match(
        String(email),
        new RegExp(`^${first}\\.${last}\\d{1,5}@(example\\.(com|net|org)|mail\\.example)$`),
      );
    }
  });
});

describe('metrics', () => {
  type Tags = Readonly<Record<string, string>>;

  it('have tags that agree with each other', async () => {
    const rows = rowsOf(await planOf(preset('metrics')), 0, 3000);
    const known = new Map<string, string>();
    const follows = (from: string, what: string, value = ''): void => {
      assert.equal(known.get(from) ?? value, value, `${what} of ${from}`);
      known.set(from, value);
    };
    rows
      .map(([, , object]) => object as Tags)
      .forEach((tags, row, all) => {
        assert.equal(all[row % 1000]?.['hostname'], tags['hostname']);
        follows(`host ${tags['hostname']}`, 'tags', JSON.stringify(tags));
        follows(`rack ${tags['rack']} centre`, 'data centre', tags['datacenter']);
        follows(`rack ${tags['rack']} arch`, 'architecture', tags['arch']);
        follows(`centre ${tags['datacenter']}`, 'region', tags['region']);
        follows(`service ${tags['service']}`, 'team', tags['team']);
        assert.ok(tags['hostname']?.startsWith(`${tags['service']}-`));
        assert.ok(tags['hostname']?.endsWith(`.${tags['datacenter']}`));
      });
    assert.equal(new Set(rows.map(([, , tags]) => (tags as Tags)['hostname'])).size, 1000);
    assert.ok(new Set(rows.map(([, , tags]) => (tags as Tags)['region'])).size === 8);
  });

  it('share out the time of each machine to the last percent', async () => {
    const schema = preset('metrics');
    const names = insertedColumns(schema).map(({ name }) => name);
    for (const row of rowsOf(await planOf(schema), 500_000, 3000)) {
      const usage = (name: string): number => Number(row[names.indexOf(`usage_${name}`)]);
      const parts = ['user', 'system', 'idle', 'nice', 'iowait', 'irq', 'softirq', 'steal'].map(usage);
      assert.equal(
        parts.reduce((sum, part) => sum + part),
        100,
      );
      for (const part of [...parts, usage('guest'), usage('guest_nice')]) assert.ok(part >= 0 && part <= 100);
    }
  });

  it('report each machine every ten seconds, and move from one report to the next as a machine does', async () => {
    const read = readerOf(await planOf(preset('metrics')));
    const user = (row: number): number => Number(read(row)[4]);
    const times = [0, 999, 1000, 5003].map((row) => read(row)[3]);
    assert.deepEqual(
      times,
      [0, 0, 10_000, 50_000].map((ms) => IDENTITY.timeOriginMs + ms),
    );
    const step = (lag: number): number => {
      let sum = 0;
      for (let tick = 0; tick < 300; tick += 1)
        sum += Math.abs(user(7 + 1000 * tick) - user(7 + 1000 * (tick + lag)));
      return sum / 300;
    };
    assert.ok(step(1) < step(1000) / 2, `${step(1)} from one report to the next, ${step(1000)} over hours`);
  });
});

describe('everything', () => {
  it('has a column of every type', () => {
    const kinds = new Set<string>();
    const visit = (type: ColumnType): void => {
      kinds.add(type.kind);
      if (type.kind === 'array') visit(type.of);
      if (type.kind === 'object') type.columns.forEach((column) => visit(column.type));
    };
    const { columns } = preset('everything');
    for (const column of columns) visit(column.type);
    const all =
      'array bigint bit boolean byte char double float_vector geo_point geo_shape integer ip numeric object real ' +
      'smallint text timestamp timestamptz uuid varchar';
    assert.deepEqual([...kinds].toSorted(), all.split(' '));
    const policies = columns.flatMap(({ type }) => (type.kind === 'object' ? [type.policy] : []));
    assert.deepEqual(new Set(policies), new Set(['dynamic', 'strict', 'ignored']));
    assert.ok(columns.some(({ generatedAs }) => generatedAs !== undefined));
    assert.ok(columns.some((column) => column.default !== undefined));
  });
});
