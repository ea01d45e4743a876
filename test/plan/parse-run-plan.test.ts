/** Flags, environment and config file become a run plan, or every problem at once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatTable } from '../../src/base/sql.ts';
import { parseResumePlan } from '../../src/plan/parse-resume-plan.ts';
import { schemaFilePath } from '../../src/plan/parse-table.ts';
import { RUN_SETTINGS } from '../../src/plan/settings.ts';
import { FACTS, parse, planned, problems } from './parse-input.ts';
import { preset, tableOf } from '../rows/support.ts';

describe('a sequence', () => {
  it('that ends within the run is a problem before it, in the words of what names it', () => {
    const schema = tableOf([
      { name: 'a', type: { kind: 'smallint' }, generator: { kind: 'sequence', start: 1, step: 1 } },
    ]);
    const schemaFile = { ok: true, schema, table: { schema: 's', table: 't' } } as const;
    const given = (flags: Readonly<Record<string, string>>): readonly string[] =>
      problems({ schema: 'small.yaml', ...flags }, { schemaFile });
    assert.deepEqual(given({ rows: '32768' }), [
      'small.yaml: column a: its sequence begins again after 32767 rows; give it a wrap if 32768 rows may repeat it',
    ]);
    assert.equal(given({}).length, 1, 'the default is a million rows');
    planned({ schema: 'small.yaml', rows: '32767' }, { schemaFile });
    planned({ schema: 'small.yaml', duration: '1h' }, { schemaFile });
  });
});

describe('the defaults of a run', () => {
  it('are those of the contract for cluster', () => {
    const { plan, output } = planned({});
    assert.deepEqual(plan, {
      command: 'cluster',
      runId: '20261124-1530-x7k2',
      seed: 4711,
      timeOriginMs: Date.UTC(2026, 10, 24, 15),
      target: {
        kind: 'urls',
        nodes: ['http://localhost:4200'],
        discover: false,
        pgPort: 5432,
        username: null,
        tls: { verify: true, caCertFile: null, systemCa: false, certFile: null, keyFile: null },
      },
      table: {
        name: { schema: 'crategen', table: 'records' },
        source: { kind: 'preset', name: 'records' },
        schema: preset('records'),
        weight: 1,
        create: true,
        recreate: false,
        shards: null,
        replicas: null,
        key: true,
      },
      also: [],
      bounds: { rows: 1_000_000, durationMs: null },
      load: {
        procs: 6,
        batchSize: 1000,
        inFlight: 4,
        batchIntervalMs: 0,
        rowsPerSecond: null,
        rampUpMs: 0,
        warmUpMs: 0,
        insertPath: 'bulk-args',
        compression: 'none',
        generator: 'fast',
        maxBodyBytes: 16 * 1024 * 1024,
      },
      safety: {
        timeoutMs: 90_000,
        retries: 3,
        drainTimeoutMs: 15_000,
        outageTimeoutMs: 120_000,
        blockTimeoutMs: 60_000,
        maxFailed: { kind: 'rows', rows: 0 },
        stopsAtMaxFailed: false,
        maxBytes: null,
        stopAtDisk: { kind: 'watermark' },
        isConfirmed: false,
      },
      machine: { index: 1, count: 1 },
      startAtMs: null,
      failOn: [],
      verify: 'count',
    });
    assert.deepEqual(output, {
      out: null,
      json: false,
      live: 'auto',
      logFormat: 'text',
      quiet: false,
      dryRun: false,
      verbose: false,
      web: null,
      otlp: null,
    });
  });

  it('bound single by 10,000 rows in one process', () => {
    const { plan } = planned({}, { command: 'single' });
    assert.equal(plan.bounds.rows, 10_000);
    assert.equal(plan.load.procs, 1);
  });

  it('leave rows unbounded where only a duration is given', () => {
    assert.deepEqual(planned({ duration: '5m' }).plan.bounds, { rows: null, durationMs: 300_000 });
    assert.deepEqual(planned({ duration: '5m', rows: '2k' }).plan.bounds, {
      rows: 2000,
      durationMs: 300_000,
    });
  });

  it('take the table from the preset', () => {
    assert.equal(formatTable(planned({ preset: 'metrics' }).plan.table.name), 'crategen.metrics');
  });
});

describe('precedence', () => {
  it('is flag, environment, config file, default', () => {
    const config = { url: ['http://config:1'], procs: '3', 'batch-size': '500' };
    const env = { CRATEDB_CLUSTER_URL: 'http://env:2' };
    const all = planned({ url: ['http://flag:3'], procs: '2' }, { config, env }).plan;
    assert.deepEqual([all.target.nodes, all.load.procs, all.load.batchSize], [['http://flag:3'], 2, 500]);
    assert.deepEqual(planned({}, { config, env }).plan.target.nodes, ['http://env:2']);
    assert.deepEqual(planned({}, { config }).plan.target.nodes, ['http://config:1']);
  });

  it('reads a budget of bytes and a limit of disks, and refuses what is neither', () => {
    const { safety } = planned({ 'max-bytes': '10g', 'stop-at-disk': '82.5%' }).plan;
    assert.equal(safety.maxBytes, 10 * 2 ** 30);
    assert.deepEqual(safety.stopAtDisk, { kind: 'share', share: 0.825 });
    assert.deepEqual(planned({ 'stop-at-disk': 'off' }).plan.safety.stopAtDisk, { kind: 'off' });
    for (const text of ['80', '0%', '101%', '-1%', 'never', '']) {
      const parsed = parse({ 'stop-at-disk': text });
      assert.ok(!parsed.ok, text);
      assert.match(
        parsed.problems.join(),
        /--stop-at-disk .*: expected a percentage from 1% to 100%, as 80%, or off/,
      );
    }
  });

  it('counts a max-failed from the config file as spelled out', () => {
    assert.deepEqual(planned({}, { config: { 'max-failed': '0.1%' } }).plan.safety.maxFailed, {
      kind: 'share',
      share: 0.001,
    });
    assert.equal(planned({}, { config: { 'max-failed': '5' } }).plan.safety.stopsAtMaxFailed, true);
  });
});

describe('problems', () => {
  it('are all told at once, one line each with flag, value and what is accepted', () => {
    const told = problems({
      rows: 'many',
      'batch-size': '0',
      timeout: '90',
      compress: 'zip',
      'run-id': '../x',
      live: 'tv',
    });
    assert.equal(told.length, 6);
    for (const name of ['rows', 'batch-size', 'timeout', 'compress', 'run-id', 'live']) {
      const line = told.find((text) => text.startsWith(`--${name} "`));
      assert.match(line ?? '', /": expected /, name);
    }
  });

  it('name the config file where the value stands there', () => {
    assert.match(
      problems({}, { config: { rows: 'lots' } })[0] ?? '',
      /^rows in crategen\.config\.yaml "lots": expected/,
    );
  });

  it('name the ranges at both ends', () => {
    for (const [flag, low, high] of [
      ['procs', '0', '1025'],
      ['in-flight', '0', '1001'],
      ['batch-size', '0', '100001'],
      ['rows', '0', '1000001g'],
    ] as const) {
      assert.equal(problems({ [flag]: low }).length, 1, `${flag} ${low}`);
      assert.equal(problems({ [flag]: high }).length, 1, `${flag} ${high}`);
    }
  });

  it('explain letters for thousands only where thousands are accepted', () => {
    assert.deepEqual(problems({ procs: 'x' }), ['--procs "x": expected a whole number, from 1 to 1,024']);
    assert.match(problems({ rows: 'x' })[0] ?? '', /with k, m or g for thousands/);
  });

  it('show a hostile value without its control characters and cut', () => {
    const [line = ''] = problems({ rows: `\u001b[2J${'9'.repeat(5000)}` });
    assert.ok(!line.includes('\u001b') && line.length < 400, line);
  });
});

describe('combinations', () => {
  it('refuse to drop outside crategen unless the table is spelled out', () => {
    assert.equal(planned({ recreate: true }).plan.table.recreate, true);
    assert.match(problems({ recreate: true, table: 'doc.orders' })[0] ?? '', /--yes-drop doc\.orders/);
    assert.match(
      problems({ recreate: true, table: 'doc.orders', 'yes-drop': 'doc.order' })[0] ?? '',
      /doc\.orders/,
    );
    assert.equal(
      planned({ recreate: true, table: 'doc.orders', 'yes-drop': 'doc.orders' }).plan.table.recreate,
      true,
    );
    assert.equal(problems({ 'yes-drop': 'doc.orders' }).length, 1);
    assert.equal(problems({ recreate: true, create: false }).length, 1);
  });

  it('want several machines to agree on everything that decides which rows exist', () => {
    const [line = ''] = problems({ machine: '2/3', seed: '1' });
    for (const flag of ['run-id', 'time-origin', 'rows', 'batch-size', 'procs'])
      assert.ok(line.includes(`--${flag}`), flag);
    const spelled = {
      machine: '2/3',
      seed: '1',
      'run-id': 'r',
      'time-origin': '2026-11-24',
      rows: '1k',
      'batch-size': '10',
      procs: '2',
    };
    assert.deepEqual(planned(spelled).plan.machine, { index: 2, count: 3 });
    for (const machine of ['0/3', '4/3', '1/0', '1', '1/1001', 'a/b', '-1/3'])
      assert.equal(problems({ ...spelled, machine }).length, 1, machine);
  });

  it('refuse a rate that leaves workers without a batch', () => {
    assert.match(problems({ rate: '10', duration: '10s', procs: '8' })[0] ?? '', /--rate 10: too slow/);
    assert.equal(
      planned({ rate: '10', duration: '10s', procs: '8', 'batch-size': '1' }).plan.load.rowsPerSecond,
      10,
    );
    assert.equal(problems({ rate: '10k', 'batch-interval': '1s' }).length, 1);
  });

  it('refuse a warm-up or ramp-up as long as the run', () => {
    assert.equal(problems({ duration: '10s', 'warm-up': '10s', 'ramp-up': '1m' }).length, 2);
  });

  it('refuse what a way of sending rows has no room for', () => {
    assert.equal(planned({ 'insert-path': 'values' }).plan.load.batchSize, 10);
    assert.equal(planned({ 'insert-path': 'unnest' }).plan.load.batchSize, 1000);
    assert.match(problems({ 'insert-path': 'values', 'batch-size': '11' })[0] ?? '', /at most 10 with/);
    assert.match(problems({ 'insert-path': 'copy' })[0] ?? '', /expected bulk-args, unnest, values, pg/);
    assert.match(problems({ 'pg-port': '5433' })[0] ?? '', /only with --insert-path pg/);
    assert.equal(problems({ 'insert-path': 'pg', compress: 'gzip', sandbox: true }).length, 2);
  });

  it('of a table like another go to the schema crategen, and want neither a sandbox nor a second machine', () => {
    const parsed = parse({ like: 'shop.orders', shape: true });
    assert.ok(parsed.ok);
    const { table } = parsed.plan;
    assert.deepEqual(table.name, { schema: 'crategen', table: 'orders' });
    assert.deepEqual(table.source, {
      kind: 'like',
      table: { schema: 'shop', table: 'orders' },
      shape: true,
      copyValues: false,
    });
    assert.equal(table.schema, null);
    assert.match(
      problems({ like: 'shop.orders', sandbox: true }).join(),
      /--sandbox: expected without --like/,
    );
    assert.match(
      problems({ like: 'shop.orders', machine: '1/2' }).join(),
      /--machine: expected without --like/,
    );
    assert.match(problems({ like: 'orders' }).join(), /--like "orders": expected SCHEMA\.TABLE/);
    assert.deepEqual(problems({ shape: true }), ['--shape: expected only together with --like']);
  });
});

describe('times', () => {
  it('need a zone, a real day, and a year that fits', () => {
    assert.equal(
      planned({ 'time-origin': '2026-02-28T10:00:00+02:00' }).plan.timeOriginMs,
      Date.UTC(2026, 1, 28, 8),
    );
    assert.equal(planned({ 'time-origin': '2026-02-28' }).plan.timeOriginMs, Date.UTC(2026, 1, 28));
    for (const text of [
      '2026-02-30',
      '2026-02-28T10:00',
      'yesterday',
      '1969-12-31',
      '2200-01-01',
      '1e9',
      '',
    ]) {
      assert.equal(problems({ 'time-origin': text }).length, 1, text);
    }
  });

  it('take a start that is over, and refuse one that is far away', () => {
    assert.deepEqual(planned({ 'start-at': '2026-11-24' }).warnings, []);
    assert.equal(problems({ 'start-at': '2026-12-24T15:30:00Z' }).length, 1);
  });
});

describe('conditions of --fail-on', () => {
  it('carry their unit', () => {
    const { plan } = planned({
      'fail-on': ['p99>200ms', 'rows/s < 50k', 'cpu>=150%', 'failed>0', 'max>1.5s'],
    });
    assert.deepEqual(
      plan.failOn.map(({ metric, operator, value }) => [metric, operator, value]),
      [
        ['p99', '>', 200],
        ['rows/s', '<', 50_000],
        ['cpu', '>=', 150],
        ['failed', '>', 0],
        ['max', '>', 1500],
      ],
    );
  });

  it('are refused where metric, operator or unit is wrong', () => {
    for (const text of ['p42>1s', 'p99=1s', 'p99>200', 'rows/s<fast', 'cpu>', '', 'failed>1%']) {
      assert.equal(problems({ 'fail-on': [text] }).length, 1, text);
    }
  });
});

describe('a schema file', () => {
  const schemaFile = {
    ok: true,
    schema: preset('metrics'),
    table: { schema: 'shop', table: 'orders' },
  } as const;

  it('gives the schema, and the table unless --table says otherwise', () => {
    const { table } = planned({ schema: 'orders.yaml' }, { schemaFile }).plan;
    assert.deepEqual(table.source, { kind: 'file', path: 'orders.yaml' });
    assert.equal(table.schema, schemaFile.schema);
    assert.equal(formatTable(table.name), 'shop.orders');
    const other = planned({ schema: 'orders.yaml', table: 'demo.it' }, { schemaFile });
    assert.equal(formatTable(other.plan.table.name), 'demo.it');
  });

  it('has its problems told together with those of the flags', () => {
    const broken = { ok: false, problems: ['orders.yaml:3:5: columns.id.type: expected a type'] } as const;
    assert.deepEqual(
      problems({ schema: 'orders.yaml', rows: 'lots' }, { schemaFile: broken }).map((line) =>
        line.slice(0, 15),
      ),
      ['--rows "lots": ', 'orders.yaml:3:5'],
    );
  });

  it('excludes a preset beside it, but a flag wins over the config file', () => {
    assert.match(
      problems({ schema: 'orders.yaml', preset: 'metrics' }, { schemaFile })[0] ?? '',
      /^--preset, --schema: expected only one of them$/,
    );
    const config = { schema: 'orders.yaml' };
    assert.deepEqual(planned({ preset: 'metrics' }, { config }).plan.table.source, {
      kind: 'preset',
      name: 'metrics',
    });
    assert.equal(
      schemaFilePath(new Map([['preset', 'metrics']]), { path: 'c', settings: new Map([['schema', 'x']]) }),
      null,
    );
  });
});

describe('resuming', () => {
  const stored = planned({ rows: '5k', url: ['http://db:4200'], username: 'crate', insecure: true }).plan;
  const resume = (flags: Record<string, string | boolean | string[]>): ReturnType<typeof parseResumePlan> =>
    parseResumePlan({ flags: new Map(Object.entries(flags)), env: {}, config: null, facts: FACTS }, stored);

  it('keeps the stored plan and takes patience and credentials anew', () => {
    const parsed = resume({ resume: 'latest', timeout: '5s', 'password-file': '/secret' });
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.plan.bounds, stored.bounds);
    assert.equal(parsed.plan.safety.timeoutMs, 5000);
    assert.deepEqual(parsed.plan.target.nodes, ['http://db:4200']);
    assert.deepEqual(parsed.secrets.password, { kind: 'file', path: '/secret', name: '--password-file' });
  });

  it('does not inherit --insecure', () => {
    const parsed = resume({ resume: 'latest' });
    assert.equal(parsed.ok && parsed.plan.target.tls.verify, true);
  });

  it('refuses whatever decides which rows exist', () => {
    const parsed = resume({ resume: 'latest', rows: '6k', procs: '2', seed: '1', table: 'a.b' });
    assert.equal(!parsed.ok && parsed.problems.length, 4);
  });

  it('refuses a run whose sandbox is gone', () => {
    const parsed = parseResumePlan(
      { flags: new Map([['resume', 'x']]), env: {}, config: null, facts: FACTS },
      { ...stored, target: { ...stored.target, kind: 'embedded', nodes: [] } },
    );
    assert.equal(parsed.ok, false);
  });
});

describe('any command line', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '-1',
      '1e9',
      'NaN',
      '∞',
      '0x10',
      '__proto__',
      '../..',
      'a"; DROP TABLE x; --',
      'http://u:pw@h',
      '1'.repeat(400),
    ),
    fc
      .tuple(fc.double(), fc.constantFrom('', 'k', 'm', 'ms', 's', '%'))
      .map(([number, unit]) => `${number}${unit}`),
  );
  const written = fc
    .uniqueArray(
      fc
        .constantFrom(...RUN_SETTINGS)
        .chain((setting) =>
          (setting.kind === 'switch'
            ? fc.boolean()
            : setting.kind === 'list'
              ? fc.array(hostile, { maxLength: 3 })
              : hostile
          ).map((value) => [setting.name, value] as const),
        ),
      { selector: ([name]) => name, maxLength: 12 },
    )
    .map((pairs) => Object.fromEntries(pairs));

  it('gives a plan within all limits, or one printable line per problem', () => {
    fc.assert(
      fc.property(written, fc.boolean(), (flags, isConfig) => {
        const parsed = isConfig ? parse({}, { config: flags }) : parse(flags);
        if (!parsed.ok) {
          assert.ok(parsed.problems.length > 0);
          // eslint-disable-next-line no-control-regex -- control characters are what is looked for
          for (const line of parsed.problems) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
          return;
        }
        const { plan } = parsed;
        assert.ok(plan.load.procs >= 1 && plan.load.procs <= 1024);
        assert.ok(plan.bounds.rows !== null || plan.bounds.durationMs !== null);
        assert.match(plan.runId, /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/);
        assert.ok(Number.isSafeInteger(plan.seed) && plan.seed < 2 ** 32);
      }),
      { numRuns: 3000 },
    );
  });
});
