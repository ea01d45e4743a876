/** Answers as text: result sets, row counts, bulk results and errors, key by key in the server's order. */
import type { Answer } from './engine/engine.ts';
import type { SqlFailure } from './failure.ts';
import type { ElementResult } from './engine/insert.ts';
import { floatText, jsonText } from './values/java-text.ts';
import { rowText, type ResultSet } from './engine/select.ts';
import { typeId } from './values/types.ts';

export interface AnswerFlags {
  readonly types: boolean;
  readonly errorTrace: boolean;
}

/** `durationMs` is what the statement took. */
export function formatAnswer(answer: Answer, flags: AnswerFlags, durationMs: number): string {
  const duration = `"duration":${floatText(durationMs)}`;
  const noTypes = flags.types ? '"col_types":[],' : '';
  switch (answer.kind) {
    case 'rows':
      return formatRows(answer.result, flags, duration);
    case 'count':
      return `{"cols":[],${noTypes}"rows":[[]],"rowcount":${answer.rowcount},${duration}}`;
    case 'nothing':
      return `{"cols":[],${noTypes}"rows":[],"rowcount":0,${duration}}`;
    case 'bulk':
      return `{"cols":[],${duration},"results":[${answer.results.map(elementText).join(',')}]}`;
  }
}

function formatRows(result: ResultSet, flags: AnswerFlags, duration: string): string {
  const names = result.columns.map((column) => jsonText(column.name)).join(',');
  const types = flags.types
    ? `"col_types":${JSON.stringify(result.columns.map((column) => typeId(column.type)))},`
    : '';
  const rows = result.rows.map((row) => rowText(row, result.columns)).join(',');
  return `{"cols":[${names}],${types}"rows":[${rows}],"rowcount":${result.rows.length},${duration}}`;
}

const STORED = '{"rowcount":1}';

function elementText({ rowcount, failure }: ElementResult): string {
  if (failure === null) return rowcount === 1 ? STORED : `{"rowcount":${rowcount}}`;
  return `{"rowcount":${rowcount},"error":{"code":${failure.code},"message":${jsonText(failure.message)}}}`;
}

export function formatFailure(failure: SqlFailure, flags: AnswerFlags): string {
  const error = `"error":{"message":${jsonText(failure.message)},"code":${failure.code}}`;
  if (!flags.errorTrace) return `{${error}}`;
  const [, name = '', text = ''] = /^(\w+)\[([\s\S]*)\]$/.exec(failure.message) ?? [];
  return `{${error},"error_trace":${jsonText(`io.crate.exceptions.${name}: ${text}\n\tat crategen.sandbox`)}}`;
}
