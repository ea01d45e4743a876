/** Code that was compiled is kept from one start to the next, and never stands in the way of one. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type Home, cluster, crategen, home, run } from '../support/built-command.ts';
import { sandboxFor } from '../support/sandbox.ts';

const folderOf = ({ folder }: Home): string => join(folder, 'cache/crategen/code');

/** A number that changes whenever the file is kept anew: it gets its name by a rename. */
const inodesIn = (folder: string): Record<string, bigint> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [name, statSync(join(folder, name), { bigint: true }).ino]),
  );

test('what was compiled is kept by the first run that can, whole and for this user alone, and used by the next', async (context) => {
  const place = await home(context);
  const sandbox = await sandboxFor(context);
  const once = async (): Promise<void> => {
    const ended = await run(cluster(sandbox, '--rows', '2k', '--compress', 'gzip'), place);
    assert.equal(ended.code, 0, ended.stderr);
    assert.doesNotMatch(ended.stderr, /Warning|node:/);
  };
  const folder = folderOf(place);
  mkdirSync(folder, { recursive: true });
  // Pools are filled, and bodies compressed, with what is loaded only for that.
  await once();
  const kept = inodesIn(folder);
  assert.deepEqual(Object.keys(kept).toSorted(), ['cluster', 'worker-process']);
  for (const name of Object.keys(kept)) assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
  // Nothing is compiled that was not there, so nothing is kept anew.
  await once();
  assert.deepEqual(inodesIn(folder), kept);
});

test('files of kept code that are broken, cut or of another build are replaced, and the run is as ever', async (context) => {
  const place = await home(context);
  const sandbox = await sandboxFor(context);
  const folder = folderOf(place);
  mkdirSync(folder, { recursive: true });
  const args = cluster(sandbox, '--rows', '2k');
  assert.equal((await run(args, place)).code, 0);
  const path = join(folder, 'cluster');
  const whole = readFileSync(path);
  const otherBuild = Buffer.from(whole);
  otherBuild.write('0'.repeat(64), whole.indexOf('"build":"') + '"build":"'.length);
  const cases = {
    empty: Buffer.alloc(0),
    garbage: Buffer.from('no list of code'),
    'a list without an end': whole.subarray(0, 100),
    'less code than the list says': whole.subarray(0, whole.length / 2),
    'another build': otherBuild,
  };
  for (const [what, content] of Object.entries(cases)) {
    writeFileSync(path, content);
    const broken = inodesIn(folder)['cluster'];
    const ended = await run(args, place);
    assert.equal(ended.code, 0, `${what}: ${ended.stderr}`);
    assert.equal(ended.run().ledger.acknowledged, 2000, what);
    assert.notEqual(inodesIn(folder)['cluster'], broken, `${what}: kept anew`);
    assert.ok(readFileSync(path).length > whole.length / 2, `${what}: whole`);
  }
});

test('where nothing can be kept, the run is as ever and says nothing of it', async (context) => {
  const place = await home(context);
  const sandbox = await sandboxFor(context);
  mkdirSync(join(place.folder, 'cache/crategen'), { recursive: true });
  writeFileSync(folderOf(place), 'a file in place of the folder');
  const ended = await run(cluster(sandbox, '--rows', '2k'), place);
  assert.equal(ended.code, 0, ended.stderr);
  assert.doesNotMatch(ended.stderr, /code|EEXIST|ENOTDIR/);
});

test('a command that is refused keeps nothing, and neither does one that fails', async (context) => {
  const place = await home(context);
  for (const args of [
    ['cluster', '--procs', 'many'],
    ['clustr'],
    ['cluster', '--url', 'http://127.0.0.1:1'],
  ]) {
    const ended = await run(args, place);
    assert.notEqual(ended.code, 0);
    assert.equal(existsSync(folderOf(place)), false, args.join(' '));
  }
});

test('with flags of V8 of its own a start takes no code that was made with others', async (context) => {
  const place = await home(context);
  const sandbox = await sandboxFor(context);
  mkdirSync(folderOf(place), { recursive: true });
  const args = cluster(sandbox, '--rows', '2k');
  assert.equal((await run(args, place)).code, 0);
  const before = inodesIn(folderOf(place))['cluster'];
  const other = crategen(args, place, { nodeArgs: ['--stack-size=900'] });
  assert.equal((await other.ended).code, 0);
  assert.notEqual(inodesIn(folderOf(place))['cluster'], before, 'kept anew, for those flags');
});
