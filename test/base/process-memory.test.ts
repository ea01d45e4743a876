import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { execa } from 'execa';
import { residentBytesMax } from '../../src/base/process-memory.ts';

const MODULE = new URL('../../src/base/process-memory.ts', import.meta.url).href;
const BALLAST_BYTES = 200 * 2 ** 20;

describe('the peak of resident memory', () => {
  it('is at least what is resident, and stays when memory is given back', () => {
    const before = residentBytesMax();
    assert.ok(before >= 2 ** 20);
    Buffer.alloc(BALLAST_BYTES, 1);
    assert.ok(residentBytesMax() >= Math.max(before, BALLAST_BYTES));
  });

  it('of a child is its own, whatever its parent had', { skip: process.platform !== 'linux' }, async () => {
    const ballast = Buffer.alloc(BALLAST_BYTES, 1);
    const say = `import(${JSON.stringify(MODULE)}).then((m) => console.log(m.residentBytesMax()))`;
    const { stdout } = await execa(process.execPath, ['-e', say]);
    assert.ok(Number(stdout) > 2 ** 20 && Number(stdout) < ballast.length, stdout);
  });
});
