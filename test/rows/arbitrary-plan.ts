/**
 * Random row plans over the whole language. Trees are drawn first and then settled: indices are brought into
 * their tables, divisors away from 0, locals to those that are set, so that every plan is one that can be made.
 */
import fc from 'fast-check';
import {
  add,
  constant,
  divide,
  local,
  mix,
  range,
  remainder,
  ROW,
} from '../../src/rows/lowering/expressions.ts';
import {
  type Expression,
  type Pools,
  type RowPlan,
  type Write,
  ROW_FORMAT,
} from '../../src/rows/row-format.ts';
import { IDENTITY } from './support.ts';

const MASK = (1n << 64n) - 1n;

/** Numbers near the places where arithmetic changes its form: 2^16, 2^31, 2^32, 2^53, 2^63, 2^64. */
const anyUnsigned = fc.oneof(
  fc.bigInt(0n, 100n),
  fc.bigInt(0n, MASK),
  fc
    .tuple(fc.constantFrom(16n, 31n, 32n, 44n, 53n, 63n, 64n), fc.bigInt(-2n, 2n))
    .map(([bits, near]) => ((1n << bits) + near) & MASK),
);
const anyConstant = fc.oneof(anyUnsigned, fc.bigInt(-100n, -1n), fc.bigInt(-(1n << 63n), -1n));
const anySize = anyUnsigned.map((value) => (value === 0n ? 1n : value));

/** A tree whose indices, divisors and locals are still anything. */
const trees = fc.letrec<{ expression: Expression; write: Write; writes: Write[] }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.record({ op: fc.constant('constant' as const), value: anyConstant }),
    fc.constant({ op: 'row' as const }),
    // Few keys: the same draw is met again, in the row and in its elements.
    fc.record({ op: fc.constant('draw' as const), key: fc.constantFrom(0n, 1n, MASK / 5n) }),
    fc.record({ op: fc.constant('local' as const), local: fc.nat(1000) }),
    fc.record({ op: fc.constantFrom('mix' as const, 'finish' as const), of: tie('expression') }),
    {
      weight: 6,
      arbitrary: fc.record({
        op: fc.constantFrom(
          'add' as const,
          'subtract' as const,
          'multiply' as const,
          'divide' as const,
          'remainder' as const,
          'and' as const,
          'or' as const,
          'xor' as const,
          'less' as const,
        ),
        left: tie('expression'),
        right: tie('expression'),
      }),
    },
    fc.record({
      op: fc.constantFrom('shiftLeft' as const, 'shiftRight' as const),
      of: tie('expression'),
      bits: fc.nat(63),
    }),
    fc.record({ op: fc.constant('range' as const), of: tie('expression'), size: anySize }),
    fc.record({ op: fc.constant('load' as const), table: fc.nat(1000), index: tie('expression') }),
    fc.record({
      op: fc.constant('select' as const),
      when: tie('expression'),
      then: tie('expression'),
      otherwise: tie('expression'),
    }),
  ),
  write: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ op: fc.constant('literal' as const), text: fc.string({ unit: 'grapheme' }) }),
    fc.record({ op: fc.constant('pool' as const), pool: fc.nat(1000), index: tie('expression') }),
    fc.record({
      op: fc.constant('decimal' as const),
      value: tie('expression'),
      scale: fc.nat(15),
      signed: fc.boolean(),
      digits: fc.nat(20),
    }),
    fc.record({ op: fc.constant('timestamp' as const), value: tie('expression') }),
    fc.record({
      op: fc.constant('hex' as const),
      value: tie('expression'),
      digits: fc.integer({ min: 1, max: 16 }),
    }),
    fc.record({ op: fc.constant('uuid' as const), draw: tie('expression') }),
    fc.record({ op: fc.constant('base62' as const), draw: tie('expression'), length: tie('expression') }),
    fc.record({ op: fc.constant('bits' as const), draw: tie('expression'), length: fc.nat(200) }),
    fc.record({ op: fc.constant('set' as const), local: fc.constant(0), value: tie('expression') }),
    fc.record({
      op: fc.constant('if' as const),
      when: tie('expression'),
      then: tie('writes'),
      otherwise: tie('writes'),
    }),
    fc.record({
      op: fc.constant('loop' as const),
      count: tie('expression'),
      separator: fc.string({ maxLength: 2 }),
      body: tie('writes'),
    }),
  ),
  writes: fc.array(tie('write'), { maxLength: 4 }),
}));

const anyPools: fc.Arbitrary<Pools> = fc
  .record({
    pools: fc.array(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 120 }), { minLength: 1, maxLength: 5 }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    tables: fc.array(
      fc.array(fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 2 ** 32 - 1 })), {
        minLength: 1,
        maxLength: 9,
      }),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(({ pools, tables }) => {
    const fragments = pools.flat().map((text) => Buffer.from(text));
    const offsets = new Uint32Array(fragments.length + 1);
    fragments.forEach(({ length }, index) => (offsets[index + 1] = (offsets[index] ?? 0) + length));
    let first = 0;
    return {
      bytes: new Uint8Array(Buffer.concat(fragments)),
      offsets,
      pools: pools.map(({ length }, index) => {
        first += length;
        return { key: `pool ${index}`, first: first - length, count: length };
      }),
      tables: tables.map((values, index) => ({ key: `table ${index}`, values: Uint32Array.from(values) })),
      hash: '',
    };
  });

