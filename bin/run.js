#!/usr/bin/env node
// Starts crategen. Kept to what any Node understands, so that an old one says one plain line instead of crashing.
import { createRequire } from 'node:module';

const wanted = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < wanted) {
  process.stderr.write(
    'crategen: needs Node.js ' + wanted + ' or newer, this is ' + process.versions.node + '\n',
  );
  process.exitCode = 2;
} else {
  const require = createRequire(import.meta.url);
  try {
    require('../dist/cli/begin.cjs').begin(process.argv.slice(2));
    void require('../dist/cli/main.cjs').main(process.argv.slice(2), new URL('..', import.meta.url));
  } catch (error) {
    process.stderr.write('crategen: cannot start: ' + error.message + '\n');
    process.exitCode = 1;
  }
}
