/** Names and literals: whatever somebody typed is one name or one text in a statement, or is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  formatTable,
  parseTableName,
  quoteIdentifier,
  quoteLiteral,
  quoteTable,
} from '../../src/base/sql.ts';

/** Text that would like to be more than a name. */
const hostile = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '"',
        '""',
        '.',
        ';',
        "'",
        '--',
        '/*',
        '\\',
        'a',
        'Ω',
        ' ',
        '\n',
        '\0',
        '[',
        'DROP',
        '$1',
        '?',
        '_',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);
const typed = fc.oneof(
  hostile,
  fc.tuple(hostile, hostile).map(([schema, table]) => `${schema}.${table}`),
  fc.tuple(hostile, hostile).map(([schema, table]) => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`),
);

describe('table names', () => {
  it('are two quoted names in a statement, or are refused', () => {
    fc.assert(
      fc.property(typed, (text) => {
        const parsed = parseTableName(text);
        if (!parsed.ok) return assert.ok(parsed.why.length > 0);
        assert.match(quoteTable(parsed.name), /^"(?:[^"]|"")+"\."(?:[^"]|"")+"$/u);
        assert.deepEqual(parseTableName(formatTable(parsed.name)), parsed);
      }),
      { numRuns: 5000 },
    );
  });

  it('of the server, of nobody and of CrateDB’s own making are refused', () => {
    for (const text of [
      ...['', 'a', '.', 'a.', '.a', 'a.b.c', '""."a"', 'a b.c', 'a.b;c d', 'sys.nodes', 'SYS.x', '"sys".x'],
      ...['information_schema.x', 'pg_catalog.x', 'blob.x', '_a.b', 'a._b', 'a."b""; DROP TABLE x; --"'],
      ...['"a"; DROP TABLE x; --', `a.${'b'.repeat(256)}`, `a.${'é'.repeat(128)}`, 'a."b\u0000"', 'a."b[1]"'],
    ])
      assert.equal(parseTableName(text).ok, false, text);
    assert.ok(parseTableName(`a.${'b'.repeat(255)}`).ok);
    assert.deepEqual(parseTableName(`Ab."C';--"`), { ok: true, name: { schema: 'ab', table: "C';--" } });
  });
});

describe('literals', () => {
  it('hold whatever they hold', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const quoted = quoteLiteral(text);
        assert.match(quoted, /^'(?:[^']|'')*'$/u);
        assert.equal(quoted.slice(1, -1).replaceAll("''", "'"), text);
      }),
    );
  });
});
