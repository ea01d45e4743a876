/** What workers write rows with comes out of its file as it went in. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UsageError } from '../../src/base/errors.ts';
import { readRowsFile, writeRowsFile } from '../../src/protocol/rows-file.ts';
import { deflateModuleOf } from '../../src/rows/deflate/deflate-plan.ts';
import { emitColumnModule } from '../../src/rows/fast/column-emitter.ts';
import { emitRowModule } from '../../src/rows/fast/row-emitter.ts';
import type { RowSource } from '../../src/rows/row-source.ts';
import { planOf, preset } from '../rows/support.ts';
import { folderFor } from '../support/folder.ts';

const folder = folderFor({ after });

test('the sources of several tables, of every kind, are read as they were written, by this user alone', async () => {
  const plan = await planOf(preset('everything'));
  const sources: readonly RowSource[] = [
    { kind: 'module', module: emitRowModule(plan) },
    { kind: 'columns', module: emitColumnModule(plan) },
    { kind: 'deflate', module: deflateModuleOf(await planOf(preset('metrics'))) },
    { kind: 'plan', plan },
  ];
  const path = join(folder, 'rows');
  writeRowsFile(path, sources);
  assert.deepEqual(readRowsFile(path), sources);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a folder that is gone is named to the user by the coordinator, and an error for a worker', () => {
  const path = join(folder, 'gone', 'rows');
  assert.throws(
    () => writeRowsFile(path, []),
    (error) => error instanceof UsageError && /cannot be written: ENOENT/.test(error.message),
  );
  assert.throws(() => readRowsFile(path), /ENOENT/);
});
