/** Writes as another row would have them, maybe one of another table: with that row's number and its draws. */
import { BugError } from '../../base/errors.ts';
import { add, constant, finish, mix, multiply } from './expressions.ts';
import { ROW_STEP, seedOf } from '../hashing.ts';
import type { Lowering } from './lowering.ts';
import type { Expression, Write } from '../row-format.ts';

export class OtherRow {
  readonly #row: Expression;
  readonly #lowering: Lowering;
  readonly #seed64: bigint;
  /** Where what is needed first is written. */
  readonly #before: Write[];
  #key: Expression | null = null;

  /** `row` is kept already. What more is kept goes to `before`. */
  constructor(schemaName: string, row: Expression, before: Write[], lowering: Lowering) {
    this.#seed64 = seedOf(lowering.identity.seed, schemaName);
    this.#row = row;
    this.#before = before;
    this.#lowering = lowering;
  }

  writes(writes: readonly Write[]): Write[] {
    return writes.map((write) => this.#write(write));
  }

  expression(expression: Expression): Expression {
    const of = (part: Expression): Expression => this.expression(part);
    switch (expression.op) {
      case 'row':
        return this.#row;
      case 'draw':
        return finish(add(this.#rowKey(), constant(expression.key)));
      case 'constant':
      case 'local':
        return expression;
      case 'load':
        return { ...expression, index: of(expression.index) };
      case 'select': {
        const { when, then, otherwise } = expression;
        return { op: 'select', when: of(when), then: of(then), otherwise: of(otherwise) };
      }
      case 'mix':
      case 'finish':
      case 'shiftLeft':
      case 'shiftRight':
      case 'range':
        return { ...expression, of: of(expression.of) };
      default:
        return { ...expression, left: of(expression.left), right: of(expression.right) };
    }
  }

  #write(write: Write): Write {
    const of = (part: Expression): Expression => this.expression(part);
    switch (write.op) {
      case 'literal':
        return write;
      case 'pool':
        return { ...write, index: of(write.index) };
      case 'decimal':
      case 'timestamp':
      case 'hex':
      case 'set':
        return { ...write, value: of(write.value) };
      case 'uuid':
      case 'bits':
        return { ...write, draw: of(write.draw) };
      case 'base62':
        return { ...write, draw: of(write.draw), length: of(write.length) };
      case 'if': {
        const { when, then, otherwise } = write;
        return { op: 'if', when: of(when), then: this.writes(then), otherwise: this.writes(otherwise) };
      }
      case 'loop':
        // Elements have keys of their own, which no expression names.
        throw new BugError('a row cannot refer to the arrays of another one');
    }
  }

  /** As the generators make it from the row's number: see row-format.ts. */
  #rowKey(): Expression {
    const start = BigInt.asUintN(64, this.#seed64 + ROW_STEP);
    this.#key ??= this.#lowering.keep(
      this.#before,
      mix(add(multiply(this.#row, constant(ROW_STEP)), constant(start))),
    );
    return this.#key;
  }
}
