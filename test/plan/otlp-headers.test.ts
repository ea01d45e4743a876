/** OTEL_EXPORTER_OTLP_HEADERS as its specification has it, and problems that repeat no value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseOtlpHeaders } from '../../src/plan/otlp-headers.ts';

test('names and values are taken as they are written, values percent-decoded', () => {
  assert.deepEqual(parseOtlpHeaders(''), { headers: {} });
  assert.deepEqual(parseOtlpHeaders(' Authorization = Basic%20dTpw==, x-tenant=7 ,'), {
    headers: { authorization: 'Basic dTpw==', 'x-tenant': '7' },
  });
  assert.deepEqual(parseOtlpHeaders('a=1,a=2'), { headers: { a: '2' } });
});

test('what is none is named by its place', () => {
  for (const text of ['secret', '=secret', 'a b=secret', 'a=%0asecret', 'a=%zzsecret', 'a=%E2%82%ACsecret']) {
    const parsed = parseOtlpHeaders(`ok=1,${text}`);
    assert.ok('problem' in parsed, text);
    assert.match(parsed.problem, /number 2 is none$/);
    assert.doesNotMatch(parsed.problem, /secret/);
  }
});

test('any text is headers that can be sent, or a problem', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const parsed = parseOtlpHeaders(text);
      if ('headers' in parsed) new Headers(parsed.headers);
    }),
  );
});
