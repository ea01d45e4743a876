/** The repository's own tidiness: what a reader of any file may rely on. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/** Files that are committed, or would be. Without a checkout (a tarball) there is nothing to be tidy about. */
function repositoryFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

const FILES = existsSync(join(ROOT, '.git')) ? repositoryFiles() : [];
const TEXT = FILES.filter((path) => !path.startsWith('test/fixtures/') && path !== 'package-lock.json');
const SOURCES = FILES.filter((path) => /^(src|test)\/.*\.ts$/.test(path) && !path.endsWith('.d.ts'));
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Paths for which `isWrong` holds. */
const wrong = (
  paths: readonly string[],
  isWrong: (text: string, path: string) => boolean,
): readonly string[] => paths.filter((path) => isWrong(textOf(path), path));

describe('the repository', { skip: FILES.length === 0 ? 'not a checkout' : false }, () => {
  it('is looked at as a whole', () => {
    assert.ok(SOURCES.length > 150);
  });

  it('names files in kebab-case', () => {
    assert.deepEqual(
      SOURCES.filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|live))?\.ts$/.test(basename(path))),
      [],
    );
  });

  it('opens every source file with a sentence about it', () => {
    // The titles of tests are sentences themselves.
    const explained = SOURCES.filter((path) => !path.endsWith('.test.ts'));
    assert.deepEqual(
      wrong(explained, (text) => !text.startsWith('/**')),
      [],
    );
  });

  it('gives hints that are sentences, but where one begins or ends with what is typed', () => {
    const lines = SOURCES.filter((path) => path.startsWith('src/')).flatMap((path) =>
      textOf(path).split('\n'),
    );
    const hints = lines
      .flatMap((line) => /\bhint: (.+)$/.exec(line)?.[1] ?? [])
      .flatMap((value) => [...value.matchAll(/(['"`])((?:(?!\1).)+)\1/g)].map(([, , text = '']) => text))
      .filter((text) => text.length > 10);
    assert.ok(hints.length > 50);
    const begins = /^([A-Z]|crategen |--|https:|identity:|ulimit )/;
    const ends = /[.?]$|: (crategen|kill|GRANT) ?|: \$\{grantOn|--resume |--tarball DIR/;
    assert.deepEqual(
      hints.filter((text) => !begins.test(text) || !ends.test(text)),
      [],
    );
  });

  it('has no test that keeps others from running', () => {
    const only = new RegExp(`\\.${'only'}\\(|\\{ ${'only'}: true`);
    assert.deepEqual(
      wrong(
        SOURCES.filter((path) => path.startsWith('test/')),
        (text) => only.test(text),
      ),
      [],
    );
  });

  it('has no module state, no barrels, no leftovers', () => {
    const sources = SOURCES.filter((path) => path.startsWith('src/'));
    assert.deepEqual(
      wrong(sources, (text) => /^(export )?(let|var) /m.test(text)),
      [],
      'module state',
    );
    assert.deepEqual(
      sources.filter((path) => basename(path) === 'index.ts'),
      [],
      'barrels',
    );
    const leftover = new RegExp(
      `\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|${['X', 'X', 'X'].join('')}|${['console', 'log'].join('\\.')})\\b`,
    );
    assert.deepEqual(
      wrong(sources, (text) => leftover.test(text)),
      [],
      'leftovers',
    );
  });

  it('has no paths of the machine it was written on', () => {
    const home = new RegExp(`(^|[\\s'"\`(=])/(${['work', 'root'].join('|')})/[a-z]`, 'm');
    assert.deepEqual(
      wrong(TEXT, (text) => home.test(text)),
      [],
    );
  });

  it('ends every text with one newline and has no blanks at line ends', () => {
    const texts = TEXT.filter((path) => /\.(ts|js|cjs|json|md|yml|yaml)$/.test(path));
    assert.deepEqual(
      wrong(texts, (text) => !text.endsWith('\n') || text.endsWith('\n\n') || /[ \t]$/m.test(text)),
      [],
    );
  });

  it('has a change log entry for the version it is', () => {
    const { version } = JSON.parse(textOf('package.json')) as { version: string };
    assert.match(textOf('CHANGELOG.md'), new RegExp(`^## ${version.replaceAll('.', '\\.')}$`, 'm'));
  });

  it('links only to documents that are there', () => {
    const broken = TEXT.filter((path) => path.endsWith('.md')).flatMap((path) =>
      [...textOf(path).matchAll(/\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });

  it('says of each folder inside a room what it holds', () => {
    const folders = new Set(
      SOURCES.flatMap((path) => /^src\/(?!commands\/)[a-z-]+\/([a-z-]+\/)/.exec(path)?.[1] ?? []),
    );
    assert.ok(folders.size > 5);
    const told = textOf('docs/architecture.md');
    assert.deepEqual(
      [...folders].filter((folder) => !told.includes(folder)),
      [],
    );
  });

  it('numbers each of its decisions once', () => {
    const numbers = FILES.filter((path) => path.startsWith('docs/decisions/')).map((path) =>
      Number(basename(path).slice(0, 4)),
    );
    assert.equal(new Set(numbers).size, numbers.length);
    assert.ok(numbers.every((number) => number > 0));
  });

  it('keeps the lock file to packages with their hashes, and names no address in it', () => {
    const { packages } = JSON.parse(textOf('package-lock.json')) as {
      packages: Record<string, { resolved?: string; integrity?: string; optional?: boolean; os?: string[] }>;
    };
    const entries = Object.entries(packages).filter(([path]) => path !== '');
    assert.ok(entries.length > 50);
    const isForeign = ({ optional, os }: { optional?: boolean; os?: string[] }): boolean =>
      optional === true && os !== undefined;
    assert.deepEqual(
      entries.filter(([, entry]) => entry.integrity === undefined && !isForeign(entry)).map(([path]) => path),
      [],
    );
    assert.deepEqual(
      entries.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
      [],
    );
  });
});
