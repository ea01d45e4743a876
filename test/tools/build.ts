/**
 * Makes dist/: every file that something starts or finds by its path, and in shared/ what several of them load. What
 * stands under `dependencies` is installed beside crategen; everything else that src/ imports is bundled, with the
 * texts of its licences (docs/decisions/0029-the-command-is-a-bundle.md).
 */
import { createHash } from 'node:crypto';
import { globSync, readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { type Plugin, build } from 'rolldown';
import { replacePlugin } from 'rolldown/plugins';

const ROOT = join(import.meta.dirname, '../..');

/** Loaded by `bin/run.js`, found by oclif, or forked: their paths in dist/ are those in src/. */
const ENTRIES = [
  'cli/begin',
  'cli/main',
  'cli/help',
  'cli/command-not-found',
  'worker/main',
  'sandbox/main',
  ...globSync('commands/**/*.ts', { cwd: join(ROOT, 'src') }).map((path) =>
    path.replaceAll(sep, '/').replace(/\.ts$/, ''),
  ),
];

interface PackageFacts {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** oclif asks for TypeScript where a checkout has it, and goes on without. */
const INSTALLED = [...Object.keys(factsOf(ROOT).dependencies ?? {}), 'typescript'];

await build({
  cwd: ROOT,
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, `src/${entry}.ts`])),
  platform: 'node',
  external: INSTALLED.map((name) => new RegExp(`^${name}(/|$)`)),
  plugins: [
    lightUndici(),
    // oclif orders the ids of commands by the rules of a language, for which Node reads them: 10 ms. They are ASCII.
    replacePlugin({ 'a.id.localeCompare(b.id)': '(a.id < b.id ? -1 : 1)' }, { delimiters: ['', ''] }),
    licenceTexts(),
    buildId(),
  ],
  onwarn: (warning) => {
    throw new Error(warning.message);
  },
  output: {
    dir: 'dist',
    cleanDir: true,
    // An `import` of a module of Node's evaluates all that it offers, its lazy parts too; a `require` does not.
    format: 'cjs',
    // Kept code is run without a loader for `import`, which Node calls an experiment (`src/base/kept-code.ts`).
    dynamicImportInCjs: false,
    entryFileNames: '[name].cjs',
    // As deep as the rooms of src/: `../worker/main` leads to the same from there.
    chunkFileNames: 'shared/[name].cjs',
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: { legal: true, annotation: false, jsdoc: false },
  },
});

/**
 * What undici would load and crategen has no use for: HTTP/2 and its client, the limit of headers that Node has, a second
 * parser, a tree of names of headers, for which it has a slower way; and Node's assert, of which undici only asks whether
 * something is so. The modules of Node for HTTP are a fifth of what a worker did before its first row, the rest, with what
 * `kept-code.ts` saves, a seventh of what was left.
 */
function lightUndici(): Plugin {
  const inPlace = new Map([
    ['node:http2', 'exports.constants = {};'],
    ['node:http', ''],
    [
      'node:assert',
      'module.exports = (isSo, message) => { if (!isSo) throw new Error(message ?? "a bug in undici"); };',
    ],
    ['./client-h2.js', ''],
    ['./parser-h1.js', 'exports.getMiloEnabled = () => false;'],
    ['./tree', 'exports.tree = { lookup: () => null };'],
  ]);
  return {
    name: 'light-undici',
    resolveId: (source, importer) =>
      inPlace.has(source) && /node_modules[\\/]undici[\\/]/.test(importer ?? '')
        ? `\0without ${source}`
        : null,
    load: (id) => (id.startsWith('\0without ') ? (inPlace.get(id.slice('\0without '.length)) ?? null) : null),
  };
}

/** Writes what the licences of bundled packages ask for: their texts go where the code goes. */
function licenceTexts(): Plugin {
  return {
    name: 'licence-texts',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
      const folders = new Set(
        modules.flatMap((path) => /^.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(path) ?? []),
      );
      const source = [...folders]
        .map(licenceOf)
        .toSorted()
        .join(`\n${'-'.repeat(80)}\n\n`);
      this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-LICENSES.txt', source });
    },
  };
}

/** What compiled code is kept for (`src/base/kept-code.ts`): V8 looks at the length of a file, not at what it says. */
function buildId(): Plugin {
  return {
    name: 'build-id',
    generateBundle(_options, bundle) {
      const hash = createHash('sha256');
      for (const file of Object.values(bundle)) if (file.type === 'chunk') hash.update(file.code);
      this.emitFile({ type: 'asset', fileName: 'build-id', source: hash.digest('hex') });
    },
  };
}

/** Throws where a package brings no text: then somebody has to look. */
function licenceOf(folder: string): string {
  const { name, version, license } = factsOf(folder);
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  if (files.length === 0) throw new Error(`${name} ${version} has no file with its licence`);
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return `${name} ${version}, ${license ?? 'no short name'}\n\n${texts.join('\n\n')}\n`;
}

function factsOf(folder: string): PackageFacts {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageFacts;
}
