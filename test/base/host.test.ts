/** What the host gives a process, read from cgroup files as Linux lays them out. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  type HostFolders,
  isLoopback,
  readHostFacts,
  throttledShare,
  usableCores,
} from '../../src/base/host.ts';

describe('the facts of a host', () => {
  let root = '';
  let folders: HostFolders = { proc: '', cgroup: '' };
  const lay = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'crategen-host-'));
    folders = { proc: join(root, 'proc'), cgroup: join(root, 'cgroup') };
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('are cores and memory where there is no cgroup', () => {
    assert.deepEqual(readHostFacts(folders), {
      cores: availableParallelism(),
      cgroupCores: null,
      memoryBytes: totalmem(),
    });
  });

  it('take the tightest limit on the way up in version 2', () => {
    lay('proc/self/cgroup', '0::/a/b');
    lay('cgroup/a/cpu.max', '150000 100000');
    lay('cgroup/a/b/cpu.max', 'max 100000');
    lay('cgroup/a/b/memory.max', '1048576');
    lay('cgroup/a/memory.max', 'max');
    const facts = readHostFacts(folders);
    assert.deepEqual([facts.cgroupCores, facts.memoryBytes], [1.5, 1_048_576]);
  });

  it('say how often the cgroup was stopped so far, where the kernel counts it', () => {
    assert.equal(throttledShare(folders), null);
    lay('proc/self/cgroup', '0::/a');
    lay('cgroup/a/cpu.stat', 'usage_usec 7\nnr_periods 200\nnr_throttled 50\nthrottled_usec 9');
    assert.equal(throttledShare(folders), 0.25);
  });

  it('tell this host by its name or a loopback address', () => {
    const own = [
      'http://localhost:4200',
      'https://127.1.2.3',
      'http://[::1]:1',
      'http://[::ffff:127.0.0.1]:1',
    ];
    assert.deepEqual(own.filter(isLoopback), own);
    const others = [
      'http://db-1:4200',
      'http://10.0.0.1',
      'http://127.evil.example',
      'http://localhost.example',
    ];
    assert.deepEqual(others.filter(isLoopback), []);
  });

  it('read version 1, where -1 is no limit and every controller has its own tree', () => {
    lay('proc/self/cgroup', '3:cpu,cpuacct:/box\n2:memory:/box');
    lay('cgroup/cpu/box/cpu.cfs_quota_us', '-1');
    lay('cgroup/cpu/box/cpu.cfs_period_us', '100000');
    assert.equal(readHostFacts(folders).cgroupCores, null);
    lay('cgroup/cpu/cpu.cfs_quota_us', '50000');
    lay('cgroup/cpu/cpu.cfs_period_us', '100000');
    lay('cgroup/memory/box/memory.limit_in_bytes', '2097152');
    const facts = readHostFacts(folders);
    assert.deepEqual([facts.cgroupCores, facts.memoryBytes], [0.5, 2_097_152]);
  });

  it('find the limit at the root when the path is that of another namespace', () => {
    lay('proc/self/cgroup', '0::/../../kubepods/pod1');
    lay('cgroup/cpu.max', '200000 100000');
    assert.equal(readHostFacts(folders).cgroupCores, 2);
  });

  it('give at least one core to use, and round a limit up', () => {
    assert.equal(usableCores({ cores: 8, cgroupCores: 1.5, memoryBytes: 0 }), 2);
    assert.equal(usableCores({ cores: 8, cgroupCores: 0.1, memoryBytes: 0 }), 1);
    assert.equal(usableCores({ cores: 4, cgroupCores: null, memoryBytes: 0 }), 4);
  });
});
