/** Every recorded exchange with a real CrateDB that does not need a second node or a special configuration. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, describe, test } from 'node:test';
import { startSandbox, type Sandbox } from '../../src/sandbox/server.ts';
import {
  expectedText,
  masked,
  readRecordings,
  rowsText,
  run,
  send,
  type Exchange,
  type Recording,
} from './recordings.ts';

const AREAS = ['shapes', 'bulk', 'values', 'values-single', 'errors', 'http', 'limits'];

/** Recordings of what the sandbox does not have: breakers by setting, a node that is read-only. */
const NOT_OURS: ReadonlySet<string> = new Set(['s8-56b', 's8-53', 's8-53c', 's8-53d']);

/** The recorded small-limits node. */
const AUX_BODY_BYTES = 65_536;

const setupAgent = new Agent({ keepAlive: true });
const sandboxes = new Map<string, Promise<Sandbox>>();

/** One sandbox for each node of the recordings, since some cases change settings of their node. */
function sandboxOf(node: string): Promise<Sandbox> {
  const known = sandboxes.get(node) ?? openSandbox(node);
  sandboxes.set(node, known);
  return known;
}

async function openSandbox(node: string): Promise<Sandbox> {
  const sandbox = await startSandbox(node === 'aux' ? { maxBodyBytes: AUX_BODY_BYTES } : {});
  await run(sandbox.url, 'CREATE SCHEMA IF NOT EXISTS conf', setupAgent);
  return sandbox;
}

after(async () => {
  setupAgent.destroy();
  for (const sandbox of sandboxes.values()) await (await sandbox).close();
});

function exchangesOf(recording: Recording): readonly Exchange[] {
  const { request, response, steps } = recording;
  return steps ?? (request !== undefined && response !== undefined ? [{ request, response }] : []);
}

for (const area of AREAS) {
  describe(`recorded ${area} are answered as by CrateDB 6.4.3`, () => {
    for (const recording of readRecordings()) {
      if (recording.area !== area || NOT_OURS.has(recording.id) || exchangesOf(recording).length === 0)
        continue;
      test(`${recording.id}: ${recording.title}`, () => replay(recording));
    }
  });
}

async function replay(recording: Recording): Promise<void> {
  const { url } = await sandboxOf(recording.node);
  // One connection a case: sessions belong to connections.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const stmt of recording.setup ?? []) await prepare(url, stmt);
    for (const { request, response } of exchangesOf(recording)) {
      const received = await send(url, request, agent);
      assert.equal(masked(received.text), expectedText(response));
      assert.equal(received.status, response.status);
      assert.deepEqual(Object.keys(received.headers).sort(), Object.keys(response.headers).sort());
    }
    for (const { stmt, status, rowsText: rows } of recording.after ?? []) {
      const received = await run(url, stmt, setupAgent);
      assert.deepEqual([received.status, rowsText(received.text)], [status, rows], stmt);
    }
  } finally {
    agent.destroy();
  }
}

/** The blocks that a case left behind were lifted by hand when they were recorded. */
async function prepare(url: string, stmt: string): Promise<void> {
  const table = /^DROP TABLE IF EXISTS (\S+)/.exec(stmt)?.[1];
  if (table !== undefined)
    await run(
      url,
      `ALTER TABLE ${table} RESET ("blocks.write", "blocks.read_only_allow_delete")`,
      setupAgent,
    );
  const { status, text } = await run(url, stmt, setupAgent);
  assert.equal(status, 200, `${stmt}: ${text}`);
}
