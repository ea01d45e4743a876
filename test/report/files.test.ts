/** Result files on a real file system: whole or absent, and known to be writable beforehand. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OutputError } from '../../src/base/errors.ts';
import { makeFolder, testWritable, writeFileAtomically } from '../../src/report/files.ts';
import { folderFor } from '../support/folder.ts';

const folder = folderFor({ after });

test('a file is replaced as a whole and no temporary file stays', async () => {
  const path = join(folder, 'a', 'run.json');
  makeFolder(join(folder, 'a'));
  writeFileSync(path, 'old and longer than the new text');
  const before = statSync(path).ino;
  await writeFileAtomically(path, 'new');
  assert.equal(readFileSync(path, 'utf8'), 'new');
  // Another inode: whoever has the old file open still reads the old one to its end.
  assert.notEqual(statSync(path).ino, before);
  assert.deepEqual(readdirSync(join(folder, 'a')), ['run.json']);
});

test('a folder of the state home that cannot be made says what names another place', () => {
  writeFileSync(join(folder, 'in-the-way'), '');
  assert.throws(
    () => makeFolder(join(folder, 'in-the-way', 'runs')),
    (thrown) => thrown instanceof OutputError && thrown.hint === 'XDG_STATE_HOME can name another place.',
  );
});

test('a symbolic link keeps pointing where it points', async () => {
  writeFileSync(join(folder, 'target.json'), '');
  symlinkSync('target.json', join(folder, 'link.json'));
  await writeFileAtomically(join(folder, 'link.json'), 'through');
  assert.equal(readlinkSync(join(folder, 'link.json')), 'target.json');
  assert.equal(readFileSync(join(folder, 'target.json'), 'utf8'), 'through');
});

test('a device is written to and stays a device', async () => {
  await testWritable('/dev/null');
  await writeFileAtomically('/dev/null', 'x');
  assert.ok(statSync('/dev/null').isCharacterDevice());
});

test('a writable path is shown to be so without a trace', async () => {
  const inside = join(folder, 'probe');
  mkdirSync(inside);
  await testWritable(join(inside, 'run.json'));
  assert.deepEqual(readdirSync(inside), []);
});

test('the test before a run fails where writing after it would, and names path and reason', async () => {
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  mkdirSync(join(folder, 'full'));
  const cases: readonly (readonly [string, RegExp])[] = [
    // macOS has no such device.
    ...(existsSync('/dev/full')
      ? [['/dev/full', /^cannot write \/dev\/full: ENOSPC: no space left on device$/] as const]
      : []),
    [join(folder, 'missing', 'run.json'), /missing\/run\.json: ENOENT: no such file or directory$/],
    [folder, /it is a folder$/],
    [fifo, /neither a file nor a character device$/],
    [join(folder, 'n'.repeat(300)), /ENAMETOOLONG: name too long$/],
    [join(folder, 'target.json', 'run.json'), /ENOTDIR: not a directory$/],
  ];
  for (const [path, expected] of cases) {
    const isExpected = (thrown: unknown): boolean =>
      thrown instanceof OutputError && expected.test(thrown.message) && thrown.hint !== undefined;
    await assert.rejects(testWritable(path), isExpected, path);
    await assert.rejects(writeFileAtomically(path, 'x'), isExpected, path);
  }
});

test(
  'a folder without permission is found out before the run',
  { skip: process.getuid?.() === 0 },
  async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    await assert.rejects(testWritable(join(closed, 'run.json')), /EACCES: permission denied/);
  },
);

test('control characters in a path are shown, not sent to the terminal', async () => {
  await assert.rejects(testWritable(join(folder, 'missing', '\u001b[31m')), /␛\[31m/);
});
