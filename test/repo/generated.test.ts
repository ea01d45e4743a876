/** What is generated from the code and committed is what the code would generate now. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ARCHITECTURE_PATH, COMMANDS_PATH, architectureText, commandsText } from '../tools/generate-docs.ts';
import { SCHEMA_FILE_SCHEMA_PATH, schemaFileSchemaText } from '../tools/generate-schema-file-schema.ts';
import { MANIFEST_PATH, manifestText } from '../tools/generate-manifest.ts';

describe('generated files', () => {
  for (const [path, generate] of [
    [MANIFEST_PATH, manifestText],
    [COMMANDS_PATH, commandsText],
    [ARCHITECTURE_PATH, architectureText],
    [SCHEMA_FILE_SCHEMA_PATH, schemaFileSchemaText],
  ] as const) {
    it(`such as ${path.split('/').at(-1)} are fresh; npm run generate makes them so`, async () => {
      assert.equal(readFileSync(path, 'utf8'), await generate());
    });
  }
});
