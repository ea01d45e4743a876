#!/usr/bin/env node
// Starts crategen. Kept to what any Node understands, so that an old one says one plain line instead of crashing.
const wanted = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < wanted) {
  process.stderr.write(
    'crategen: needs Node.js ' + wanted + ' or newer, this is ' + process.versions.node + '\n',
  );
  process.exitCode = 2;
} else {
  Promise.all([import('../dist/cli/keep-compiled.js'), import('../dist/cli/keep-nursery-small.js')])
    .then(([{ keepCompiledCode }, { keepNurserySmall }]) => {
      // Flags first: compiled code is kept apart by V8's flags, and code of other flags is compiled anew each time.
      if (process.argv[2] === 'cluster') keepNurserySmall();
      keepCompiledCode();
      return import('../dist/cli/main.js');
    })
    .then(
      ({ main }) => main(process.argv.slice(2), new URL('..', import.meta.url)),
      (error) => {
        process.stderr.write('crategen: cannot start: ' + error.message + '\n');
        process.exitCode = 1;
      },
    );
}
