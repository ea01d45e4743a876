/** Users with little more than nothing on a real CrateDB: what they may do works, what is missing is named as a GRANT. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Home, crategen, home, run } from '../support/built-command.ts';
import { PATHS, by, cluster, sql, storedIn, untilStored } from './support.ts';

interface Place {
  readonly home: Home;
  /** A schema that only this test uses. */
  readonly schema: string;
  readonly table: string;
  readonly user: string;
  /** Flags that sign the user in. */
  readonly asUser: readonly string[];
}

/** A user with these privileges on a schema of the test's own; null, and the test is skipped, where none can be made. */
async function placeFor(context: TestContext, privileges: string): Promise<Place | null> {
  const id = randomBytes(5).toString('hex');
  const [schema, user, password] = [
    `crategen_test_${id}`,
    `crategen_test_${id}`,
    randomBytes(9).toString('hex'),
  ];
  try {
    await sql(`CREATE USER ${user} WITH (password = '${password}')`);
  } catch (error) {
    context.skip(`no user can be made here: ${String(error).slice(0, 200)}`);
    return null;
  }
  const table = `${schema}.t`;
  context.after(async () => {
    await sql(`DROP TABLE IF EXISTS ${table}`);
    await sql(`DROP USER ${user}`);
  });
  if (privileges !== '') await sql(`GRANT ${privileges} ON SCHEMA ${schema} TO ${user}`);
  const place = await home(context);
  const file = join(place.folder, 'password');
  writeFileSync(file, `${password}\n`);
  return { home: place, schema, table, user, asUser: ['--username', user, '--password-file', file] };
}

/** The table as another, mightier user makes it. */
async function makeTable({ table, home: place }: Place): Promise<void> {
  const ddl = await run(['schema', 'ddl', 'records', '--table', table], place);
  assert.equal(ddl.code, 0, ddl.stderr);
  await sql(ddl.stdout.replace(/;\s*$/, ''));
}

test('DDL, DML and DQL on one schema are enough for every command of a run, and one line says what is not seen', async (context) => {
  const place = await placeFor(context, 'DDL, DML, DQL');
  if (place === null) return;
  const { home: at, table, asUser } = place;
  const stopped = crategen(
    cluster(table, ...asUser, '--rows', '3k', '--rate', '300', '--batch-size', '100', '--run-id', 'least'),
    at,
  );
  await untilStored(table, 300, stopped);
  stopped.kill('SIGTERM');
  const first = await stopped.ended;
  assert.equal(first.code, 143, first.stderr);
  assert.equal(first.stderr.match(/may not read the schema sys/g)?.length, 1, first.stderr);
  assert.equal(first.run().verification.verdict, 'match');
  const resumed = await run(
    ['cluster', '--resume', 'least', ...asUser, '--json', '--live', 'off', '--verify', 'rows'],
    at,
  );
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal(resumed.run().verification.verdict, 'match');
  assert.deepEqual(await storedIn(table), { rows: 3000, distinct: 3000 });
  const single = await run(['single', '--table', table, ...asUser, '--rows', '500', '--quiet'], at);
  assert.equal(single.code, 0, single.stderr);
  const doctor = await run(['doctor', '--table', table, ...asUser], at);
  assert.equal(doctor.code, 0, doctor.stdout);
  assert.match(
    doctor.stdout,
    /^note +sys +cannot be read: .*settled after 65 s.*\n +GRANT DQL ON SCHEMA "sys" TO "\w+"$/m,
  );
  const verified = await run(['verify', 'least', ...asUser], at);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  const cleaned = await run(['clean', 'least', '--yes', ...asUser], at);
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.deepEqual((await storedIn(table)).rows, 500);
});

for (const path of PATHS) {
  test(`The same privileges are enough to insert by ${path}`, async (context) => {
    const place = await placeFor(context, 'DDL, DML, DQL');
    if (place === null) return;
    const ended = await run(
      cluster(place.table, ...place.asUser, '--rows', '400', ...by(path, 100)),
      place.home,
    );
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(ended.run().verification.verdict, 'match');
    assert.deepEqual(await storedIn(place.table), { rows: 400, distinct: 400 });
  });
}

