/** What the host has done so far, read from files laid out as the kernel has them; null where there are none. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createHostUseReader } from '../../src/base/host-use.ts';
import type { HostFolders } from '../../src/base/host.ts';
import { folderFor } from '../support/folder.ts';

function folders(context: TestContext, files: Readonly<Record<string, string>>): HostFolders {
  const root = folderFor(context);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return { proc: join(root, 'proc'), cgroup: join(root, 'cgroup') };
}

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0
  eth0:5000 50 0 0 0 0 0 0 70000 60 0 0 0 0 0 0
`;

test('busy cores, throttling of version 2 and bytes of all interfaces are read', (context) => {
  const read = createHostUseReader(
    folders(context, {
      'proc/stat': 'cpu  100 20 30 4000 500 6 7 8 0 0\ncpu0 1 1 1 1\n',
      'proc/net/dev': NET_DEV,
      'proc/self/cgroup': '0::/run\n',
      'cgroup/run/cpu.stat': 'usage_usec 9\nnr_throttled 3\nthrottled_usec 2500000\n',
      'cgroup/cpu.stat': 'usage_usec 9\n',
    }),
  );
  assert.deepEqual(read(), { busyMs: 1710, throttledMs: 2500, receivedBytes: 6000, sentBytes: 71_000 });
});

test('throttling of version 1 is in nanoseconds', (context) => {
  const read = createHostUseReader(
    folders(context, {
      'proc/self/cgroup': '3:cpu,cpuacct:/\n',
      'cgroup/cpu/cpu.stat': 'nr_periods 5\nnr_throttled 1\nthrottled_time 40000000\n',
    }),
  );
  assert.equal(read().throttledMs, 40);
});

test('where the system does not tell, everything is null', (context) => {
  const read = createHostUseReader(folders(context, {}));
  assert.deepEqual(read(), { busyMs: null, throttledMs: null, receivedBytes: null, sentBytes: null });
});
