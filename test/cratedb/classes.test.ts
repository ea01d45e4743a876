import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { javaClassOf, meaningOf, meaningOfBroken } from '../../src/cratedb/classes.ts';

const errorWith = (code: string): Error => Object.assign(new Error('it broke'), { code });

describe('broken exchanges', () => {
  const before: readonly (readonly [string, string])[] = [
    ['ECONNREFUSED', 'refused unreachable'],
    ['EHOSTUNREACH', 'refused unreachable'],
    ['ENETUNREACH', 'refused unreachable'],
    ['ENOTFOUND', 'dns unreachable'],
    ['EAI_AGAIN', 'dns unreachable'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connectTimeout unreachable'],
    ['ETIMEDOUT', 'connectTimeout unreachable'],
    ['CERT_HAS_EXPIRED', 'tls unreachable'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls unreachable'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls unreachable'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls unreachable'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls unreachable'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls unreachable'],
    ['EPROTO', 'tls unreachable'],
    ['EMFILE', 'notSent troubled'],
    ['EADDRNOTAVAIL', 'notSent troubled'],
    ['ECONNRESET', 'notSent unreachable'],
    ['', 'notSent unreachable'],
  ];
  for (const [code, expected] of before) {
    test(`Before the hand-over ${code || 'an error without a code'} means ${expected}.`, () => {
      const meaning = meaningOfBroken(errorWith(code), false);
      assert.equal(`${meaning.class} ${meaning.condition}`, expected);
    });
  }

  test('After the hand-over a broken connection is closed, and what is no HTTP within the limits a bad reply.', () => {
    for (const code of ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ETIMEDOUT', 'ECONNREFUSED', ''])
      assert.equal(meaningOfBroken(errorWith(code), true).class, 'closed');
    for (const code of [
      'HPE_INVALID_CONSTANT',
      'UND_ERR_HEADERS_OVERFLOW',
      'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
    ]) {
      assert.equal(meaningOfBroken(errorWith(code), true).class, 'badReply');
    }
  });

  test('Whatever was thrown has a meaning.', () => {
    fc.assert(
      fc.property(fc.anything(), fc.boolean(), (thrown, handedOver) =>
        assert.ok(meaningOfBroken(thrown, handedOver).class.length > 0),
      ),
    );
  });
});

describe("CrateDB's errors", () => {
  test('A code names the class, and for servers of 5000 the Java class does.', () => {
    assert.equal(meaningOf(4091, 'DuplicateKeyException[x]').class, 'duplicateKey');
    assert.equal(meaningOf(40910, 'SchemaAlreadyExists[x]').class, 'unexplained');
    assert.equal(meaningOf(5000, 'EsRejectedExecutionException[rejected execution of x]').class, 'queueFull');
    assert.equal(meaningOf(5030, 'JobKilledException[Job killed]').class, 'killed');
    assert.equal(meaningOf(5000, 'UnavailableShardsException[x]').class, 'shardUnavailable');
    assert.equal(meaningOf(4000, 'EsRejectedExecutionException[x]').class, 'invalidValue');
    assert.equal(javaClassOf('Relation unknown'), '');
  });

  test('No code of the server or of nobody lets a row count as rejected or not stored, but for queue and breaker.', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer({ min: 5000, max: 5999 }),
          fc.integer({ min: 6000, max: 39_999 }),
          fc.integer({ max: 3999 }),
        ),
        fc.string(),
        (code, text) => {
          assert.equal(meaningOf(code, `SomeException[${text}]`).inRow, 'unknown');
        },
      ),
    );
  });

  test('Only what one row can cause is worth dividing a request for.', () => {
    const divisible = (code: number, message: string): boolean => meaningOf(code, message).divisible;
    assert.equal(divisible(4000, 'SQLParseException[Cannot cast value `x` to type `integer`]'), true);
    assert.equal(divisible(4008, 'InvalidColumnNameException["a.b" contains a dot]'), true);
    for (const message of [
      'ParsingException[line 1:1: x]',
      "SQLParseException[Can't parse [x]]",
      'SQLParseException[Missing request body]',
      'SQLParseException[Statement exceeds 262144]',
    ]) {
      assert.equal(divisible(4000, message), false, message);
    }
    assert.equal(divisible(4007, 'x'), false);
    assert.equal(divisible(4043, 'x'), false);
  });
});
