/**
 * Values of a row plan as code that leaves an i64 on the stack, and where they stand. What does not change from row
 * to row is taken out of the loop over the rows: rows of one tick share what depends on the tick, each entity has a
 * record in memory with what depends on it, and values that several columns need are computed once a row. All of it
 * is a memory of results, so that a row stays a function of its index.
 */
import { assert } from '../../base/errors.ts';
import type { Interval, Scope } from '../intervals.ts';
import type { BinaryOp, Expression, RowPlan, Write } from '../row-format.ts';
import type { Advance } from './advance.ts';
import { advanceOf } from './advance.ts';
import type { Bench } from './arithmetic.ts';
import {
  LOW_HALF,
  finish,
  finishHighHalf,
  isU32,
  mix,
  readsHighHalf,
  reciprocalOf,
  spread,
} from './arithmetic.ts';
import type { Field } from './entity-records.ts';
import { EntityRecords, loadField, storeField, widthOf } from './entity-records.ts';
import type { MemoryImage } from './memory-image.ts';
import type { Node } from './value-graph.ts';
import { CHANGES_EACH_ROW, ENTITY, KEY, ValueGraph, isSlow, slowBit } from './value-graph.ts';
import { Code } from './wasm-assembler.ts';

/** The function that is being written: its locals, and where the row's facts are among them. */
export interface Frame extends Bench {
  readonly row: number;
  readonly entity: number;
  readonly tick: number;
  /** entity × RECORD_BYTES, an i32. */
  readonly record: number;
  /** Changes inside a loop. */
  key: number;
  /** Values of this row, or of this branch or element, that stand in a local already. */
  known: Map<Node, Variable>;
}

const MAX_SLOW_VALUES = 8;

/** From this many operations on a value is worth a place of its own. */
const WORTH_KEEPING = 2;
const WORTH_A_RECORD = 3;

type Variable =
  | { readonly kind: 'local'; readonly index: number }
  /** In memory, for all functions of the module. */
  | { readonly kind: 'cell'; readonly address: number };

/** A value that changes every few ticks, and what each entity keeps of it until then. */
interface SlowValue {
  readonly local: number;
  readonly tag: Field;
  readonly refresh: Code;
}

export class ValueEmitter {
  /** Runs at the start of each tick. */
  readonly tickCode = new Code();
  readonly #image: MemoryImage;
  readonly #hasParts: boolean;
  readonly #main: Frame;
  readonly #graph: ValueGraph;
  readonly #records: EntityRecords;
  readonly #tables = new Map<number, number>();
  readonly #variables = new Map<number, Variable>();
  readonly #perTick = new Map<Node, Variable>();
  readonly #perEntity = new Map<Node, Field>();
  readonly #slow: SlowValue[] = [];
  readonly #slowFields = new Map<Node, Field>();
  #frame: Frame;
  /** Whether what is being written runs only when a slow value changes. */
  #isRefresh = false;

  /** `main` is the frame of the loop over rows; with `hasParts` other frames follow, and share through memory. */
  constructor(plan: RowPlan, image: MemoryImage, main: Frame, hasParts: boolean) {
    this.#graph = new ValueGraph(plan);
    this.#records = new EntityRecords(image, this.#graph.period);
    this.#image = image;
    this.#main = main;
    this.#frame = main;
    this.#hasParts = hasParts;
  }

  get scope(): Scope {
    return this.#graph.scope;
  }

  /** Rows i and i + period are of one entity; 0 without entities. */
  get period(): number {
    return this.#graph.period;
  }

  get frame(): Frame {
    return this.#frame;
  }

  get code(): Code {
    return this.#frame.code;
  }

  /** Goes on in another function. */
  enter(frame: Frame): void {
    this.#frame = frame;
  }

  /** Counts what the writes use, so that what is needed twice is computed once. Enters their locals. */
  survey(writes: readonly Write[]): void {
    for (const write of writes) {
      this.#graph.count(write);
      if (write.op === 'set') this.#declare(write);
      if (write.op === 'if') {
        this.survey(write.then);
        this.survey(write.otherwise);
      }
      if (write.op === 'loop') this.survey(write.body);
    }
  }

