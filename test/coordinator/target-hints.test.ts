/** What to try when PostgreSQL connections are refused: the flag fits the reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pgHint } from '../../src/coordinator/target-hints.ts';

for (const [failure, hint] of [
  [{ class: 'refused', message: '127.0.0.1:5432: connect ECONNREFUSED' }, /--pg-port/],
  [{ class: 'closed', message: '127.0.0.1:4200: closed without an answer' }, /--pg-port/],
  [{ class: 'tls', message: '127.0.0.1:5432: self-signed certificate' }, /--ca-cert-file FILE/],
  [{ class: 'tls', message: '127.0.0.1:5432: port 5432 offers no TLS' }, /ssl\.psql\.enabled/],
  [{ class: 'tls', message: '127.0.0.1:5432: tlsv13 alert certificate required' }, /--cert-file FILE/],
  [{ class: 'unauthorized', message: '28000: password authentication failed' }, /--password-file/],
] as const) {
  test(`The hint for "${failure.message}" names ${hint.source}.`, () => {
    assert.match(pgHint(failure) ?? '', hint);
  });
}