test('With DQL on sys nothing is hidden, and nothing said', async (context) => {
  const place = await placeFor(context, 'DDL, DML, DQL');
  if (place === null) return;
  await sql(`GRANT DQL ON SCHEMA sys TO ${place.user}`);
  const ended = await run(cluster(place.table, ...place.asUser, '--rows', '500'), place.home);
  assert.equal(ended.code, 0, ended.stderr);
  assert.doesNotMatch(ended.stderr, /schema sys/);
});

test('Without DDL a table that is there takes the rows, and one that is missing is refused with the GRANT', async (context) => {
  const place = await placeFor(context, 'DML, DQL');
  if (place === null) return;
  const args = cluster(place.table, ...place.asUser, '--rows', '500');
  const missing = await run(args, place.home);
  assert.equal(missing.code, 3, missing.stderr);
  assert.match(missing.stderr, /Missing 'DDL' privilege/);
  assert.ok(
    missing.stderr.includes(`GRANT DDL ON SCHEMA "${place.schema}" TO "${place.user}"`),
    missing.stderr,
  );
  const doctor = await run(['doctor', '--table', place.table, ...place.asUser], place.home);
  assert.equal(doctor.code, 3, doctor.stdout);
  assert.ok(
    doctor.stdout.includes(`GRANT DDL ON SCHEMA "${place.schema}" TO "${place.user}"`),
    doctor.stdout,
  );
  await makeTable(place);
  const ended = await run(args, place.home);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await storedIn(place.table), { rows: 500, distinct: 500 });
  const fit = await run(['doctor', '--table', place.table, ...place.asUser], place.home);
  assert.equal(fit.code, 0, fit.stdout);
});

for (const [privileges, lacking] of [
  ['DDL, DML', 'DQL'],
  ['DDL, DQL', 'DML'],
] as const) {
  test(`Without ${lacking} nothing is inserted, and the GRANT is named`, async (context) => {
    const place = await placeFor(context, privileges);
    if (place === null) return;
    await makeTable(place);
    const ended = await run(cluster(place.table, ...place.asUser, '--rows', '500'), place.home);
    assert.equal(ended.code, 3, ended.stderr);
    assert.ok(
      ended.stderr.includes(`GRANT ${lacking} ON SCHEMA "${place.schema}" TO "${place.user}"`),
      ended.stderr,
    );
    assert.equal((await storedIn(place.table)).rows, 0);
  });
}

test('A user without any privilege learns that the table may be there without being seen', async (context) => {
  const place = await placeFor(context, '');
  if (place === null) return;
  await makeTable(place);
  const ended = await run(cluster(place.table, ...place.asUser, '--rows', '500'), place.home);
  assert.equal(ended.code, 3, ended.stderr);
  assert.match(ended.stderr, /or this user may not see it: GRANT DDL, DML, DQL ON SCHEMA "\w+" TO "\w+"$/m);
  assert.equal((await storedIn(place.table)).rows, 0);
});

test('verify and clean name the GRANT that they lack', async (context) => {
  const place = await placeFor(context, 'DQL');
  if (place === null) return;
  const { home: at, table, asUser, schema, user } = place;
  const filled = await run(cluster(table, '--rows', '500'), at);
  assert.equal(filled.code, 0, filled.stderr);
  const clean = await run(['clean', 'latest', '--yes', ...asUser], at);
  assert.equal(clean.code, 3, clean.stderr);
  assert.ok(clean.stderr.includes(`GRANT DML ON SCHEMA "${schema}" TO "${user}"`), clean.stderr);
  await sql(`REVOKE DQL ON SCHEMA ${schema} FROM ${user}`);
  for (const command of ['verify', 'clean']) {
    const ended = await run([command, 'latest', ...asUser], at);
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(
      ended.stderr,
      /It is not there, or this user may not see it: GRANT DDL, DML, DQL ON SCHEMA "\w+" TO "\w+"$/m,
    );
  }
  assert.equal((await storedIn(table)).rows, 500);
});