  /** Whether two expressions are the same function of the row. */
  isSame(left: Expression, right: Expression): boolean {
    return this.#graph.of(left) === this.#graph.of(right);
  }

  intervalOf(expression: Expression): Interval {
    return this.#graph.of(expression).interval;
  }

  /** Whether the value is the same for all rows of a tick, and so without ticks for all rows. */
  isSteady(expression: Expression): boolean {
    return (this.#graph.of(expression).dependsOn & (CHANGES_EACH_ROW | ENTITY)) === 0;
  }

  /** Whether the value is the number of the row's entity. */
  isEntity(expression: Expression): boolean {
    return this.#graph.isEntity(this.#graph.of(expression).expression);
  }

  /** Leaves the value on the stack. */
  push(expression: Expression): void {
    const node = this.#graph.of(expression);
    const place = this.#placeOf(node);
    if (place !== null) return place();
    const known = this.#frame.known.get(node);
    if (known !== undefined) return this.#get(known);
    this.#compute(node);
    if (node.uses > 1 && node.cost >= WORTH_KEEPING) {
      const index = this.#frame.locals.add('i64');
      this.code.tee(index);
      this.#frame.known.set(node, { kind: 'local', index });
    }
  }

  /** Leaves the last 32 bits of the value, an i32. */
  pushI32(expression: Expression): void {
    const node = this.#graph.of(expression);
    const isShared = node.uses > 1 && node.cost >= WORTH_KEEPING;
    if (!isShared && this.#isComputed(node) && this.#narrowOperation(node.expression)) return;
    this.push(expression);
    this.code.do('i32.wrap_i64');
  }

  /** Leaves an i32 that is not 0 if the value is not 0. */
  pushTruth(expression: Expression): void {
    const node = this.#graph.of(expression);
    if (expression.op === 'less' && this.#isComputed(node)) return this.#less(expression);
    this.push(expression);
    this.code.i64(0n).do('i64.ne');
  }

  /** Keeps a value in the plan's local. */
  set(local: number, value: Expression): void {
    if (this.#graph.isAlias(local) || this.#variables.has(local)) return;
    this.push(value);
    const variable = this.#newVariable();
    this.#put(this.#frame, variable);
    this.#variables.set(local, variable);
  }

  /** x := finish(x), of what is on the stack. */
  finish(): void {
    finish(this.#frame);
  }

  /** The same for mix(x). */
  mix(): void {
    mix(this.#frame);
  }

  /** Writes code that runs only sometimes, or for one element: what it keeps is forgotten after it. */
  within(write: () => void, key: number = this.#frame.key): void {
    const frame = this.#frame;
    const { known, key: outerKey } = frame;
    // Another key makes other draws.
    const kept = [...known].filter(([node]) => key === outerKey || (node.dependsOn & KEY) === 0);
    frame.known = new Map(kept);
    frame.key = key;
    write();
    frame.known = known;
    frame.key = outerKey;
  }

  /** At the start of each row, before the prologue: refreshes what the row's entity keeps, if it is of another time. */
  pushRefreshes(to: Code): void {
    for (const { local, tag, refresh } of this.#slow) {
      if (refresh.length === 0) continue;
      const cell = this.#variables.get(local);
      assert(cell !== undefined, 'a slow value has its place');
      this.#within(this.#main, to, () => {
        this.#pushField(tag);
        this.#get(cell);
        to.do('i64.ne').if().get(this.#main.record);
        this.#get(cell);
        to.memory('i64.store', tag.offset).append(refresh).end();
      });
    }
  }

  /** Writes code that runs at the start of each tick. */
  eachTick(write: () => void): void {
    this.#within(this.#main, this.tickCode, write);
  }

  /** How the value moves from row to row, null if it jumps. */
  advanceOf(expression: Expression): Advance | null {
    return advanceOf(expression, (local) => this.#graph.valueOf(local));
  }

  /** Fills the records of one entity: for the function that runs once, whose frame this is. */
  pushRecord(frame: Frame): void {
    for (const [node, field] of this.#perEntity) {
      this.#within(frame, frame.code, () => {
        frame.code.get(frame.record);
        this.#pushPlain(node.expression);
        storeField(frame.code, field);
      });
    }
    for (const { tag } of this.#slow) {
      // No cell is 2^64 − 1.
      frame.code.get(frame.record).i64(-1n).memory('i64.store', tag.offset);
    }
  }

  /** Whether a value stands nowhere yet. */
  #isComputed(node: Node): boolean {
    return this.#placeOf(node) === null && !this.#frame.known.has(node);
  }

  // --- where a value stands --------------------------------------------------------------------------------

  /** How to read a value that is not computed in the row, or null. */
  #placeOf(node: Node): (() => void) | null {
    const { dependsOn, cost } = node;
    if (node.expression.op === 'local') {
      const variable = this.#variables.get(node.expression.local);
      if (variable !== undefined) return () => this.#get(variable);
    }
    if ((dependsOn & CHANGES_EACH_ROW) !== 0) return null;
    if ((dependsOn & ENTITY) === 0) {
      if (cost < WORTH_KEEPING) return null;
      const variable = this.#perTickVariable(node);
      return () => this.#get(variable);
    }
    const field = cost < WORTH_A_RECORD ? null : this.#entityField(node);
    return field === null ? null : () => this.#pushField(field);
  }

  #perTickVariable(node: Node): Variable {
    const known = this.#perTick.get(node);
    if (known !== undefined) return known;
    const variable = this.#newVariable();
    this.#within(this.#main, this.tickCode, () => {
      this.#pushPlain(node.expression);
      this.#put(this.#main, variable);
    });
    this.#perTick.set(node, variable);
    return variable;
  }

  #entityField(node: Node): Field | null {
    const known = this.#perEntity.get(node) ?? this.#slowField(node);
    if (known !== null && known !== undefined) return known;
    if (node.dependsOn !== ENTITY) return null;
    const field = this.#records.add(widthOf(node.interval), this.#isRefresh);
    if (field !== null) this.#perEntity.set(node, field);
    return field;
  }

  /** For what depends on the entity and one slow value. */
  #slowField(node: Node): Field | null {
    const known = this.#slowFields.get(node);
    if (known !== undefined) return known;
    const index = this.#slow.findIndex((_, slow) => node.dependsOn === (ENTITY | slowBit(slow)));
    const slow = this.#slow[index];
    if (slow === undefined) return null;
    const field = this.#records.add(widthOf(node.interval), this.#isRefresh);
    if (field === null) return null;
    this.#within(this.#main, slow.refresh, () => {
      slow.refresh.get(this.#main.record);
      const isWithinRefresh = this.#isRefresh;
      this.#isRefresh = true;
      this.#pushSlow(node.expression, node.dependsOn);
      this.#isRefresh = isWithinRefresh;
      storeField(slow.refresh, field);
    });
    this.#slowFields.set(node, field);
    return field;
  }

  #pushField(field: Field): void {
    this.code.get(this.#frame.record);
    loadField(this.code, field);
  }

  #newVariable(): Variable {
    if (this.#hasParts) return { kind: 'cell', address: this.#image.reserve(8) };
    return { kind: 'local', index: this.#frame.locals.add('i64') };
  }

  #get(variable: Variable): void {
    if (variable.kind === 'local') this.code.get(variable.index);
    else this.code.i32(0).memory('i64.load', variable.address);
  }

  /** Stores what is on the stack. */
  #put(frame: Frame, variable: Variable): void {
    if (variable.kind === 'local') frame.code.set(variable.index);
    else frame.code.set(frame.scratch).i32(0).get(frame.scratch).memory('i64.store', variable.address);
  }

  #within(frame: Frame, code: Code, write: () => void): void {
    const outer = this.#frame;
    const { code: outerCode, known } = frame;
    this.#frame = frame;
    frame.code = code;
    frame.known = new Map();
    write();
    frame.code = outerCode;
    frame.known = known;
    this.#frame = outer;
  }

  #declare(write: Write & { op: 'set' }): void {
    const { local, value } = write;
    const node = this.#graph.declare(write);
    const { dependsOn } = node;
    if ((dependsOn & CHANGES_EACH_ROW) !== 0) return;
    // Records are filled where no local is known.
    if (dependsOn === 0 || (dependsOn & ENTITY) !== 0) return this.#graph.alias(local, value);
    this.#variables.set(local, this.#perTickVariable(node));
    if (isSlow(value, dependsOn) && node.cost > 0 && this.#slow.length < MAX_SLOW_VALUES) {
      const tag = this.#records.add(64, false);
      if (tag === null) return;
      this.#graph.markSlow(local, this.#slow.length);
      this.#slow.push({ local, tag, refresh: new Code() });
    }
  }

  // --- the operations --------------------------------------------------------------------------------------

  /** Computes a node here and now; its parts may stand somewhere. */
  #compute(node: Node): void {
    this.#operation(
      node.expression,
      (part) => this.push(part),
      (part) => this.pushTruth(part),
    );
  }

  /** Computes everything from the tick or the entity alone, and from locals. */
  #pushPlain(expression: Expression): void {
    this.#operation(this.#graph.of(expression).expression, (part) => this.#pushPlain(part));
  }

  /** Computes what depends on all of `dependsOn` here, and reads from its place what depends on less. */
  #pushSlow(expression: Expression, dependsOn: number): void {
    const node = this.#graph.of(expression);
    if (node.dependsOn !== dependsOn) return this.push(expression);
    this.#operation(node.expression, (part) => this.#pushSlow(part, dependsOn));
  }

  #operation(
    expression: Expression,
    push: (part: Expression) => void,
    pushTruth = (part: Expression): void => {
      push(part);
      this.code.i64(0n).do('i64.ne');
    },
  ): void {
    const { code } = this;
    const frame = this.#frame;
    if (this.#graph.isEntity(expression)) return void code.get(frame.entity);
    if (this.#graph.isTick(expression)) return void code.get(frame.tick);
    switch (expression.op) {
      case 'constant':
        return void code.i64(expression.value);
      case 'row':
        return void code.get(frame.row);
      case 'draw':
        this.#startDraw(expression.key);
        return this.finish();
      case 'mix':
        push(expression.of);
        return this.mix();
      case 'finish':
        push(expression.of);
        return this.finish();
      case 'local': {
        const variable = this.#variables.get(expression.local);
        assert(variable !== undefined, `local ${expression.local} has no place`);
        return this.#get(variable);
      }
      case 'shiftLeft':
        push(expression.of);
        code.i64(BigInt(expression.bits)).do('i64.shl');
        return;
      case 'shiftRight':
        if (expression.bits >= 32) this.#pushHighHalf(expression.of, push);
        else push(expression.of);
        code.i64(BigInt(expression.bits)).do('i64.shr_u');
        return;
      case 'range':
        if (readsHighHalf(expression.size)) this.#pushHighHalf(expression.of, push);
        else push(expression.of);
        return spread(frame, expression.size);
      case 'load': {
        const address = this.#pushPlace(expression, (part) => {
          push(part);
          code.do('i32.wrap_i64');
        });
        return void code.memory('i64.load32_u', address);
      }
      case 'select':
        push(expression.then);
        push(expression.otherwise);
        pushTruth(expression.when);
        code.do('select');
        return;
      case 'less':
        push(expression.left);
        push(expression.right);
        code.do('i64.lt_u', 'i64.extend_i32_u');
        return;
      case 'divide':
      case 'remainder':
        return this.#quotient(expression, push);
      default:
        push(expression.left);
        push(expression.right);
        code.do(BINARY[expression.op]);
    }
  }

  #startDraw(key: bigint): void {
    this.code.get(this.#frame.key).i64(key).do('i64.add');
  }

  /** Leaves a value of which only the high half is read. */
  #pushHighHalf(expression: Expression, push: (part: Expression) => void): void {
    if (expression.op !== 'draw' || this.#graph.of(expression).uses > 1) return push(expression);
    this.#startDraw(expression.key);
    finishHighHalf(this.#frame);
  }

  /** Leaves the place of a table's number less the address that it returns: what is added to the index is in that. */
  #pushPlace({ table, index }: Expression & { op: 'load' }, pushI32: (part: Expression) => void): number {
    const address = this.#tableAddress(table);
    const isAhead = index.op === 'add' && index.right.op === 'constant' && index.right.value >= 0n;
    const isFolded = isAhead && this.intervalOf(index.left).min >= 0n;
    pushI32(isFolded ? index.left : index);
    this.code.i32(2).do('i32.shl');
    return isFolded ? address + 4 * Number(index.right.value) : address;
  }

  /** Leaves 1 or 0, an i32. */
  #less({ left, right }: Expression & { op: BinaryOp }): void {
    const isShort = [left, right].every((part) => isU32(this.#graph.of(part).interval));
    for (const part of [left, right]) {
      if (isShort) this.pushI32(part);
      else this.push(part);
    }
    this.code.do(isShort ? 'i32.lt_u' : 'i64.lt_u');
  }

  /** Computes the last 32 bits from those of the parts; false for what needs more of them. */
  #narrowOperation(expression: Expression): boolean {
    const { code } = this;
    switch (expression.op) {
      case 'constant':
        code.i32(Number(BigInt.asIntN(32, expression.value)));
        return true;
      case 'load': {
        const address = this.#pushPlace(expression, (part) => this.pushI32(part));
        code.memory('i32.load', address);
        return true;
      }
      case 'select':
        this.pushI32(expression.then);
        this.pushI32(expression.otherwise);
        this.pushTruth(expression.when);
        code.do('select');
        return true;
      case 'add':
      case 'subtract':
      case 'multiply':
      case 'and':
      case 'or':
      case 'xor':
        this.pushI32(expression.left);
        if (isLowHalf(expression)) return true;
        this.pushI32(expression.right);
        code.do(NARROW_BINARY[expression.op]);
        return true;
      default:
        return false;
    }
  }

  #quotient({ op, left, right }: Expression & { op: BinaryOp }, push: (part: Expression) => void): void {
    const { code } = this;
    const reciprocal = op === 'divide' ? reciprocalOf(this.intervalOf(left), right) : null;
    if (reciprocal !== null) {
      push(left);
      code.i64(reciprocal.factor).do('i64.mul').i64(reciprocal.bits).do('i64.shr_u');
      return;
    }
    const isShort = [left, right].every((part) => isU32(this.#graph.of(part).interval));
    push(left);
    if (isShort) code.do('i32.wrap_i64');
    push(right);
    if (isShort) {
      code.do('i32.wrap_i64', op === 'divide' ? 'i32.div_u' : 'i32.rem_u', 'i64.extend_i32_u');
    } else code.do(op === 'divide' ? 'i64.div_u' : 'i64.rem_u');
  }

  #tableAddress(table: number): number {
    const known = this.#tables.get(table);
    if (known !== undefined) return known;
    const values = this.scope.pools.tables[table]?.values;
    assert(values !== undefined, `there is no table ${table}`);
    const address = this.#image.place(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    this.#tables.set(table, address);
    return address;
  }
}

const BINARY = {
  add: 'i64.add',
  subtract: 'i64.sub',
  multiply: 'i64.mul',
  and: 'i64.and',
  or: 'i64.or',
  xor: 'i64.xor',
} as const;

const NARROW_BINARY = {
  add: 'i32.add',
  subtract: 'i32.sub',
  multiply: 'i32.mul',
  and: 'i32.and',
  or: 'i32.or',
  xor: 'i32.xor',
} as const;

/** Whether the expression cuts 32 bits off, which `pushI32` does anyway. */
function isLowHalf({ op, right }: Expression & { op: BinaryOp }): boolean {
  return op === 'and' && right.op === 'constant' && right.value === LOW_HALF;
}
