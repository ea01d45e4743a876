/**
 * What the lowering of one schema shares: the numbers of pools and tables, the locals, and the values that
 * several columns of a row need, which are computed once before the first column.
 */
import { assert } from '../../base/errors.ts';
import { maxBytesOf } from '../intervals.ts';
import type { Scope } from '../intervals.ts';
import { add, constant, divide, local, mix, multiply, remainder, ROW, set } from './expressions.ts';
import { keyOf, ROW_STEP, seedOf } from '../hashing.ts';
import { poolKey, tableKey } from '../pool-needs.ts';
import type { TableSource } from '../pool-needs.ts';
import type { Expression, Pools, RowIdentity, Write } from '../row-format.ts';
import type { PoolSource, TableSchema } from '../schema.ts';

export class Lowering {
  readonly schema: TableSchema;
  readonly identity: RowIdentity;
  readonly pools: Pools;
  readonly seed64: bigint;
  readonly prologue: Write[] = [];
  /** Intervals of the locals so far, by which writes choose their form. */
  readonly scope: Scope;
  readonly #shared = new Map<string, Expression>();

  constructor(schema: TableSchema, identity: RowIdentity, pools: Pools) {
    this.schema = schema;
    this.identity = identity;
    this.pools = pools;
    this.seed64 = seedOf(identity.seed, schema.name);
    this.scope = { pools, tables: [], locals: [] };
  }

  get locals(): number {
    return this.scope.locals.length;
  }

  pool(source: PoolSource): { readonly pool: number; readonly count: number } {
    const key = poolKey(source);
    const pool = this.pools.pools.findIndex((entry) => entry.key === key);
    assert(pool >= 0, `the pool ${key} was not built`);
    return { pool, count: this.pools.pools[pool]?.count ?? 0 };
  }

  table(source: TableSource): { readonly table: number; readonly length: number } {
    const key = tableKey(source);
    const table = this.pools.tables.findIndex((entry) => entry.key === key);
    assert(table >= 0, `the table ${key} was not built`);
    return { table, length: this.pools.tables[table]?.values.length ?? 0 };
  }

  /** Keeps a value in a new local: the write that sets it goes to `writes`, the result reads it. */
  keep(writes: Write[], value: Expression): Expression {
    const index = this.scope.locals.length;
    this.scope.locals.push(undefined);
    const write = set(index, value);
    maxBytesOf([write], this.scope);
    writes.push(write);
    return local(index);
  }

  /** A value of the row, not of an element in it, computed once in the prologue for all who name it. */
  shared(name: string, value: () => Expression): Expression {
    const known = this.#shared.get(name);
    if (known !== undefined) return known;
    const kept = this.keep(this.prologue, value());
    this.#shared.set(name, kept);
    return kept;
  }

  /** A value of the row that needs locals of its own: they are set in the prologue. */
  inPrologue({
    before,
    index,
  }: {
    readonly before: readonly Write[];
    readonly index: Expression;
  }): Expression {
    this.prologue.push(...before);
    return index;
  }

  /** The row's entity, 0…entities − 1. */
  entity(): Expression {
    const { entities } = this.schema.axis;
    return entities === 1 ? constant(0) : this.shared('entity', () => remainder(ROW, entities));
  }

  /** How many rows of the same entity came before. */
  tick(): Expression {
    const { entities } = this.schema.axis;
    return entities === 1 ? ROW : this.shared('tick', () => divide(ROW, entities));
  }

  /** Milliseconds since 1970 in the row's own time, or in that of a column with a step or start of its own. */
  timeMs(own: { readonly stepMs?: number; readonly startMs?: number } = {}): Expression {
    const { stepMs = this.schema.axis.stepMs, startMs = this.identity.timeOriginMs } = own;
    return this.shared(`timeMs ${stepMs} ${startMs}`, () => add(multiply(this.tick(), stepMs), startMs));
  }

  /** 64 bits that belong to the entity in this run. */
  entityKey(): Expression {
    return this.shared('entityKey', () => this.keyOf('entity', this.entity()));
  }

  /** 64 bits that belong to one of the named things in this run. */
  keyOf(name: string, number: Expression): Expression {
    return mix(add(multiply(number, constant(ROW_STEP)), constant(keyOf(`${this.seed64}/${name}`))));
  }
}
