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
  // The stack of a bug then names the lines of src/.
  if (process.env.CRATEGEN_DEBUG) process.setSourceMapsEnabled(true);
  try {
    // Flags first: compiled code is kept apart by V8's flags, and code of other flags is compiled anew each time.
    if (process.argv[2] === 'cluster') require('../dist/cli/keep-nursery-small.cjs').keepNurserySmall();
    require('../dist/cli/keep-compiled.cjs').keepCompiledCode();
    void require('../dist/cli/main.cjs').main(process.argv.slice(2), new URL('..', import.meta.url));
  } catch (error) {
    process.stderr.write('crategen: cannot start: ' + error.message + '\n');
    process.exitCode = 1;
  }
}
