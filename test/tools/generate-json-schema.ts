/**
 * Writes docs/run-file.schema.json from the schema that run files are parsed with. The test of the run file
 * compares the two, so that neither changes alone.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as prettier from 'prettier';
import { toJsonSchema } from '@valibot/to-json-schema';
import { runFileSchema } from '../../src/report/run-file-schema.ts';

export const JSON_SCHEMA_PATH = join(import.meta.dirname, '../../docs/run-file.schema.json');

/** The text of the JSON Schema (draft 2020-12) of `crategen.run/1`, formatted as the repository's files are. */
export async function jsonSchemaText(): Promise<string> {
  const schema = toJsonSchema(runFileSchema, {
    target: 'draft-2020-12',
    errorMode: 'throw',
    ignoreActions: ['raw_transform'],
  });
  const head = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'crategen run file',
    description: 'crategen.run/1: what a run came to. null = not measured. Unknown keys are allowed.',
  };
  const options = await prettier.resolveConfig(JSON_SCHEMA_PATH);
  return await prettier.format(JSON.stringify({ ...head, ...schema }, null, 2), {
    ...options,
    parser: 'json',
  });
}

if (import.meta.main) writeFileSync(JSON_SCHEMA_PATH, await jsonSchemaText());
