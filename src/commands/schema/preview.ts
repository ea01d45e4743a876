/** `crategen schema preview`: sample rows, as they would be sent. */
import * as Flags from '@oclif/core/flags';
import { HOUR_MS } from '../../base/units.ts';
import { SCHEMA_ARGS, SchemaCommand, sourceFlags } from '../../cli/schema/argument.ts';
import { firstRows } from '../../cli/schema/sample.ts';
import type { SettingReader } from '../../plan/setting-reader.ts';
import { insertColumns } from '../../rows/ddl.ts';

const MAX_SHOWN_ROWS = 1000;

export default class SchemaPreview extends SchemaCommand {
  static override summary = 'Print sample rows of a schema, one JSON object a line';
  static override examples = [
    '$ crategen schema preview records',
    '$ crategen schema preview metrics --rows 2 --seed 7',
  ];
  static override usage = 'schema preview [PRESET-or-FILE] [flags]';
  static override args = SCHEMA_ARGS;
  static override flags = {
    ...sourceFlags('like', 'shape', 'copy-values', 'ddl'),
    rows: Flags.string({ helpValue: 'N', summary: `Rows to print, at most ${MAX_SHOWN_ROWS} (5)` }),
    seed: Flags.string({ helpValue: 'N', summary: 'Seed of the rows (0)' }),
    table: Flags.string({
      helpValue: 'SCHEMA.TABLE',
      summary: 'Accepted as by ddl; rows do not depend on it',
    }),
  };

  async run(): Promise<void> {
    const wanted = { rows: 5, seed: 0 };
    const readMore = (reader: SettingReader): void => {
      wanted.rows = reader.count('rows', { min: 1, max: MAX_SHOWN_ROWS }, wanted.rows);
      wanted.seed = reader.count('seed', { min: 0, max: 2 ** 32 - 1 }, wanted.seed);
    };
    const { schema } = await this.readSchema(await this.readArguments(), readMore);
    const timeOriginMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const columns = insertColumns(schema);
    for (const row of await firstRows(
      schema,
      { seed: wanted.seed, runId: 'preview', timeOriginMs },
      wanted.rows,
    )) {
      this.print(objectText(columns, row));
    }
  }
}

/** The row's values under their names; each keeps its own text, since a number may have more digits than a double. */
function objectText(columns: readonly string[], row: string): string {
  const values = topLevelTexts(row);
  return `{${columns.map((name, index) => `${JSON.stringify(name)}:${values[index] ?? 'null'}`).join(',')}}`;
}

/** The texts between the top-level commas of a JSON array. */
function topLevelTexts(array: string): readonly string[] {
  const texts: string[] = [];
  let [depth, start, isText] = [0, 1, false];
  for (let at = 1; at < array.length; at += 1) {
    const character = array[at];
    if (isText) {
      if (character === '\\') at += 1;
      else if (character === '"') isText = false;
    } else if (character === '"') isText = true;
    else if (character === '[' || character === '{') depth += 1;
    else if ((character === ',' && depth === 0) || at === array.length - 1) {
      texts.push(array.slice(start, at));
      start = at + 1;
    } else if (character === ']' || character === '}') depth -= 1;
  }
  return texts;
}
