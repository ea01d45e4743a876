/**
 * What is known of the expressions of a row plan: equal ones are one node, which says what its value depends on, what it
 * costs and between which numbers it lies. Separate from the code for them.
 */
import { assert } from '../../base/errors.ts';
import { intervalOf, maxBytesOf, newScope } from '../intervals.ts';
import type { Interval, Scope } from '../intervals.ts';
import type { Expression, RowPlan, Write } from '../row-format.ts';

/** What an expression depends on: bits, of which a slow value has one of its own. */
const ROW = 1;
export const KEY = 2;
export const ENTITY = 4;
const TICK = 8;
const FIRST_SLOW = 16;
export const CHANGES_EACH_ROW = ROW | KEY;

/** The bit of a slow value, the first of which is number 0. */
export function slowBit(slow: number): number {
  return FIRST_SLOW << slow;
}

/** Equal expressions are one node. */
export interface Node {
  readonly expression: Expression;
  readonly dependsOn: number;
  readonly cost: number;
  readonly interval: Interval;
  /** How often the plan has it. */
  uses: number;
}

/** The nodes of one plan, and what its locals stand for. */
export class ValueGraph {
  readonly scope: Scope;
  /** Rows i and i + period are of one entity; 0 without entities. */
  readonly period: number;
  readonly #nodes = new Map<string, Node>();
  readonly #nodeOf = new WeakMap<Expression, Node>();
  readonly #numbers = new Map<Node, number>();
  readonly #localDependsOn: number[] = [];
  readonly #values = new Map<number, Expression>();
  /** Locals that stand for an expression and have no place of their own. */
  readonly #aliases = new Map<number, Expression>();

  constructor(plan: RowPlan) {
    this.scope = newScope(plan);
    this.period = periodOf(plan.prologue);
  }

  /** Counts what the write itself uses, without the writes in it. */
  count(write: Write): void {
    for (const expression of expressionsOf(write)) this.#count(expression);
  }

  #count(expression: Expression): void {
    this.of(expression).uses += 1;
    for (const part of partsOf(expression)) this.#count(part);
  }

  /** Enters a local; the node of its value. */
  declare(write: Write & { op: 'set' }): Node {
    maxBytesOf([write], this.scope);
    const { local, value } = write;
    this.#values.set(local, value);
    const node = this.of(value);
    this.#localDependsOn[local] = node.dependsOn;
    return node;
  }

  /** From here on the local is its value. */
  alias(local: number, value: Expression): void {
    this.#aliases.set(local, value);
  }

  isAlias(local: number): boolean {
    return this.#aliases.has(local);
  }

  /** From here on what reads the local depends on a slow value instead. */
  markSlow(local: number, slow: number): void {
    this.#localDependsOn[local] = slowBit(slow);
  }

  /** What a local was set to. */
  valueOf(local: number): Expression | undefined {
    return this.#values.get(local);
  }

  /** Whether the expression is the number of the row's entity. */
  isEntity(expression: Expression): boolean {
    return this.#isPeriodic(expression, 'remainder');
  }

  /** Whether the expression is the number of the row's tick. */
  isTick(expression: Expression): boolean {
    return this.#isPeriodic(expression, 'divide');
  }

  #isPeriodic(expression: Expression, op: 'remainder' | 'divide'): boolean {
    return (
      this.period > 0 &&
      expression.op === op &&
      expression.left.op === 'row' &&
      expression.right.op === 'constant' &&
      expression.right.value === BigInt(this.period)
    );
  }

  of(expression: Expression): Node {
    const known = this.#nodeOf.get(expression);
    if (known !== undefined) return known;
    const simple = this.#simplified(expression);
    const node = simple === null ? this.#intern(expression) : this.of(simple);
    this.#nodeOf.set(expression, node);
    return node;
  }

  /** Another expression with the same value, or null. */
  #simplified(expression: Expression): Expression | null {
    if (expression.op === 'local') return this.#aliases.get(expression.local) ?? null;
    return expression.op === 'range' && expression.size === 1n ? { op: 'constant', value: 0n } : null;
  }

  #intern(expression: Expression): Node {
    const parts = partsOf(expression).map((part) => this.of(part));
    const key = `${facts(expression)}(${parts.map((part) => this.#numbers.get(part)).join()})`;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const node: Node = {
      expression,
      dependsOn: this.#dependsOn(expression, parts),
      cost: this.#costOf(expression, parts),
      interval: intervalOf(expression, this.scope),
      uses: 0,
    };
    this.#numbers.set(node, this.#nodes.size);
    this.#nodes.set(key, node);
    return node;
  }

  /** The row's entity and tick are counted along with the rows. */
  #costOf(expression: Expression, parts: readonly Node[]): number {
    const isCounted = this.isEntity(expression) || this.isTick(expression);
    return isCounted ? 0 : parts.reduce((sum, part) => sum + part.cost, COST[expression.op]);
  }

  #dependsOn(expression: Expression, parts: readonly Node[]): number {
    if (this.isEntity(expression)) return ENTITY;
    if (this.isTick(expression)) return TICK;
    switch (expression.op) {
      case 'row':
        return ROW;
      case 'draw':
        return KEY;
      case 'local': {
        const known = this.#localDependsOn[expression.local];
        assert(known !== undefined, `local ${expression.local} is read before it is set`);
        return known;
      }
      default:
        return parts.reduce((bits, part) => bits | part.dependsOn, 0);
    }
  }
}

