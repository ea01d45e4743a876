/**
 * Writes oclif.manifest.json from the built commands: with it oclif finds a command without importing all of them,
 * which is most of the time that `--help` takes.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Plugin } from '@oclif/core/config';
import type { Manifest } from '@oclif/core/interfaces';
import * as prettier from 'prettier';

const ROOT = join(import.meta.dirname, '../..');

export const MANIFEST_PATH = join(ROOT, 'oclif.manifest.json');

/** What the built commands say about themselves. Needs `npm run build`. */
export async function loadManifest(): Promise<Manifest> {
  const plugin = new Plugin({
    root: ROOT,
    type: 'core',
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  });
  await plugin.load();
  return plugin.manifest;
}

export async function manifestText(): Promise<string> {
  const manifest = await loadManifest();
  const commands = Object.fromEntries(
    Object.entries(manifest.commands).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  const options = await prettier.resolveConfig(MANIFEST_PATH);
  return await prettier.format(JSON.stringify({ ...manifest, commands }), { ...options, parser: 'json' });
}

if (import.meta.main) writeFileSync(MANIFEST_PATH, await manifestText());
