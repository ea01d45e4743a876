/**
 * What a row plan means, told a second time: straight from the definition of its language, in BigInt and text,
 * without a look at the generator's arithmetic.
 */
import type { BinaryOp, Expression, RowPlan, Write } from '../../src/rows/row-format.ts';

const cut = (value: bigint): bigint => BigInt.asUintN(64, value);

function mix(value: bigint): bigint {
  let z = cut(value);
  z = cut((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = cut((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

function finish(value: bigint): bigint {
  let z = cut(value);
  z = cut((z ^ (z >> 32n)) * 0xd6e8feb86659fd93n);
  z = cut((z ^ (z >> 32n)) * 0xd6e8feb86659fd93n);
  return z ^ (z >> 32n);
}

const block = (key: bigint, number: bigint): bigint => finish(key + number * 0xd1342543de82ef95n);

const BINARY: Readonly<Record<BinaryOp, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  remainder: (a, b) => a % b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  less: (a, b) => (a < b ? 1n : 0n),
};

class Row {
  readonly #plan: RowPlan;
  readonly #row: bigint;
  readonly #locals: bigint[] = [];
  #key: bigint;

  constructor(plan: RowPlan, row: number) {
    this.#plan = plan;
    this.#row = BigInt(row);
    this.#key = mix(plan.seed64 + (this.#row + 1n) * 0x9e3779b97f4a7c15n);
  }

  text(): string {
    this.#all(this.#plan.prologue);
    return `[${this.#plan.columns.map(({ writes }) => this.#all(writes)).join(',')}]`;
  }

  #all(writes: readonly Write[]): string {
    return writes.map((write) => this.#one(write)).join('');
  }

  #one(write: Write): string {
    switch (write.op) {
      case 'literal':
        return write.text;
      case 'pool': {
        const { bytes, offsets, pools } = this.#plan.pools;
        const fragment = (pools[write.pool]?.first ?? 0) + Number(this.#value(write.index));
        return new TextDecoder().decode(bytes.subarray(offsets[fragment], offsets[fragment + 1]));
      }
      case 'decimal': {
        const value = this.#value(write.value);
        return decimal(write.signed ? BigInt.asIntN(64, value) : value, write.scale, write.digits);
      }
      case 'timestamp':
        return this.#value(write.value).toString();
      case 'hex':
        return hex(this.#value(write.value)).slice(-write.digits);
      case 'uuid':
        return uuid(this.#value(write.draw));
      case 'base62':
        return base62(this.#value(write.draw), Number(this.#value(write.length)));
      case 'bits': {
        const draw = this.#value(write.draw);
        return Array.from({ length: write.length }, (_, bit) =>
          String((block(draw, BigInt(Math.floor(bit / 64))) >> BigInt(bit % 64)) & 1n),
        ).join('');
      }
      case 'set':
        this.#locals[write.local] = this.#value(write.value);
        return '';
      case 'if':
        return this.#all(this.#value(write.when) === 0n ? write.otherwise : write.then);
      case 'loop': {
        const key = this.#key;
        const elements = Array.from({ length: Number(this.#value(write.count)) }, (_, element) => {
          this.#key = block(key, BigInt(element) + 1n);
          return this.#all(write.body);
        });
        this.#key = key;
        return elements.join(write.separator);
      }
    }
  }

  /** Unsigned, below 2^64. */
  #value(expression: Expression): bigint {
    switch (expression.op) {
      case 'constant':
        return cut(expression.value);
      case 'row':
        return this.#row;
      case 'draw':
        return finish(this.#key + expression.key);
      case 'mix':
        return mix(this.#value(expression.of));
      case 'finish':
        return finish(this.#value(expression.of));
      case 'shiftLeft':
        return cut(this.#value(expression.of) << BigInt(expression.bits));
      case 'shiftRight':
        return this.#value(expression.of) >> BigInt(expression.bits);
      case 'range': {
        const [of, { size }] = [this.#value(expression.of), expression];
        return size <= 65_536n ? ((of >> 32n) * size) >> 32n : (of * size) >> 64n;
      }
      case 'load':
        return BigInt(
          this.#plan.pools.tables[expression.table]?.values[Number(this.#value(expression.index))] ?? -1,
        );
      case 'select':
        return this.#value(this.#value(expression.when) === 0n ? expression.otherwise : expression.then);
      case 'local':
        return this.#locals[expression.local] ?? -1n;
      default:
        return cut(BINARY[expression.op](this.#value(expression.left), this.#value(expression.right)));
    }
  }
}

function decimal(value: bigint, scale: number, digits: number): string {
  const size = (value < 0n ? -value : value).toString().padStart(Math.max(digits, scale + 1), '0');
  const [whole, fraction] = [size.slice(0, size.length - scale), size.slice(size.length - scale)];
  return `${value < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${fraction}`}`;
}

const hex = (value: bigint): string => value.toString(16).padStart(16, '0');

/** RFC 9562: version 4, variant 10. */
function uuid(draw: bigint): string {
  const digits = (hex(draw) + hex(block(draw, 1n))).split('');
  digits[12] = '4';
  digits[16] = ((Number.parseInt(digits[16] ?? '', 16) & 3) | 8).toString(16);
  return digits.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function base62(draw: bigint, length: number): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let text = '';
  for (let number = 0n; text.length < length; number += 1n) {
    const bits = block(draw, number);
    for (let rest of [bits >> 32n, bits & 0xffffffffn]) {
      for (let character = 0; character < 4; character += 1) {
        text += digits[Number((rest * 62n) >> 32n)] ?? '?';
        rest = (rest * 62n) & 0xffffffffn;
      }
    }
  }
  return text.slice(0, length);
}

/** Rows [first, first + rows) as a generator writes them. */
export function oracleRows(plan: RowPlan, first: number, rows: number): string {
  return Array.from({ length: rows }, (_, index) => new Row(plan, first + index).text()).join(',');
}
