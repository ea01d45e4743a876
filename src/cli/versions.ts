/** The versions that decide which rows a run makes. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export interface Versions {
  readonly crategen: string;
  readonly node: string;
  readonly faker: string;
}

/** `crategen` is the version of this package. Reads faker's from its package.json: importing it is not cheap. */
export function versionsOf(crategen: string): Versions {
  return { crategen, node: process.versions.node, faker: installedVersion('@faker-js/faker') };
}

function installedVersion(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
  const facts: unknown = JSON.parse(readFileSync(path, 'utf8'));
  return typeof facts === 'object' && facts !== null && 'version' in facts
    ? String(facts.version)
    : 'unknown';
}
