/** What a CHECK demands of its columns, and that what is not understood is not taken for understood. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Demand, demandsOf } from '../../../src/rows/existing/condition.ts';

/** The demands of a condition that is understood as a whole. */
function demandsIn(sql: string): readonly Demand[] {
  const { demands, isWhole } = demandsOf(sql);
  assert.ok(isWhole, sql);
  return demands;
}

const least = (path: string, value: number | string, exclusive = false): Demand => ({
  path,
  kind: 'least',
  value,
  exclusive,
});
const most = (path: string, value: number | string, exclusive = false): Demand => ({
  path,
  kind: 'most',
  value,
  exclusive,
});

describe('a CHECK', () => {
  it('as SHOW CREATE TABLE of CrateDB 6.4.3 writes it is understood', () => {
    assert.deepEqual(demandsIn('"a" > 0'), [least('a', 0, true)]);
    assert.deepEqual(demandsIn('"d" BETWEEN - 1.5 AND 1000.0'), [least('d', -1.5), most('d', 1000)]);
    assert.deepEqual(demandsIn(`"c" IN ('x', 'y''z')`), [{ path: 'c', kind: 'oneOf', values: ['x', "y'z"] }]);
    assert.deepEqual(demandsIn('"x" = ANY([1, 2, 3])'), [{ path: 'x', kind: 'oneOf', values: [1, 2, 3] }]);
    assert.deepEqual(demandsIn('length("e") < 10'), [{ path: 'e', kind: 'maxLength', length: 9 }]);
    assert.deepEqual(demandsIn('array_length("aa", 1) > 0'), [{ path: 'aa', kind: 'minLength', length: 1 }]);
    assert.deepEqual(demandsIn(`"f" LIKE 'a%'`), [{ path: 'f', kind: 'like', pattern: 'a%' }]);
    assert.deepEqual(demandsIn('(("g" IS NOT NULL) AND ("g" >= 3)) AND ("g" <> 5)'), [
      { path: 'g', kind: 'notNull' },
      least('g', 3),
      { path: 'g', kind: 'noneOf', values: [5] },
    ]);
    assert.deepEqual(demandsIn('NOT ("i" < 5)'), [least('i', 5)]);
    assert.deepEqual(demandsIn(`"l"['m'] > 1`), [least("l['m']", 1, true)]);
    assert.deepEqual(demandsIn('"o" = true'), [{ path: 'o', kind: 'oneOf', values: [true] }]);
    assert.deepEqual(demandsIn(`"h" >= '2024-01-01'`), [least('h', '2024-01-01')]);
  });

  it('may turn its sides, cast its values, and be a column alone', () => {
    assert.deepEqual(demandsIn('0 <= x and 10 > (x)'), [least('x', 0), most('x', 10, true)]);
    assert.deepEqual(demandsIn("h >= '2024-01-01'::timestamp with time zone"), [least('h', '2024-01-01')]);
    assert.deepEqual(demandsIn("h < CAST('2024-01-01' AS timestamp)"), [most('h', '2024-01-01', true)]);
    assert.deepEqual(demandsIn('NOT active'), [{ path: 'active', kind: 'noneOf', values: [true] }]);
    assert.deepEqual(demandsIn('char_length(t) = 3'), [
      { path: 't', kind: 'minLength', length: 3 },
      { path: 't', kind: 'maxLength', length: 3 },
    ]);
    assert.deepEqual(demandsIn('x NOT IN (1, 2)'), [{ path: 'x', kind: 'noneOf', values: [1, 2] }]);
  });

  it('with alternatives is narrowed to the first that is understood and gives a value', () => {
    assert.deepEqual(demandsIn('(j IS NULL) OR (j > 0)'), [least('j', 0, true)]);
    assert.deepEqual(demandsIn("x ~ '[a-z]' OR x = 'b'"), [{ path: 'x', kind: 'oneOf', values: ['b'] }]);
    assert.deepEqual(demandsIn('NOT (x BETWEEN 1 AND 5)'), [most('x', 1, true)]);
    assert.deepEqual(demandsIn('(a > 1 AND b < 2) OR c = 3'), [least('a', 1, true), most('b', 2, true)]);
  });

  it('that is understood in part says so, and demands that part', () => {
    assert.deepEqual(demandsOf('("a" < "b") AND ("b" < 100)'), {
      demands: [most('b', 100, true)],
      isWhole: false,
    });
    for (const sql of [
      '("a" + "b") > 2',
      '("y" % 2) = 0',
      `"w" ~ '[a-z]+'`,
      `"v" << '10.0.0.0/8'`,
      'x > now()',
      `x NOT LIKE 'a%'`,
      'f(x) > 1',
      'a = b',
      'x > 1 + 1',
      '',
      'x >',
      '(x > 1',
      "x > 'open",
    ])
      assert.deepEqual(demandsOf(sql), { demands: [], isWhole: false }, sql);
  });

  it('never makes the reader fail, whatever it is', () => {
    const word = fc.constantFrom(
      ..."( ) AND OR NOT a 'b' 1 - > <= = IN BETWEEN LIKE IS NULL [ ] , length CAST AS ::".split(' '),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), (words) => {
        const { demands } = demandsOf(words.join(' '));
        assert.ok(Array.isArray(demands));
      }),
      { numRuns: 500 },
    );
    assert.equal(demandsOf('('.repeat(100_000)).isWhole, false);
    assert.equal(demandsOf('NOT '.repeat(100_000)).isWhole, false);
  });
});
