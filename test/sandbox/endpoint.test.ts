/** The endpoint around the recordings: limits, authentication, discard, statistics, memory and data files. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { TargetError, UsageError } from '../../src/base/errors.ts';
import { countBulkRows } from '../../src/sandbox/discard.ts';
import { startSandbox } from '../../src/sandbox/server.ts';
import { INSERT, insert, raw, resultsOf, TABLE, wire } from './support.ts';
import { post, query, sandboxFor } from '../support/sandbox.ts';
import { folderFor } from '../support/folder.ts';
import { until } from '../support/until.ts';

describe('the endpoint', () => {
  test('GET / names the version and that it is a sandbox', async (context) => {
    const { url } = await sandboxFor(context);
    const greeting = (await (await fetch(url)).json()) as {
      readonly version: unknown;
      readonly crategen: unknown;
      readonly cluster_name: unknown;
    };
    assert.deepEqual([greeting.cluster_name, greeting.crategen], ['crategen-sandbox', { kind: 'sandbox' }]);
    assert.match(JSON.stringify(greeting.version), /"number":"6\.4\.3"/);
  });

  test('a body over the limit is 413: by its length the connection stays, by its content it closes', async (context) => {
    const { port } = await sandboxFor(context, { maxBodyBytes: 1000 });
    const small = wire({ stmt: 'SELECT 1 AS one' });
    const kept = await raw(port, `${wire({ stmt: 'x'.repeat(2000) })}${small}`, (seen) =>
      seen.includes('"one"'),
    );
    assert.match(
      kept.bytes,
      /^HTTP\/1\.1 413 Request Entity Too Large\r\ncontent-length: 0\r\n\r\nHTTP\/1\.1 200/,
    );
    const chunk = 'y'.repeat(600);
    const chunked = await raw(
      port,
      `POST /_sql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n258\r\n${chunk}\r\n258\r\n${chunk}\r\n0\r\n\r\n`,
    );
    assert.match(chunked.bytes, /^HTTP\/1\.1 413 .*\r\n(.*\r\n)*connection: close/);
    const expecting = await raw(
      port,
      'POST /_sql HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\nExpect: 100-continue\r\n\r\n',
      (seen) => seen.endsWith('\r\n\r\n'),
    );
    assert.match(expecting.bytes, /^HTTP\/1\.1 413 /);
  });

  test('several VALUES with ten bad rows are counted, with eleven never answered, as CrateDB does', async (context) => {
    const sandbox = await sandboxFor(context);
    const { url } = sandbox;
    await post(url, { stmt: TABLE });
    const values = (bad: number): string =>
      ['(1)', ...Array.from({ length: bad }, (_, at) => `(${at % 2 === 0 ? 1 : 2})`)].join(',');
    await post(url, { stmt: 'INSERT INTO t.r (id) VALUES (2)' });
    const ten = await post(url, { stmt: `INSERT INTO t.r (id) VALUES ${values(10)}` });
    assert.match(ten.text, /"rowcount":1,/);
    await post(url, { stmt: 'DELETE FROM t.r WHERE id = 1' });
    const giveUp = new AbortController();
    const eleven = fetch(`${url}/_sql`, {
      method: 'POST',
      body: JSON.stringify({ stmt: `INSERT INTO t.r (id) VALUES ${values(11)}` }),
      signal: giveUp.signal,
    });
    await until(() => sandbox.rows()['t.r'] === 2);
    // What is asked after it is answered before it.
    assert.deepEqual(await query(url, 'SELECT count(*) FROM t.r'), [[2]]);
    giveUp.abort();
    await assert.rejects(eleven, { name: 'AbortError' });
  });

  test('bytes that are no HTTP get a 404 and the end of the connection', async (context) => {
    const { port } = await sandboxFor(context);
    assert.match(
      (await raw(port, 'garbage\r\n\r\n')).bytes,
      /^HTTP\/1\.1 404 Not Found\r\n.*\r\n\r\nRequested file \[bad-request\] was not found$/s,
    );
  });

  test('compressed bulks are stored: gzip, zlib and raw DEFLATE', async (context) => {
    const { url } = await sandboxFor(context);
    await query(url, TABLE);
    const body = (id: number): Buffer =>
      Buffer.from(JSON.stringify({ stmt: INSERT, bulk_args: [[id, 'x']] }));
    const send = (id: number, encoding: string, bytes: Buffer): Promise<Response> =>
      fetch(`${url}/_sql`, {
        method: 'POST',
        headers: { 'content-encoding': encoding },
        body: new Uint8Array(bytes),
      });
    assert.equal((await send(1, 'gzip', gzipSync(body(1)))).status, 200);
    assert.equal((await send(2, 'deflate', deflateRawSync(body(2)))).status, 200);
    assert.deepEqual(await query(url, 'SELECT count(*) FROM t.r'), [[2]]);
  });

  test('with credentials only that user gets in, and a refusal closes the connection', async (context) => {
    const { url, port } = await sandboxFor(context, { credentials: { username: 'app', password: 's3cret' } });
    const basic = (text: string): Readonly<Record<string, string>> => ({
      authorization: `Basic ${Buffer.from(text).toString('base64')}`,
    });
    assert.equal((await post(url, { stmt: 'SELECT 1' }, basic('app:s3cret'))).status, 200);
    const wrong = await post(url, { stmt: 'SELECT 1' }, basic('app:wrong'));
    assert.deepEqual([wrong.status, wrong.text], [401, 'password authentication failed for user "app"\n']);
    const nobody = await raw(port, wire({ stmt: 'SELECT 1' }));
    assert.match(nobody.bytes, /^HTTP\/1\.1 401 Unauthorized\r\n.*user "crate", protocol "http"/s);
  });

  test('a port in use and a file that is no database are told as errors of their kind', async (context) => {
    const { port } = await sandboxFor(context);
    await assert.rejects(
      startSandbox({ port }),
      (error) =>
        error instanceof TargetError &&
        error.message.includes(String(port)) &&
        error.message.includes('EADDRINUSE'),
    );
    const file = join(folderFor(context), 'notes.txt');
    writeFileSync(file, 'this is no database, and long enough to be told from an empty one'.repeat(20));
    await assert.rejects(
      startSandbox({ dataFile: file }),
      (error) => error instanceof UsageError && error.message.includes(file),
    );
  });
});

describe('rows over the memory cap', () => {
  test('are refused with 4037 as by a full disk, until rows are deleted', async (context) => {
    const { url } = await sandboxFor(context, { maxMemoryBytes: 400_000 });
    await query(url, TABLE);
    const text = 'y'.repeat(2000);
    let next = 0;
    const fill = async (): Promise<readonly number[]> => {
      const rows = Array.from({ length: 50 }, () => [next++, text]);
      return resultsOf(await post(url, { stmt: INSERT, bulk_args: rows })).map(
        ({ rowcount, error }) => error?.code ?? rowcount,
      );
    };
    let codes: readonly number[];
    do codes = await fill();
    while (codes[0] === 1);
    assert.deepEqual(new Set(codes), new Set([4037]));
    const single = await post(url, { stmt: INSERT, args: [-1, 'x'] });
    assert.deepEqual([single.status, /"code":4037/.test(single.text)], [403, true]);
    const [[stored] = []] = await query(url, 'SELECT count(*) FROM t.r');
    assert.equal(stored, next - 50);
    await query(url, 'DELETE FROM t.r');
    assert.deepEqual(new Set(await fill()), new Set([1]));
  });
});

describe('a data file', () => {
  test('brings tables, rows, keys, partitions and learnt columns back', async (context) => {
    const dataFile = join(folderFor(context), 'rows.db');
    const first = await startSandbox({ dataFile });
    await query(
      first.url,
      `CREATE TABLE f.p (id BIGINT, day TEXT, n NUMERIC(10,2) CHECK (n > 0), o OBJECT(DYNAMIC), c INT GENERATED ALWAYS AS length(day), d TEXT DEFAULT 'x' NOT NULL,
      PRIMARY KEY (id, day)) CLUSTERED BY (id) INTO 3 SHARDS PARTITIONED BY (day) WITH (number_of_replicas = 0, "translog.durability" = 'ASYNC')`,
    );
    await query(
      first.url,
      "INSERT INTO f.p (id, day, n, o) VALUES (1, 'mon', 1.5, {a = 1}), (2, 'tue', 2.5, {b = 'x'})",
    );
    const [[before] = []] = await query(first.url, 'SHOW CREATE TABLE f.p');
    const hash = first.stats().tables['f.p'];
    await first.close();
    const second = await sandboxFor(context, { dataFile });
    assert.deepEqual(await query(second.url, 'SHOW CREATE TABLE f.p'), [[before]]);
    assert.deepEqual(second.stats().tables['f.p'], hash);
    assert.deepEqual(await query(second.url, 'SELECT id, day, n, o, c, d FROM f.p ORDER BY id'), [
      [1, 'mon', 1.5, { a: 1 }, 3, 'x'],
      [2, 'tue', 2.5, { b: 'x' }, 3, 'x'],
    ]);
    const duplicate = await post(second.url, {
      stmt: 'INSERT INTO f.p (id, day, n) VALUES (?, ?, ?)',
      bulk_args: [
        [1, 'mon', 1],
        [3, 'mon', -1],
      ],
    });
    assert.deepEqual(
      resultsOf(duplicate).map(({ error }) => error?.code),
      [4091, 4000],
    );
    await query(second.url, 'DROP TABLE f.p');
    await query(second.url, 'CREATE TABLE f.p (id INT)');
    assert.deepEqual(await query(second.url, 'SELECT count(*) FROM f.p'), [[0]]);
  });
});

describe('discard mode', () => {
  test('answers one result for each row, stores none and names itself', async (context) => {
    const { url } = await sandboxFor(context, { discard: true });
    await query(url, TABLE);
    assert.equal(resultsOf(await insert(url, [1, 2, 3])).length, 3);
    assert.equal(resultsOf(await post(url, { stmt: INSERT, bulk_args: [[1, '],["[']] })).length, 1);
    assert.deepEqual(await query(url, 'SELECT count(*) FROM t.r'), [[0]]);
    assert.match(await (await fetch(url)).text(), /"kind" : "discard"/);
  });

  test('rows are counted right whatever they hold', () => {
    const row = fc.array(
      fc.oneof(
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.array(fc.string()),
        fc.dictionary(fc.string(), fc.array(fc.string())),
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
        assert.equal(
          countBulkRows(Buffer.from(JSON.stringify({ stmt: 'INSERT INTO t VALUES (?)', bulk_args: rows }))),
          rows.length,
        );
      }),
    );
  });
});

describe('statistics', () => {
  test('the content hash depends on the rows only: not on order, batches, table or shards', async (context) => {
    const sandbox = await sandboxFor(context);
    const { url } = sandbox;
    await query(url, 'CREATE TABLE s.a (id INT PRIMARY KEY, x TEXT, o OBJECT(DYNAMIC))');
    await query(
      url,
      'CREATE TABLE s.b (id INT PRIMARY KEY, x TEXT, o OBJECT(DYNAMIC)) CLUSTERED INTO 9 SHARDS',
    );
    const rows = [1, 2, 3, 4].map((id) => [id, `x${id}`, { k: id }]);
    await post(url, { stmt: 'INSERT INTO s.a (id, x, o) VALUES (?, ?, ?)', bulk_args: rows });
    for (const row of rows.toReversed())
      await post(url, { stmt: 'INSERT INTO s.b (id, x, o) VALUES (?, ?, ?)', bulk_args: [row] });
    const stats = (): Promise<{
      readonly inserts: number;
      readonly rowsReceived: number;
      readonly rowsStored: number;
      readonly tables: Readonly<Record<string, unknown>>;
    }> => fetch(`${url}/_crategen/stats`).then((response) => response.json() as ReturnType<typeof stats>);
    const before = await stats();
    assert.deepEqual(before.tables['s.a'], before.tables['s.b']);
    assert.deepEqual(sandbox.rows(), { 's.a': 4, 's.b': 4 });
    assert.deepEqual([before.inserts, before.rowsReceived, before.rowsStored], [5, 8, 8]);
    await query(url, "UPDATE s.b SET x = 'changed' WHERE id = 3");
    const after = await stats();
    assert.notDeepEqual(after.tables['s.b'], before.tables['s.b']);
  });
});