/** Makes a plan of trees: locals are numbered as they are set. */
class Settler {
  locals = 0;
  readonly #pools: Pools;

  constructor(pools: Pools) {
    this.#pools = pools;
  }

  /** `known` are the locals that are set where the writes stand; those set in them are added. */
  writes(writes: readonly Write[], known: number[]): Write[] {
    return writes.map((write) => this.#write(write, known));
  }

  #write(write: Write, known: number[]): Write {
    const settled = (expression: Expression): Expression => this.#expression(expression, known);
    switch (write.op) {
      case 'pool': {
        const pool = write.pool % this.#pools.pools.length;
        return { ...write, pool, index: range(settled(write.index), this.#pools.pools[pool]?.count ?? 1) };
      }
      case 'decimal':
      case 'timestamp':
      case 'hex':
        return { ...write, value: settled(write.value) };
      case 'uuid':
      case 'bits':
        return { ...write, draw: settled(write.draw) };
      case 'base62':
        return { ...write, draw: settled(write.draw), length: range(settled(write.length), 40) };
      case 'set': {
        const value = settled(write.value);
        const local = this.locals;
        this.locals += 1;
        known.push(local);
        return { ...write, local, value };
      }
      case 'if':
        return {
          ...write,
          when: settled(write.when),
          then: this.writes(write.then, [...known]),
          otherwise: this.writes(write.otherwise, [...known]),
        };
      case 'loop':
        return {
          ...write,
          count: range(settled(write.count), 4),
          body: this.writes(write.body, [...known]),
        };
      default:
        return write;
    }
  }

  #expression(expression: Expression, known: readonly number[]): Expression {
    const settled = (part: Expression): Expression => this.#expression(part, known);
    switch (expression.op) {
      case 'local': {
        const local = known[expression.local % Math.max(known.length, 1)];
        return local === undefined ? { op: 'row' } : { op: 'local', local };
      }
      case 'load': {
        const table = expression.table % this.#pools.tables.length;
        const { length } = this.#pools.tables[table]?.values ?? [];
        return { ...expression, table, index: range(settled(expression.index), length) };
      }
      case 'divide':
      case 'remainder':
        return {
          ...expression,
          left: settled(expression.left),
          right: this.#divisor(expression.right, known),
        };
      case 'constant':
      case 'row':
      case 'draw':
        return expression;
      case 'select':
        return {
          ...expression,
          when: settled(expression.when),
          then: settled(expression.then),
          otherwise: settled(expression.otherwise),
        };
      case 'mix':
      case 'finish':
      case 'shiftLeft':
      case 'shiftRight':
      case 'range':
        return { ...expression, of: settled(expression.of) };
      default:
        return { ...expression, left: settled(expression.left), right: settled(expression.right) };
    }
  }

  /** Never 0, and known to be. */
  #divisor(expression: Expression, known: readonly number[]): Expression {
    if (expression.op === 'constant') return expression.value > 0n ? expression : constant(7);
    return add(range(this.#expression(expression, known), 1n << 62n), 1);
  }
}

/** Rows of several entities, as schemas have them: the entity, its tick, and what changes every few ticks. */
const anyAxis: fc.Arbitrary<readonly Expression[]> = fc
  .record({ entities: fc.constantFrom(2, 3, 7, 100, 20_000), ticks: fc.constantFrom(1, 2, 5, 60) })
  .map(({ entities, ticks }) => {
    const [entity, tick] = [remainder(ROW, entities), divide(ROW, entities)];
    const step = divide(local(1), ticks);
    return [entity, tick, step, remainder(local(1), ticks), mix(add(local(0), constant(MASK / 3n))), step];
  });

export const anyPlan: fc.Arbitrary<RowPlan> = fc
  .record({
    pools: anyPools,
    seed64: fc.bigInt(0n, MASK),
    axis: fc.option(anyAxis, { nil: [] }),
    prologue: fc.array(trees.expression, { maxLength: 3 }),
    columns: fc.array(trees.writes, { maxLength: 3 }),
  })
  .map(({ pools, seed64, axis, prologue, columns }) => {
    const settler = new Settler(pools);
    const known: number[] = [];
    // The settled axis reads its own locals: 0 is the entity, 1 the tick.
    const sets = [...axis, ...prologue].map((value): Write => ({ op: 'set', local: 0, value }));
    const settledPrologue = settler.writes(sets, known);
    const settledColumns = columns.map((writes, index) => ({
      name: `column ${index}`,
      writes: settler.writes(writes, known),
    }));
    return {
      rowFormat: ROW_FORMAT,
      schemaName: 'random',
      identity: IDENTITY,
      seed64,
      prologue: settledPrologue,
      columns: settledColumns,
      locals: settler.locals,
      pools,
    };
  });
