/** What a real CrateDB says of its own load during a run: all of it, in one statement, and the CPU as the kernel counts it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TELEMETRY_QUESTIONS, readNodes, telemetrySql } from '../../src/cratedb/telemetry.ts';
import { home, run } from '../support/built-command.ts';
import { bulkInsert, cluster, sql, tableFor } from './support.ts';

test('a run has the load of all nodes, the INSERTs, translog and health of its table, and nothing is missing', async (context) => {
  const [place, table] = [await home(context), tableFor(context)];
  // A server that has just begun takes its time for a statement that it has never seen.
  await sql(telemetrySql(TELEMETRY_QUESTIONS, new Set()).replaceAll('?', "'none'"));
  const ended = await run(cluster(table, '--duration', '12s', '--rate', '500', '--batch-size', '50'), place);
  assert.equal(ended.code, 0, ended.stderr);
  const { server } = ended.run();
  assert.ok(server);
  assert.equal(server.note, '');
  const last = server.samples.findLast(({ nodes }) => nodes.length > 0);
  assert.ok(last);
  for (const node of last.nodes)
    for (const [name, value] of Object.entries(node)) assert.notEqual(value, null, name);
  assert.equal(last.nodes.length, server.nodes.length);
  assert.ok((last.translogBytes ?? 0) > 0);
  assert.match(last.health ?? '', /^(?:GREEN|YELLOW)$/);
  assert.ok(server.samples.some(({ insertsPerSecond }) => (insertsPerSecond ?? 0) > 1));
  // One statement for each sample, and the one that the end of the run cut off.
  assert.ok(server.overhead.queries <= server.samples.length + 1, `${server.overhead.queries} statements`);
});

const STRETCHES = 6;
/** Whole percent of all cores, cut; and the two are not read at the same instant. */
const TOLERANCE = 4;

/** Of a process on this host, in seconds; /proc counts in hundredths. */
function cpuSeconds(pid: string): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

test('the CPU that the server tells is what the kernel counts for its process, in percent of one core', async (context) => {
  const pid = process.env['CRATEDB_PID'];
  if (pid === undefined) return context.skip('CRATEDB_PID does not name the only node, on this host');
  const table = tableFor(context);
  await sql(`CREATE TABLE ${table} (a BIGINT, b TEXT)`);
  const over = new AbortController();
  const rows = Array.from({ length: 200 }, (_none, index) => `[${index},"${'x'.repeat(100)}"]`);
  const loads = [1, 2].map(async () => {
    while (!over.signal.aborted) await bulkInsert(`INSERT INTO ${table} (a, b) VALUES (?, ?)`, rows);
  });
  const question = telemetrySql(TELEMETRY_QUESTIONS.slice(0, 1), new Set());
  const seen: { readonly told: number; readonly counted: number }[] = [];
  let before: { readonly atMs: number; readonly seconds: number } | null = null;
  while (seen.length < STRETCHES) {
    const told = readNodes((await sql(question)).rows)[0]?.sample.cpuPercent ?? Number.NaN;
    const now = { atMs: performance.now(), seconds: cpuSeconds(pid) };
    if (before !== null)
      seen.push({ told, counted: ((now.seconds - before.seconds) / (now.atMs - before.atMs)) * 100_000 });
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  over.abort();
  await Promise.all(loads);
  const mean = (of: (each: (typeof seen)[number]) => number): number =>
    seen.reduce((sum, each) => sum + of(each), 0) / seen.length;
  const difference = Math.abs(mean(({ told }) => told) - mean(({ counted }) => counted));
  assert.ok(difference <= TOLERANCE, JSON.stringify(seen));
});
