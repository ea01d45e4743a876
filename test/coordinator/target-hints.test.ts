/** What to try when a target cannot be used: the flag fits the reason, and nobody is sent to where he is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doctorHint, pgHint, targetHint } from '../../src/coordinator/target-hints.ts';

for (const [failure, hint] of [
  [{ class: 'refused', message: '127.0.0.1:5432: connect ECONNREFUSED' }, /--pg-port/],
  [{ class: 'closed', message: '127.0.0.1:4200: closed without an answer' }, /--pg-port/],
  [{ class: 'tls', message: '127.0.0.1:5432: self-signed certificate' }, /--ca-cert-file FILE/],
  [{ class: 'tls', message: '127.0.0.1:5432: port 5432 offers no TLS' }, /ssl\.psql\.enabled/],
  [{ class: 'tls', message: '127.0.0.1:5432: tlsv13 alert certificate required' }, /--cert-file FILE/],
  [
    { class: 'unauthorized', message: '28000: password authentication failed' },
    /password is wrong.*--password-file/,
  ],
] as const) {
  test(`The hint for "${failure.message}" names ${hint.source}.`, () => {
    assert.match(pgHint(failure) ?? '', hint);
  });
}

test('The doctor is named where nothing came back, by all but the doctor.', () => {
  const silent = { code: null, message: 'no complete reply within 10.0 s' } as const;
  for (const failureClass of ['timeout', 'connectTimeout'] as const) {
    const failure = { ...silent, class: failureClass };
    assert.match(targetHint(failure) ?? '', /[?.] crategen doctor --url … looks at it step by step\.$/);
    assert.doesNotMatch(doctorHint(failure) ?? '', /crategen doctor/);
  }
  const refused = { ...silent, class: 'refused' } as const;
  assert.equal(targetHint(refused), doctorHint(refused));
});

test('Hints are sentences, whatever the failure and the words that came with it.', () => {
  const classes = [
    'refused',
    'dns',
    'connectTimeout',
    'timeout',
    'unauthorized',
    'tls',
    'badReply',
    'closed',
  ] as const;
  const words = [
    '',
    'wrong version number',
    'certificate has expired',
    'https://a: closed',
    'jwt',
    'offers no TLS',
  ];
  for (const failureClass of [...classes, 'redirect', 'shardUnavailable'] as const)
    for (const message of words)
      for (const hint of [doctorHint, targetHint].map((of) =>
        of({ class: failureClass, code: null, message }),
      ))
        assert.match(hint ?? '', /^([A-Z]|--).*[.?]$/, `${failureClass} ${message}`);
});

test('What is not there for a user is told with the GRANT in his name.', () => {
  const failure = {
    class: 'notRecovered',
    code: 4045,
    message: "SchemaUnknownException[Schema 'a' unknown]",
  } as const;
  assert.equal(
    targetHint(failure, { schema: 'a', user: 'the "loader"' }),
    'It is not there, or this user may not see it: GRANT DDL, DML, DQL ON SCHEMA "a" TO "the ""loader"""',
  );
  assert.match(targetHint(failure, { schema: 'a', user: null }) ?? '', /ON SCHEMA "a" TO …$/);
});

test('A wrong password is told from a missing one, whatever the user is called.', () => {
  const refused = { class: 'unauthorized', code: 401 } as const;
  const wrong = { ...refused, message: 'HTTP 401: password authentication failed for user "tokens"' };
  assert.match(targetHint(wrong) ?? '', /^The name or the password is wrong/);
  const missing = {
    ...refused,
    message:
      'HTTP 401: No valid auth.host_based.config entry found for host "::1", user "tokens", protocol "http"',
  };
  assert.match(targetHint(missing) ?? '', /^Give the password with --password-file/);
});
