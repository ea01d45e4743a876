/** What doctor says of a cluster that is fit, nearly full, or hides its system tables. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { examine } from '../../../src/cli/doctor/doctor.ts';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import { httpServer } from '../../cratedb/support.ts';
import { accessTo } from '../../support/access.ts';
import { faults, sandboxFor } from '../../support/sandbox.ts';
import { folderFor } from '../../support/folder.ts';

const TABLE = { schema: 'crategen', table: 'records' };

async function found(context: TestContext, url: string): Promise<ReadonlyMap<string, Finding>> {
  const folder = folderFor(context);
  const findings = await examine(accessTo(url), { runs: join(folder, 'runs'), table: TABLE });
  return new Map(findings.map((finding) => [finding.what, finding]));
}

test('a fit cluster is measured line by line, and nothing is bad', async (context) => {
  const sandbox = await sandboxFor(context, { faults: faults('disk:50') });
  const findings = await found(context, sandbox.url);
  assert.match(findings.get('node')?.detail ?? '', /is sandbox, answers in .* ms$/);
  assert.equal(findings.get('health')?.detail, 'GREEN');
  assert.match(findings.get('disk')?.detail ?? '', /50.0% full \(50 GiB left\); watermarks 85%, 90%, 95%/);
  assert.equal(findings.get('shards')?.detail, '0 of 1,000 on the node with the most');
  assert.equal(findings.get('same host')?.status, 'warning');
  assert.deepEqual(
    [...findings.values()].filter(({ status }) => status === 'bad'),
    [],
  );
});

test('a disk past the low watermark is a warning, past the high one it is bad', async (context) => {
  const low = await found(context, (await sandboxFor(context, { faults: faults('disk:86') })).url);
  assert.equal(low.get('disk')?.status, 'warning');
  const high = await found(context, (await sandboxFor(context, { faults: faults('disk:91') })).url);
  assert.equal(high.get('disk')?.status, 'bad');
  assert.match(high.get('disk')?.hint ?? '', /--stop-at-disk/);
});

test('hidden system tables are one line that says what is done without', async (context) => {
  const findings = await found(context, (await sandboxFor(context, { faults: faults('no-sys') })).url);
  assert.equal(findings.get('sys')?.status, 'warning');
  for (const what of ['health', 'disk', 'shards', 'production']) assert.equal(findings.get(what), undefined);
});

test('a user without privileges is told of each GRANT, in his name, and not that a table he cannot see is missing', async (context) => {
  const findings = await found(context, await serverOfStranger(context));
  assert.equal(findings.get('privileges')?.hint, 'GRANT DQL ON SCHEMA "crategen" TO "app"');
  assert.equal(findings.get('sys')?.hint, 'GRANT DQL ON SCHEMA "sys" TO "app"');
  assert.deepEqual(
    [findings.get('table')?.status, findings.get('table')?.detail],
    ['warning', 'crategen.records does not exist, or app may not see it'],
  );
});

/** Answers as a CrateDB does to a user without any privilege. */
async function serverOfStranger(context: TestContext): Promise<string> {
  const unknown = { error: { message: "SchemaUnknownException[Schema 'sys' unknown]", code: 4045 } };
  return await httpServer(context, (request, response) => {
    void text(request).then((body) => {
      const rows = body.includes('has_') ? [[false]] : body.includes('CURRENT_USER') ? [['app']] : [];
      const isHidden = body.includes(' sys.');
      response.writeHead(isHidden ? 404 : 200, { 'content-type': 'application/json' });
      const greeting = { ok: true, name: 'n1', cluster_name: 'c', version: { number: '6.4.3' } };
      const answer = body === '' ? greeting : { cols: ['x'], rows, rowcount: rows.length, duration: 1 };
      response.end(JSON.stringify(isHidden ? unknown : answer));
    });
  });
}

test('a table that is there is told with its rows and its shape', async (context) => {
  const sandbox = await sandboxFor(context);
  for (const stmt of [
    'CREATE TABLE crategen.records (run_id TEXT) CLUSTERED INTO 3 SHARDS',
    "INSERT INTO crategen.records (run_id) VALUES ('a'), ('b')",
    'REFRESH TABLE crategen.records',
  ]) {
    const reply = await fetch(`${sandbox.url}/_sql`, { method: 'POST', body: JSON.stringify({ stmt }) });
    assert.equal(reply.status, 200, await reply.text());
  }
  const { detail } = (await found(context, sandbox.url)).get('table') ?? { detail: '' };
  assert.equal(detail, 'crategen.records exists (2 rows, 3 shards, replicas 0-1) and takes rows');
});
