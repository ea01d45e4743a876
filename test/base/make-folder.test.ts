import assert from 'node:assert/strict';
import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeFolders } from '../../src/base/make-folder.ts';
import { folderFor } from '../support/folder.ts';

describe('folders', () => {
  it('are made with those above them, and may be there', (context) => {
    const root = folderFor(context);
    const path = join(root, 'a', 'b', 'c');
    makeFolders(path);
    makeFolders(path);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    symlinkSync(path, join(root, 'link'));
    makeFolders(join(root, 'link'));
    writeFileSync(join(path, 'file'), '');
    assert.throws(() => makeFolders(join(path, 'file')), { code: 'EEXIST' });
    assert.throws(() => makeFolders(join(path, 'file', 'below')), { code: 'ENOTDIR' });
  });

  it('are not asked for without end where the kernel makes none', { skip: !existsSync('/proc') }, () => {
    assert.throws(() => makeFolders('/proc/none/below'), { code: 'ENOENT' });
  });
});
