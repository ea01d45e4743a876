/** Each fault as a client meets it, over real connections. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { FAULT_HELP, FAULT_NAMES, applies, parseFault } from '../../src/sandbox/faults.ts';
import type { Sandbox } from '../../src/sandbox/server.ts';
import { HandClock } from '../support/hand-clock.ts';
import { INSERT, insert, raw, resultsOf, TABLE, wire } from './support.ts';
import { faults, post, query, sandboxFor } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

async function faulty(context: TestContext, ...texts: readonly string[]): Promise<Sandbox> {
  const sandbox = await sandboxFor(context, { faults: faults(...texts) });
  await query(sandbox.url, TABLE);
  return sandbox;
}

const ROWS = {
  stmt: INSERT,
  bulk_args: [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ],
};

async function count(sandbox: Sandbox): Promise<unknown> {
  return (await query(sandbox.url, 'SELECT count(*) FROM t.r'))[0]?.[0];
}

describe('the grammar of faults', () => {
  test('every kind is read by its bare name, and is in the help', () => {
    for (const name of FAULT_NAMES) {
      const text = name === 'refuse' ? 'refuse@1s..2s' : name;
      assert.ok(!('problem' in parseFault(text)), text);
      assert.match(FAULT_HELP, new RegExp(`^${name}\\b`, 'm'));
    }
  });

  test('arguments, windows, shares and numbers can be combined in any order', () => {
    const fault = parseFault('latency:20ms..80ms:all%12.5#3..8@5s..10s');
    assert.ok(!('problem' in fault));
    assert.deepEqual(
      [fault.delayMs, fault.all, fault.share, fault.numbers, fault.windowMs],
      [[20, 80], true, 0.125, [3, 8], [5000, 10_000]],
    );
    const other = parseFault('reset:mid-body@1m..#4');
    assert.ok(!('problem' in other));
    assert.deepEqual(
      [other.argument, other.windowMs, other.numbers],
      ['mid-body', [60_000, Number.POSITIVE_INFINITY], [4, 4]],
    );
  });

  test('what is wrong is said with what is accepted', () => {
    for (const text of [
      '',
      'nope',
      'reset:sideways',
      'latency:fast',
      '429:soon',
      'overload:101',
      'reset%',
      'reset#',
      'reset#9..3',
      'reset@5',
      'refuse',
      'reset:before-reply:x',
      'latency:1s..',
    ]) {
      const fault = parseFault(text);
      assert.ok('problem' in fault && /expected|needs/.test(fault.problem), text);
    }
  });

  test('no text makes the parser throw', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...FAULT_NAMES), (text, name) => {
        parseFault(text);
        parseFault(`${name}${text}`);
      }),
    );
  });

  test('a share hits the same requests every time, and about as many as it says', () => {
    const [fault] = faults('reset%10');
    assert.ok(fault !== undefined);
    const hits = (): number[] =>
      Array.from({ length: 10_000 }, (_, at) => at + 1).filter((number) => applies(fault, occasion(number)));
    assert.deepEqual(hits(), hits());
    assert.ok(hits().length > 850 && hits().length < 1150, `${hits().length} of 10,000`);
  });
});

function occasion(insertNumber: number): Parameters<typeof applies>[1] {
  return { isInsert: true, insertNumber, requestNumber: insertNumber + 5, sinceStartMs: 0 };
}

describe('faults hit what they are aimed at', () => {
  test('only INSERTs, unless all requests are meant', async (context) => {
    const aimed = await faulty(context, '503');
    assert.equal((await post(aimed.url, { stmt: 'SELECT 1' })).status, 200);
    assert.equal((await post(aimed.url, ROWS)).status, 503);
    const all = await sandboxFor(context, { faults: faults('503:all#2') });
    assert.deepEqual(
      [
        (await post(all.url, { stmt: 'SELECT 1' })).status,
        (await post(all.url, { stmt: 'SELECT 1' })).status,
      ],
      [200, 503],
    );
  });

  test('a state of the server changes what sys says in its time, and hits no request', async (context) => {
    const disk = "SELECT fs['total']['used'] FROM sys.nodes";
    const silent = await sandboxFor(context);
    assert.match((await post(silent.url, { stmt: disk })).text, /"rows":\[\[null\]\]/);
    const full = await sandboxFor(context, { faults: faults('disk:50', 'disk:90@1h..') });
    assert.match((await post(full.url, { stmt: disk })).text, /"rows":\[\[53687091200\]\]/);
    assert.equal(full.stats().faultsInjected, 0);
    const hidden = await sandboxFor(context, { faults: faults('no-sys') });
    assert.equal((await post(hidden.url, { stmt: disk })).status, 404);
    assert.equal((await post(hidden.url, { stmt: 'SELECT 1' })).status, 200);
  });

  test('only the INSERTs with these numbers', async (context) => {
    const { url } = await faulty(context, '429#2..3');
    const statuses: number[] = [];
    for (const id of [1, 2, 3, 4]) statuses.push((await insert(url, [id])).status);
    assert.deepEqual(statuses, [200, 429, 429, 200]);
  });

  test('nothing once the window has passed', async (context) => {
    const { url } = await faulty(context, '503@10h..');
    assert.equal((await insert(url, [1])).status, 200);
  });

  test('injected faults are counted', async (context) => {
    const sandbox = await faulty(context, '429#1');
    await insert(sandbox.url, [1]);
    await insert(sandbox.url, [1]);
    const { inserts, faultsInjected, rowsStored } = sandbox.stats();
    assert.deepEqual([inserts, faultsInjected, rowsStored], [2, 1, 1]);
  });
});

describe('faults instead of an answer', () => {
  for (const [text, expected] of [
    ['429:7', '7'],
    ['503:-5', '-5'],
    ['503:315360000', '315360000'],
  ] as const) {
    test(`${text} asks to wait for ${expected} s, and stores nothing`, async (context) => {
      const sandbox = await faulty(context, text);
      const { status, headers } = await post(sandbox.url, ROWS);
      assert.deepEqual([status, headers.get('retry-after')], [Number(text.slice(0, 3)), expected]);
      assert.equal(await count(sandbox), 0);
    });
  }

  test('Retry-After may be a date', async (context) => {
    const { url } = await faulty(context, '503:date');
    assert.ok(Date.parse((await post(url, ROWS)).headers.get('retry-after') ?? '') > Date.now());
  });

  test('401, a redirect to another origin and a node that has not recovered', async (context) => {
    const { url } = await faulty(context, '401#1', 'redirect#2', 'not-recovered#3');
    assert.equal((await insert(url, [1])).status, 401);
    const redirect = await insert(url, [1]);
    assert.deepEqual([redirect.status, redirect.headers.get('location')?.startsWith(url)], [307, false]);
    const young = await insert(url, [1]);
    assert.deepEqual([young.status, /"code":4045/.test(young.text)], [404, true]);
  });

  test('silence leaves the connection open; the rows are lost or stored', async (context) => {
    for (const [text, rows] of [
      ['silence', 0],
      ['silence:stored', 3],
    ] as const) {
      const sandbox = await faulty(context, text);
      const socket = connect(sandbox.port, '127.0.0.1');
      let received = 0;
      socket.on('data', (chunk: Buffer) => (received += chunk.length));
      socket.write(wire(ROWS));
      await until(() => sandbox.stats().faultsInjected > 0);
      assert.deepEqual([await count(sandbox), received, socket.closed], [rows, 0, false]);
      socket.destroy();
    }
  });

  test('a node refuses in its window and at no other time', async (context) => {
    const clock = new HandClock();
    const sandbox = await sandboxFor(context, { faults: faults('refuse@1s..3s') }, clock);
    const connecting = async (): Promise<void> => {
      const socket = connect(sandbox.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    };
    await connecting();
    await clock.pass(1000);
    await assert.rejects(connecting(), { code: 'ECONNREFUSED' });
    await clock.pass(1999);
    await assert.rejects(connecting(), { code: 'ECONNREFUSED' });
    await clock.pass(1);
    await connecting();
    assert.equal((await post(sandbox.url, { stmt: 'SELECT 1' })).status, 200);
  });
});

describe('faults of rows', () => {
  for (const [text, code, name] of [
    ['overload', 5000, 'EsRejectedExecutionException'],
    ['breaker', 5000, 'CircuitBreakingException'],
    ['unavailable', 5002, 'UnavailableShardsException'],
    ['blocked', 4037, 'ClusterBlockException'],
    ['blocked:4033', 4033, 'ClusterBlockException'],
    ['blocked:4035', 4035, 'ClusterBlockException'],
  ] as const) {
    test(`${text}: every row is -2/${code} ${name}, and none is stored`, async (context) => {
      const sandbox = await faulty(context, text);
      const posted = await post(sandbox.url, ROWS);
      assert.equal(posted.status, 200);
      for (const { rowcount, error } of resultsOf(posted))
        assert.deepEqual([rowcount, error?.code, error?.message.split('[')[0]], [-2, code, name]);
      assert.equal(await count(sandbox), 0);
    });
  }

  test('a share of the rows fails and exactly the others are stored', async (context) => {
    const sandbox = await faulty(context, 'overload:30');
    const ids = Array.from({ length: 1000 }, (_, id) => id);
    const results = resultsOf(await insert(sandbox.url, ids));
    const stored = ids.filter((id) => results[id]?.rowcount === 1);
    assert.ok(stored.length > 600 && stored.length < 800, `${stored.length} stored`);
    const found = await query(sandbox.url, 'SELECT id FROM t.r ORDER BY id');
    assert.deepEqual(
      found.map(([id]) => id),
      stored,
    );
  });

  test('own-duplicate says 4091 of rows that it has just stored', async (context) => {
    const sandbox = await faulty(context, 'own-duplicate');
    assert.deepEqual(
      resultsOf(await post(sandbox.url, ROWS)).map(({ error }) => error?.code),
      [4091, 4091, 4091],
    );
    assert.equal(await count(sandbox), 3);
  });

  test('bare rows are -2 without a word, and not stored', async (context) => {
    const sandbox = await faulty(context, 'bare');
    assert.deepEqual(resultsOf(await post(sandbox.url, ROWS)), [
      { rowcount: -2 },
      { rowcount: -2 },
      { rowcount: -2 },
    ]);
    assert.equal(await count(sandbox), 0);
  });
});

describe('faults of the reply, after the rows were stored', () => {
  const broken = (text: string, check: (bytes: string, error: string) => void): void => {
    test(text, async (context) => {
      const sandbox = await faulty(context, text);
      const { bytes, error } = await raw(sandbox.port, wire(ROWS));
      check(bytes, error);
      assert.equal(await count(sandbox), 3);
    });
  };
  broken('reset:before-reply', (bytes, error) => assert.deepEqual([bytes, error], ['', 'ECONNRESET']));
  broken('reset:mid-headers', (bytes) =>
    assert.ok(bytes.startsWith('HTTP/1.1 200') && !bytes.includes('\r\n\r\n')),
  );
  broken('reset:mid-body', (bytes) => assert.ok(bytes.includes('\r\n\r\n{"cols"') && !bytes.endsWith('}')));
  broken('truncated', (bytes, error) => assert.deepEqual([bytes.endsWith(']}'), error], [false, '']));
  broken('wrong-length', (bytes) => {
    const [head = '', body = ''] = bytes.split('\r\n\r\n');
    assert.ok(Number(/content-length: (\d+)/i.exec(head)?.[1]) > body.length && body.endsWith(']}'));
  });

  test('a reset in the middle of the request stores nothing', async (context) => {
    const sandbox = await faulty(context, 'reset:mid-request#1');
    const body = JSON.stringify({
      stmt: INSERT,
      bulk_args: Array.from({ length: 500 }, (_, id) => [id, 'x']),
    });
    const { bytes } = await raw(
      sandbox.port,
      wire({}, body.length).replace('{}', body.slice(0, body.length - 1000)),
    );
    assert.equal(bytes, '');
    assert.equal(await count(sandbox), 0);
    assert.equal((await insert(sandbox.url, [1])).status, 200);
  });

  test('invalid JSON, a result too few and results without a rowcount', async (context) => {
    const { url } = await faulty(context, 'invalid-json#1', 'wrong-results#2', 'no-rowcount#3');
    const invalid = await insert(url, [1, 2]);
    assert.throws(() => resultsOf(invalid), SyntaxError);
    assert.equal(resultsOf(await insert(url, [3, 4])).length, 1);
    assert.deepEqual(resultsOf(await insert(url, [5])), [{}]);
  });

  test('a reply that drips comes byte by byte', async (context) => {
    const sandbox = await faulty(context, 'drip');
    const { bytes } = await raw(
      sandbox.port,
      wire(ROWS),
      (seen) => (seen.split('\r\n\r\n')[1] ?? '').length >= 2,
    );
    assert.equal(bytes.split('\r\n\r\n')[1], '{"');
  });

  test('an endless reply goes on until the client leaves', async (context) => {
    const sandbox = await faulty(context, 'endless');
    const { bytes } = await raw(sandbox.port, wire(ROWS), (seen) => seen.length > 2_000_000);
    assert.ok(bytes.length > 2_000_000);
  });

  test('a header of 100 kB and a gzip bomb', async (context) => {
    const sandbox = await faulty(context, 'big-header#1', 'gzip-bomb#2');
    const large = await raw(sandbox.port, wire(ROWS), (seen) => seen.endsWith(']}'));
    assert.ok((large.bytes.split('\r\n\r\n')[0] ?? '').length > 100_000);
    const bomb = await raw(
      sandbox.port,
      wire(ROWS),
      (seen) =>
        Number(/content-length: (\d+)/i.exec(seen)?.[1] ?? Infinity) <=
        (seen.split('\r\n\r\n')[1] ?? '').length,
    );
    assert.match(bomb.bytes, /content-encoding: gzip/i);
    assert.ok(bomb.bytes.length < 2 ** 21);
  });

  test('latency delays INSERTs by an amount that depends on their number only', async (context) => {
    const sandbox = await sandboxFor(context, { latencyMs: [5, 15] });
    await query(sandbox.url, TABLE);
    const startedMs = performance.now();
    assert.equal((await insert(sandbox.url, [1])).status, 200);
    assert.ok(performance.now() - startedMs >= 4.5);
    assert.equal(sandbox.stats().faultsInjected, 1);
  });
});
