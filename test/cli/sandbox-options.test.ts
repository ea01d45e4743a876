/** The flags of the sandbox become its options, or every problem at once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSandboxOptions } from '../../src/cli/sandbox-options.ts';
import type { RawValue } from '../../src/plan/settings.ts';

const read = (flags: Readonly<Record<string, RawValue>>): ReturnType<typeof readSandboxOptions> =>
  readSandboxOptions(new Map(Object.entries(flags)));

describe('the options of the sandbox', () => {
  it('have the defaults of a server on this machine', async () => {
    const options = await read({});
    assert.ok(options.ok);
    const { host, port, dataFile, discard, latencyMs, credentials, faults } = options.options;
    assert.deepEqual(
      [host, port, dataFile, discard, latencyMs, credentials, faults],
      ['127.0.0.1', 4200, null, false, null, null, []],
    );
  });

  it('take sizes, latencies and faults as they are written', async () => {
    const options = await read({
      'max-memory': '64m',
      latency: '5ms..1s',
      fault: ['reset%1', '503@5s..10s'],
      port: '0',
    });
    assert.ok(options.ok);
    assert.deepEqual(
      [options.options.maxMemoryBytes, options.options.latencyMs, options.options.port],
      [64 * 2 ** 20, [5, 1000], 0],
    );
    assert.deepEqual(
      options.options.faults.map(({ text }) => text),
      ['reset%1', '503@5s..10s'],
    );
    const fixed = await read({ latency: '20ms' });
    assert.equal(fixed.ok && fixed.options.latencyMs, 20);
  });

  it('tell all problems together', async () => {
    const options = await read({
      port: '65536',
      'max-memory': '1',
      latency: '5',
      fault: ['meteor', 'refuse'],
      discard: true,
      data: 'x',
      username: 'u',
    });
    assert.equal(!options.ok && options.problems.length, 7);
  });
});
