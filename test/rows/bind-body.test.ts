/** What a row becomes on the PostgreSQL wire: the texts of its values, for any JSON that a row can hold. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createBindBodies } from '../../src/rows/bind-body.ts';
import { insertForm } from '../../src/rows/ddl.ts';
import { type PgForm, type PgParameter, statementName } from '../../src/rows/insert-form.ts';
import { createReferenceGenerator } from '../../src/rows/reference/reference-generator.ts';
import type { RowGenerator } from '../../src/rows/row-generator.ts';
import { bindOf, messagesIn } from '../support/pg-messages.ts';
import { planOf, preset, rowsOf } from './support.ts';

/** A generator of given rows. */
function generatorOf(rows: readonly string[]): RowGenerator {
  return {
    maxRowBytes: Math.max(...rows.map((row) => Buffer.byteLength(row))),
    createBuffers: (count, bytes) => Array.from({ length: count }, () => new Uint8Array(bytes)),
    writeRows: (target, offset, firstRow, count) =>
      offset + Buffer.from(target.buffer).write(rows.slice(firstRow, firstRow + count).join(','), offset),
  };
}

function formOf(parameters: readonly PgParameter[]): PgForm {
  return {
    path: 'pg',
    table: { schema: 'doc', table: 't' },
    head: 'INSERT',
    row: '',
    tail: '',
    columns: parameters.length,
    parameters,
  };
}

/** The values of the rows of one body, read as a server would. */
function boundBy(generator: RowGenerator, form: PgForm, rows: number): (string | null)[][] {
  const [body] = createBindBodies(form, generator, rows, 1);
  assert.ok(body);
  const bytes = Buffer.from(body.write(0, rows));
  assert.ok(bytes.length <= body.maxBodyBytes);
  const { messages, length } = messagesIn(bytes);
  assert.equal(length, bytes.length);
  assert.equal(messages.map(({ type }) => type).join(''), `${'BE'.repeat(rows)}S`);
  return messages
    .filter(({ type }) => type === 'B')
    .map((message) => {
      const { statement, values } = bindOf(message.body);
      assert.equal(statement, statementName(form));
      return values;
    });
}

/** The literal of an array as PostgreSQL writes it. */
function arrayText(values: readonly unknown[], elementText: (value: unknown) => string): string {
  const texts = values.map((value) => {
    if (value === null) return 'NULL';
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    return `"${elementText(value).replaceAll(/["\\]/g, '\\$&')}"`;
  });
  return `{${texts.join(',')}}`;
}

const textOrJson = (value: unknown): string =>
  typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value);
const pointText = (value: unknown): string => `(${JSON.stringify(value).slice(1, -1)})`;

function textOf(value: unknown, parameter: PgParameter): string | null {
  if (value === null) return null;
  if (!Array.isArray(value) || parameter === 'plain') return textOrJson(value);
  if (parameter === 'point') return pointText(value);
  return arrayText(value, parameter === 'pointArray' ? pointText : textOrJson);
}

describe('a body for the PostgreSQL wire', () => {
  it('binds each value of each row as its text, whatever the row holds', () => {
    const anyText = fc.string({ unit: 'binary' });
    const anyPoint = fc.tuple(fc.double({ noNaN: true }), fc.integer());
    const anyNumber = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const anyScalar = fc.oneof(anyText, anyNumber, fc.boolean(), fc.constant(null));
    const anyElement = fc.oneof(anyScalar, fc.dictionary(anyText, anyScalar), fc.array(anyScalar));
    const anyRow = fc.tuple(
      fc.oneof(anyScalar, fc.jsonValue()),
      fc.oneof(anyPoint, fc.constant(null)),
      fc.oneof(fc.array(anyElement), fc.constant(null)),
      fc.array(fc.oneof(anyPoint, fc.constant(null))),
    );
    const parameters = ['plain', 'point', 'array', 'pointArray'] as const;
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 1, maxLength: 4 }), (rows) => {
        const texts = rows.map((row) => JSON.stringify(row));
        const bound = boundBy(generatorOf(texts), formOf(parameters), rows.length);
        const expected = texts.map((text) =>
          (JSON.parse(text) as unknown[]).map((value, at) => textOf(value, parameters[at] ?? 'plain')),
        );
        assert.deepEqual(bound, expected);
      }),
    );
  });

  it('reads characters that are written as escapes, alone and in an array', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const escaped = `"${Array.from({ length: text.length }, (_, at) => escapeOf(text.charCodeAt(at))).join('')}"`;
        const [row] = boundBy(generatorOf([`[${escaped},[${escaped}]]`]), formOf(['plain', 'array']), 1);
        assert.deepEqual(row, [textOf(text, 'plain'), textOf([text], 'array')]);
      }),
    );
  });

  it('has every row of the presets, within its bound', async () => {
    for (const name of ['records', 'metrics', 'everything']) {
      const plan = await planOf(preset(name));
      const form = insertForm(
        preset(name),
        { schema: 'doc', table: 't' },
        { path: 'pg', conflictColumns: null },
      );
      assert.ok(form.path === 'pg');
      const bound = boundBy(createReferenceGenerator(plan), form, 200);
      assert.equal(bound.length, 200);
      rowsOf(plan, 0, 200).forEach((row, at) => {
        row.forEach((value, column) => {
          const text = textOf(value, form.parameters[column] ?? 'plain');
          assert.equal(withoutZeros(bound[at]?.[column]), withoutZeros(text));
        });
      });
    }
  });
});

const escapeOf = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;

/** Decimals are written with all their digits. */
const withoutZeros = (text: string | null | undefined): string =>
  String(text)
    .replaceAll(/(\.\d*?)0+(?!\d)/g, '$1')
    .replaceAll(/\.(?!\d)/g, '');
