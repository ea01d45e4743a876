/**
 * `npm run test:cratedb`: the built command against the CrateDB that CRATEDB_CLUSTER_URL names. Without it there is
 * nothing to test: one line, exit 2. Arguments go to the test runner.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

if ((process.env['CRATEDB_CLUSTER_URL'] ?? '') === '') {
  process.stderr.write(
    'skipped: CRATEDB_CLUSTER_URL is not set; it names the CrateDB to test against, such as http://localhost:4200\n',
  );
  process.exitCode = 2;
} else {
  const files = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.live.ts'))
    .map((name) => join(import.meta.dirname, name));
  const options = ['--test', '--test-concurrency=2', '--test-timeout=600000', ...process.argv.slice(2)];
  const { exitCode } = await execa(process.execPath, [...options, ...files], {
    stdio: 'inherit',
    reject: false,
  });
  process.exitCode = exitCode ?? 1;
}
