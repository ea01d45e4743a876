/** A stored schema comes back as it was; what is too deep, too large or impossible is refused by place. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { SCHEMA_SOURCE, TABLE_SCHEMA } from '../../src/plan/schema-shape.ts';
import { PRESET_NAMES } from '../../src/rows/presets.ts';
import { preset, tableOf } from '../rows/support.ts';

function issueOf(schema: unknown): string {
  const issue = v.safeParse(TABLE_SCHEMA, schema).issues?.[0];
  return issue === undefined ? '' : `${v.getDotPath(issue) ?? ''}: ${issue.message}`;
}

describe('a stored schema', () => {
  for (const name of PRESET_NAMES) {
    it(`comes back from JSON as the preset ${name} was`, () => {
      const schema = preset(name);
      assert.deepEqual(v.parse(TABLE_SCHEMA, JSON.parse(JSON.stringify(schema))), schema);
    });
  }

  it('is refused at the place where a value is not what it must be', () => {
    const columns = [{ name: 'a', type: { kind: 'money' }, generator: null }];
    assert.match(issueOf({ ...tableOf([]), columns }), /^columns\.0\.type\.kind: .*"money"/);
    const generator = { kind: 'shell', command: 'ls' };
    const odd = [{ name: 'a', type: { kind: 'text' }, generator }];
    assert.match(issueOf({ ...tableOf([]), columns: odd }), /^columns\.0\.generator\.kind: .*"shell"/);
  });

  it('is refused when its generators do not fit its columns', () => {
    const schema = tableOf([
      { name: 'a', type: { kind: 'byte' }, generator: { kind: 'integer', min: 0, max: 400 } },
    ]);
    assert.match(issueOf(schema), /column a: values from 0 to 400 do not fit into byte/);
  });

  it('is refused, without a stack overflow, when it is nested too deeply', () => {
    let type: unknown = { kind: 'text' };
    for (let depth = 0; depth < 100_000; depth += 1) type = { kind: 'array', of: type };
    assert.match(issueOf({ ...tableOf([]), columns: [{ name: 'a', type, generator: null }] }), /too deeply/);
  });
});

it('the source of a schema keeps what the command line said', () => {
  for (const source of [
    { kind: 'preset', name: 'records' },
    { kind: 'file', path: './orders.yaml' },
    { kind: 'ddl', path: 'orders.sql' },
    { kind: 'like', table: { schema: 'doc', table: 'orders' }, shape: true, copyValues: false },
  ]) {
    assert.deepEqual(v.parse(SCHEMA_SOURCE, source), source);
  }
});