/** Operations, roughly. */
const COST: Readonly<Record<Expression['op'], number>> = {
  constant: 0,
  row: 0,
  local: 0,
  draw: 9,
  finish: 8,
  mix: 8,
  range: 3,
  load: 2,
  select: 2,
  divide: 5,
  remainder: 6,
  add: 1,
  subtract: 1,
  multiply: 1,
  and: 1,
  or: 1,
  xor: 1,
  less: 1,
  shiftLeft: 1,
  shiftRight: 1,
};

/** The divisor of the row index by which a plan finds the row's entity. */
function periodOf(prologue: readonly Write[]): number {
  for (const write of prologue) {
    if (write.op !== 'set') continue;
    const { value } = write;
    if ((value.op === 'remainder' || value.op === 'divide') && value.left.op === 'row') {
      if (value.right.op === 'constant' && value.right.value > 1n && value.right.value < 1n << 31n)
        return Number(value.right.value);
    }
  }
  return 0;
}

/** A quotient of the tick stays the same for some ticks. */
export function isSlow(value: Expression, dependsOn: number): boolean {
  return (
    dependsOn === TICK && value.op === 'divide' && value.right.op === 'constant' && value.right.value > 1n
  );
}

function expressionsOf(write: Write): readonly Expression[] {
  switch (write.op) {
    case 'literal':
      return [];
    case 'pool':
      return [write.index];
    case 'decimal':
    case 'timestamp':
    case 'hex':
    case 'set':
      return [write.value];
    case 'uuid':
    case 'bits':
      return [write.draw];
    case 'base62':
      return [write.draw, write.length];
    case 'if':
      return [write.when];
    case 'loop':
      return [write.count];
  }
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case 'constant':
    case 'row':
    case 'draw':
    case 'local':
      return [];
    case 'mix':
    case 'finish':
    case 'shiftLeft':
    case 'shiftRight':
    case 'range':
      return [expression.of];
    case 'load':
      return [expression.index];
    case 'select':
      return [expression.when, expression.then, expression.otherwise];
    default:
      return [expression.left, expression.right];
  }
}

/** What distinguishes two expressions with the same parts. */
function facts(expression: Expression): string {
  switch (expression.op) {
    case 'constant':
      return `constant ${expression.value}`;
    case 'draw':
      return `draw ${expression.key}`;
    case 'local':
      return `local ${expression.local}`;
    case 'shiftLeft':
    case 'shiftRight':
      return `${expression.op} ${expression.bits}`;
    case 'range':
      return `range ${expression.size}`;
    case 'load':
      return `load ${expression.table}`;
    default:
      return expression.op;
  }
}
