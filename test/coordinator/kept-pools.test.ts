/** Pools that are kept are the pools that would be made, whatever lies in the folder. */
import assert from 'node:assert/strict';
import { readFile, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { type PoolShelf, fetchPools } from '../../src/coordinator/kept-pools.ts';
import { buildPools } from '../../src/rows/pools.ts';
import { preset } from '../rows/support.ts';
import { folderFor } from '../support/folder.ts';

const VERSIONS = { crategen: '1.0.0', faker: '10.0.0' };
const SCHEMA = preset('records');
const MADE = await buildPools(SCHEMA);

async function shelf(context: TestContext): Promise<PoolShelf> {
  const parent = folderFor(context);
  return { folder: join(parent, 'pools'), versions: VERSIONS };
}

async function onlyFile({ folder }: PoolShelf): Promise<string> {
  const [name, ...others] = await readdir(folder);
  assert.deepEqual(others, []);
  assert.ok(name !== undefined);
  return join(folder, name);
}

describe('kept pools', () => {
  it('are those that were made, and are read instead of made', async (context) => {
    const place = await shelf(context);
    assert.deepEqual(await fetchPools(SCHEMA, place), MADE);
    const file = await onlyFile(place);
    // Pools that nobody would make, with a hash that fits: they come from the file.
    const other = await buildPools(preset('metrics'));
    await writeFile(file, serialize(other));
    assert.deepEqual(await fetchPools(SCHEMA, place), other);
  });

  it('are made anew from a file that is cut off, altered or something else', async (context) => {
    const place = await shelf(context);
    await fetchPools(SCHEMA, place);
    const file = await onlyFile(place);
    const whole = await readFile(file);
    const { bytes, ...rest } = deserialize(whole) as typeof MADE;
    const altered = Uint8Array.from(bytes);
    altered[100] = (altered[100] ?? 0) ^ 1;
    for (const content of [
      Buffer.alloc(0),
      Buffer.from('no pools'),
      serialize(null),
      serialize({ ...rest, bytes: [...bytes] }),
      serialize({ ...rest, bytes: altered }),
    ]) {
      await writeFile(file, content);
      assert.deepEqual(await fetchPools(SCHEMA, place), MADE);
      assert.deepEqual(await readFile(file), whole, 'it is replaced');
    }
    await truncate(file, whole.length - 1);
    assert.deepEqual(await fetchPools(SCHEMA, place), MADE);
  });

  it('of other versions are others', async (context) => {
    const place = await shelf(context);
    await fetchPools(SCHEMA, place);
    await fetchPools(SCHEMA, { ...place, versions: { ...VERSIONS, faker: '11.0.0' } });
    assert.equal((await readdir(place.folder)).length, 2);
  });

  it('are made each time where none can be kept', async (context) => {
    const place = await shelf(context);
    await fetchPools(SCHEMA, place);
    const file = await onlyFile(place);
    assert.deepEqual(await fetchPools(SCHEMA, { ...place, folder: join(file, 'below-a-file') }), MADE);
    await rm(file);
  });

  it('that were kept longest ago give way', async (context) => {
    const place = await shelf(context);
    await fetchPools(SCHEMA, place);
    const first = await onlyFile(place);
    await utimes(first, 1, 1);
    for (let version = 0; version < 16; version += 1)
      await fetchPools(SCHEMA, { ...place, versions: { crategen: String(version) } });
    assert.equal((await readdir(place.folder)).length, 16);
    await assert.rejects(stat(first), { code: 'ENOENT' });
  });
});
