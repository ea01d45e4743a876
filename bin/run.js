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
    // Flags first: compiled code fits only the flags that it was made with.
    if (process.argv[2] === 'cluster' && !process.argv.includes('--help'))
      require('../dist/cli/keep-small.cjs').keepSmall();
    // The stack of a bug names the lines of src/ where Node itself has loaded them.
    if (process.env.CRATEGEN_DEBUG) process.setSourceMapsEnabled(true);
    else require('../dist/cli/keep-compiled.cjs').keepCompiledCode(process.argv.slice(2));
    void require('../dist/cli/main.cjs').main(process.argv.slice(2), new URL('..', import.meta.url));
  } catch (error) {
    process.stderr.write('crategen: cannot start: ' + error.message + '\n');
    process.exitCode = 1;
  }
}
