/**
 * The order of the rooms: a room imports only from rooms before it. And the fences: which room alone may reach
 * for which package. `docs/architecture.md` shows the result as a graph.
 */
const ROOMS = [
  'base',
  'rows',
  'plan',
  'metrics',
  'cratedb',
  'audit',
  'protocol',
  'worker',
  'coordinator',
  'report',
  'sandbox',
  'cli',
  'commands',
];

const order = ROOMS.map((room, index) => ({
  name: `${room}-imports-only-from-rooms-before-it`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: `^src/(${ROOMS.slice(index + 1).join('|') || 'none'})/` },
}));

/** Only these rooms may import the package. */
const fence = (name, packages, rooms) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/(${rooms})/` },
  to: { path: `^(node_modules/)?(${packages})(/|$)` },
});

module.exports = {
  forbidden: [
    ...order,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'sandbox-is-written-apart',
      severity: 'error',
      comment:
        'Both sides of the wire are written from the facts: what joins them in a test then proves something.',
      from: { path: '^src/sandbox/' },
      to: { path: '^src/', pathNot: '^src/(base|sandbox)/' },
    },
    {
      name: 'rows-are-pure',
      severity: 'error',
      comment: 'Hashing is arithmetic; everything else of Node is a clock, a file or a network.',
      from: { path: '^src/(rows|metrics)/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|assert|buffer)$' },
    },
    fence('undici-is-behind-cratedb', 'undici', 'cratedb'),
    fence('pg-protocol-is-behind-cratedb', 'pg-protocol', 'cratedb'),
    fence('pidusage-is-behind-coordinator', 'pidusage', 'coordinator'),
    fence('oclif-is-behind-cli', '@oclif', 'cli|commands'),
    fence('faker-fills-pools', '@faker-js', 'rows'),
    fence('execa-is-for-probes', 'execa', 'cli'),
    fence('yaml-is-for-config-files', 'yaml', 'plan'),
    {
      name: 'faker-by-locale',
      severity: 'error',
      comment: 'The root of faker costs 42 MiB: in 64 workers that would be all that people see.',
      from: { path: '^src/' },
      to: { path: '^(node_modules/)?@faker-js/faker/(dist/index|$)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'worker-is-lean',
      severity: 'error',
      comment: 'A worker loads the loop, undici and nothing that its memory would show.',
      from: { path: '^src/worker/' },
      to: { path: '^(node_modules/)?(@oclif|@faker-js|valibot|yaml|execa|pidusage)', reachable: true },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-tools-at-run-time',
      severity: 'error',
      comment:
        'What is imported here is bundled, or must be installed with crategen: a tool gets in only by mistake.',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev'],
        pathNot: '^node_modules/(@faker-js|@oclif|execa|pg-protocol|pidusage|undici|valibot|yaml)/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
