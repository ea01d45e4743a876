/** The body of a request to `/_sql`: from bytes to statement and arguments, refused as the server refuses it. */
import { isAscii, isUtf8 } from 'node:buffer';
import { SqlFailure, invalid } from './failure.ts';
import {
  isJsonArray,
  isJsonObject,
  JavaDouble,
  JsonSyntaxError,
  parseJson,
  type Json,
} from './values/json.ts';

export interface Payload {
  readonly statement: string;
  readonly args: readonly Json[];
  /** Null on the single path. */
  readonly bulkArgs: readonly (readonly Json[])[] | null;
}

/** Throws SqlFailure. */
export function readPayload(body: Buffer): Payload {
  if (body.length === 0) throw invalid('Missing request body');
  const parsed = parseBody(body);
  if (!isJsonObject(parsed)) throw sourceFailure('Field [stmt] is missing');
  for (const key of Object.keys(parsed))
    if (!['stmt', 'args', 'bulk_args'].includes(key)) throw cannotParse(body);
  const args = argsOf(parsed['args']);
  const bulkArgs = bulkArgsOf(parsed['bulk_args']);
  const statement = statementOf(parsed['stmt'], body);
  if ((args?.length ?? 0) > 0 && (bulkArgs?.length ?? 0) > 0) {
    throw invalid("request body contains args and bulk_args. It's forbidden to provide both");
  }
  return { statement, args: args ?? [], bulkArgs: args === null ? bulkArgs : null };
}

function parseBody(body: Buffer): Json {
  const text = textOf(body);
  if (text === null) throw cannotParse(body);
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof RangeError) throw cannotParse(body);
    throw error;
  }
}

function cannotParse(body: Buffer): SqlFailure {
  const echo = body.toString('utf8');
  return invalid(
    `Can't parse [${echo}]. Expecting payload with \`stmt\` string and \`args\` or \`bulk_args\` arrays`,
  );
}

function sourceFailure(message: string): SqlFailure {
  return new SqlFailure(500, 5000, `SQLParseSourceException[${message}]`);
}

/** UTF-8 (with or without a mark) or UTF-16, told apart as JSON readers do; null for bytes that are neither. */
function textOf(body: Buffer): string | null {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) return textOf(body.subarray(3));
  if (body[0] === 0xff && body[1] === 0xfe) return body.subarray(2).toString('utf16le');
  if (body[0] === 0xfe && body[1] === 0xff) return Buffer.from(body.subarray(2)).swap16().toString('utf16le');
  if (body.length % 2 === 0 && body[0] === 0 && body[1] !== 0)
    return Buffer.from(body).swap16().toString('utf16le');
  if (body.length % 2 === 0 && body[0] !== 0 && body[1] === 0) return body.toString('utf16le');
  if (isAscii(body)) return body.toString('latin1');
  return isUtf8(body) ? body.toString('utf8') : null;
}

function statementOf(value: Json | undefined, body: Buffer): string {
  if (value === undefined || value === null) throw sourceFailure('Field [stmt] is missing');
  if (typeof value === 'string') {
    if (value === '') throw sourceFailure('Field [stmt] has no value');
    return value;
  }
  if (typeof value === 'object' && !(value instanceof JavaDouble)) throw cannotParse(body);
  return String(value instanceof JavaDouble ? value.value : value);
}

function argsOf(value: Json | undefined): readonly Json[] | null {
  if (value === undefined) return null;
  if (!isJsonArray(value))
    throw sourceFailure(`\`args\` must start with an array, not \`${tokenName(value)}\``);
  return value;
}

function bulkArgsOf(value: Json | undefined): readonly (readonly Json[])[] | null {
  if (value === undefined) return null;
  if (!isJsonArray(value)) throw sourceFailure('Field [bulk_args] has an invalid value');
  return value.map((row) => {
    if (isJsonArray(row)) return row;
    throw sourceFailure(
      `\`bulk_args\` must contain a list of \`args\` (values list). Got unexpected: ${tokenName(row)}`,
    );
  });
}

/** The JSON reader's name of the token that begins a value. */
function tokenName(value: Json): string {
  if (value === null) return 'VALUE_NULL';
  if (typeof value === 'string') return 'VALUE_STRING';
  if (typeof value === 'boolean') return 'VALUE_BOOLEAN';
  if (isJsonArray(value)) return 'START_ARRAY';
  return isJsonObject(value) ? 'START_OBJECT' : 'VALUE_NUMBER';
}
