/** Width, cutting and wrapping of text in terminal cells. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  cut,
  cutLine,
  justify,
  lineWidth,
  plain,
  renderLine,
  styled,
  textWidth,
  wrap,
} from '../../src/report/styled-text.ts';
import { hostileText } from './arbitraries.ts';
import { view } from './samples.ts';

test('a text is measured in terminal cells', () => {
  const cases = [
    ['', 0],
    ['abc', 3],
    ['表名', 4],
    ['e\u0301', 1],
    ['✅', 2],
    ['–·→█▁', 5],
    ['\u200b', 0],
  ] as const;
  for (const [text, width] of cases) assert.equal(textWidth(text), width, text);
});

test('a cut text fits and says that it was cut', () => {
  assert.equal(cut('abcdef', 6), 'abcdef');
  assert.equal(cut('abcdef', 4), 'abc…');
  assert.equal(cut('表名表名', 4), '表…');
  assert.equal(cut('abc', 0), '');
});

test('no cut line is wider than asked, and one that fits is not touched', () => {
  fc.assert(
    fc.property(fc.array(hostileText, { maxLength: 4 }), fc.nat(60), (texts, cells) => {
      const line = texts.map(plain);
      const shown = cutLine(line, cells);
      assert.ok(lineWidth(shown) <= cells);
      if (lineWidth(line) <= cells) assert.deepEqual(shown, line);
    }),
  );
});

test('wrapping loses no word and never exceeds the width, but for a character that has no room', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 30 })),
      fc.integer({ min: 1, max: 40 }),
      (words, cells) => {
        const text = words.join(' ');
        const lines = wrap(text, cells);
        assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
        for (const line of lines) assert.ok(textWidth(line) <= cells, JSON.stringify(line));
      },
    ),
  );
  assert.deepEqual(wrap('表名', 1), ['表', '名']);
});

test('the right part of a line stays whole while the left one gives way', () => {
  assert.equal(renderLine(justify([plain('left')], [plain('right')], 20), view(20)), 'left           right');
  assert.equal(
    renderLine(justify([plain('a very long left')], [plain('right')], 20), view(20)),
    'a very long …  right',
  );
});

test('colour is written only where it is shown, neighbours of one style as one run', () => {
  const line = [styled('red', 'a'), styled('red', 'b'), plain('c'), styled('plain', '  ')];
  assert.equal(renderLine(line, view(80)), 'abc');
  assert.equal(renderLine(line, view(80, { colour: true })), '\u001b[31mab\u001b[0mc');
});

test('without UTF-8 our own symbols have stand-ins of the same width, and others are question marks', () => {
  assert.equal(renderLine([plain('→ █ ░ · – × … é 表')], view(80, { unicode: false })), '> # . | - x ~ ? ??');
});
