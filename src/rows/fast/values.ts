/**
 * Expressions of a row plan as code that leaves an i64 on the stack. What does not change from row to row is
 * taken out of the loop over the rows: rows of one tick share what depends on the tick, each entity has a record
 * in memory with what depends on it, and values that several columns need are computed once a row. All of it is
 * a memory of results, so that a row stays a function of its index.
 */
import { assert } from '../../base/errors.ts';
import { intervalOf, maxBytesOf, newScope } from '../bounds.ts';
import type { Interval, Scope } from '../bounds.ts';
import { FINISH_FACTOR, MIX_FIRST, MIX_SECOND } from '../hashing.ts';
import type { BinaryOp, Expression, RowPlan, Write } from '../row-format.ts';
import type { Advance } from './advance.ts';
import { advanceOf } from './advance.ts';
import type { MemoryImage } from './memory-image.ts';
import type { Locals } from './wasm-assembler.ts';
import { Code } from './wasm-assembler.ts';

/** The function that is being written: its locals, and where the row's facts are among them. */
export interface Frame {
  readonly locals: Locals;
  readonly row: number;
  readonly entity: number;
  readonly tick: number;
  /** entity × RECORD_BYTES, an i32. */
  readonly record: number;
  /** Changes inside a loop. */
  key: number;
  code: Code;
  /** An i64 whose value lives only between two neighbouring instructions. */
  readonly scratch: number;
  /** Values of this row, or of this branch or element, that stand in a local already. */
  known: Map<Node, Variable>;
}

/** What an expression depends on: bits, of which a slow value (see below) has one of its own. */
const ROW = 1;
const KEY = 2;
const ENTITY = 4;
const TICK = 8;
const FIRST_SLOW = 16;
const MAX_SLOW_VALUES = 8;
const CHANGES_EACH_ROW = ROW | KEY;

/** An entity's record has one cache line for each of its blocks. */
export const RECORD_BYTES = 64;
/** More entities than this have no records: they would not stay in a cache. */
const MAX_RECORDS = 16_384;
const MAX_RECORD_BLOCKS = 8;

/** From this many operations on a value is worth a place of its own. */
const WORTH_KEEPING = 2;
const WORTH_A_RECORD = 3;

/** Equal expressions are one node. */
export interface Node {
  readonly expression: Expression;
  readonly dependsOn: number;
  readonly cost: number;
  readonly interval: Interval;
  /** How often the plan has it. */
  uses: number;
}

type Variable =
  | { readonly kind: 'local'; readonly index: number }
  /** In memory, for all functions of the module. */
  | { readonly kind: 'cell'; readonly address: number };

interface Field {
  readonly offset: number;
  readonly width: 8 | 16 | 32 | 64;
}

/** A part of all records: what rows seldom read does not stand in the lines that they read. */
interface Block {
  readonly address: number;
  readonly isRare: boolean;
  usedBytes: number;
}

/** A value that changes every few ticks, and what each entity keeps of it until then. */
interface SlowValue {
  readonly local: number;
  readonly tag: Field;
  readonly refresh: Code;
}

export class ValueEmitter {
  readonly scope: Scope;
  /** Rows i and i + period are of one entity; 0 without entities. */
  readonly period: number;
  /** Runs at the start of each tick. */
  readonly tickCode = new Code();
  readonly #image: MemoryImage;
  readonly #hasParts: boolean;
  readonly #main: Frame;
  readonly #nodes = new Map<string, Node>();
  readonly #nodeOf = new WeakMap<Expression, Node>();
  readonly #numbers = new Map<Node, number>();
  readonly #tables = new Map<number, number>();
  readonly #localDependsOn: number[] = [];
  readonly #values = new Map<number, Expression>();
  readonly #variables = new Map<number, Variable>();
  /** Locals that stand for an expression and have no place of their own. */
  readonly #aliases = new Map<number, Expression>();
  readonly #perTick = new Map<Node, Variable>();
  readonly #perEntity = new Map<Node, Field>();
  readonly #slow: SlowValue[] = [];
  #frame: Frame;
  readonly #blocks: Block[] = [];
  /** Whether what is being written runs only when a slow value changes. */
  #isRefresh = false;

  /** `main` is the frame of the loop over rows; with `hasParts` other frames follow, and share through memory. */
  constructor(plan: RowPlan, image: MemoryImage, main: Frame, hasParts: boolean) {
    this.scope = newScope(plan);
    this.#image = image;
    this.#main = main;
    this.#frame = main;
    this.#hasParts = hasParts;
    this.period = periodOf(plan.prologue);
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
      for (const expression of expressionsOf(write)) this.#count(expression);
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
    return this.#node(left) === this.#node(right);
  }

  intervalOf(expression: Expression): Interval {
    return this.#node(expression).interval;
  }

  /** Whether the value is the same for all rows of a tick, and so without ticks for all rows. */
  isSteady(expression: Expression): boolean {
    return (this.#node(expression).dependsOn & (CHANGES_EACH_ROW | ENTITY)) === 0;
  }

  /** Whether the value is the number of the row's entity. */
  isEntity(expression: Expression): boolean {
    return isPeriodic(this.#node(expression).expression, 'remainder', this.period);
  }

  /** Leaves the value on the stack. */
  push(expression: Expression): void {
    const node = this.#node(expression);
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
    const node = this.#node(expression);
    const isShared = node.uses > 1 && node.cost >= WORTH_KEEPING;
    if (!isShared && this.#isComputed(node) && this.#narrowOperation(node.expression)) return;
    this.push(expression);
    this.code.do('i32.wrap_i64');
  }

  /** Leaves an i32 that is not 0 if the value is not 0. */
  pushTruth(expression: Expression): void {
    const node = this.#node(expression);
    if (expression.op === 'less' && this.#isComputed(node)) return this.#less(expression);
    this.push(expression);
    this.code.i64(0n).do('i64.ne');
  }

  /** Keeps a value in the plan's local. */
  set(local: number, value: Expression): void {
    if (this.#aliases.has(local) || this.#variables.has(local)) return;
    this.push(value);
    const variable = this.#newVariable();
    this.#put(this.#frame, variable);
    this.#variables.set(local, variable);
  }

  /** accumulator := finish(accumulator), on the stack. */
  finish(): void {
    this.#finishHighHalf();
    this.#foldHigh();
  }

  /** The same, of which only the high half is right: the last step leaves it as it is. */
  #finishHighHalf(): void {
    this.#foldHigh();
    this.code.i64(FINISH_FACTOR).do('i64.mul');
    this.#foldHigh();
    this.code.i64(FINISH_FACTOR).do('i64.mul');
  }

  mix(): void {
    this.#foldHigh(30n);
    this.code.i64(MIX_FIRST).do('i64.mul');
    this.#foldHigh(27n);
    this.code.i64(MIX_SECOND).do('i64.mul');
    this.#foldHigh(31n);
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
        this.#loadField(tag);
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
    return advanceOf(expression, (local) => this.#values.get(local));
  }

  /** Fills the records of one entity: for the function that runs once, whose frame this is. */
  pushRecord(frame: Frame): void {
    for (const [node, field] of this.#perEntity) {
      this.#within(frame, frame.code, () => {
        frame.code.get(frame.record);
        this.#pushPlain(node.expression);
        this.#storeField(frame.code, field);
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
    return field === null ? null : () => this.#loadField(field);
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
    const field = this.#newField(widthOf(node.interval));
    if (field !== null) this.#perEntity.set(node, field);
    return field;
  }

  readonly #slowFields = new Map<Node, Field>();

  /** For what depends on the entity and one slow value. */
  #slowField(node: Node): Field | null {
    const known = this.#slowFields.get(node);
    if (known !== undefined) return known;
    const index = this.#slow.findIndex((_, slow) => node.dependsOn === (ENTITY | (FIRST_SLOW << slow)));
    const slow = this.#slow[index];
    if (slow === undefined) return null;
    const field = this.#newField(widthOf(node.interval));
    if (field === null) return null;
    this.#within(this.#main, slow.refresh, () => {
      slow.refresh.get(this.#main.record);
      const isWithinRefresh = this.#isRefresh;
      this.#isRefresh = true;
      this.#pushSlow(node.expression, node.dependsOn);
      this.#isRefresh = isWithinRefresh;
      this.#storeField(slow.refresh, field);
    });
    this.#slowFields.set(node, field);
    return field;
  }

  #newField(width: Field['width']): Field | null {
    if (this.period > MAX_RECORDS) return null;
    const [bytes, isRare] = [width / 8, this.#isRefresh];
    let block = this.#blocks.find(
      (of) => of.isRare === isRare && aligned(of.usedBytes, bytes) + bytes <= RECORD_BYTES,
    );
    if (block === undefined) {
      if (this.#blocks.length === MAX_RECORD_BLOCKS) return null;
      block = { address: this.#image.reserve(this.period * RECORD_BYTES), isRare, usedBytes: 0 };
      this.#blocks.push(block);
    }
    const start = aligned(block.usedBytes, bytes);
    block.usedBytes = start + bytes;
    return { offset: block.address + start, width };
  }

  #loadField({ offset, width }: Field): void {
    const load = ({ 8: 'i64.load8_u', 16: 'i64.load16_u', 32: 'i64.load32_u', 64: 'i64.load' } as const)[
      width
    ];
    this.code.get(this.#frame.record).memory(load, offset);
  }

  #storeField(code: Code, { offset, width }: Field): void {
    code.memory(
      ({ 8: 'i64.store8', 16: 'i64.store16', 32: 'i64.store32', 64: 'i64.store' } as const)[width],
      offset,
    );
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

  // --- what is known of expressions ------------------------------------------------------------------------

  #count(expression: Expression): void {
    this.#node(expression).uses += 1;
    for (const part of partsOf(expression)) this.#count(part);
  }

  #declare(write: Write & { op: 'set' }): void {
    maxBytesOf([write], this.scope);
    const { local, value } = write;
    this.#values.set(local, value);
    const node = this.#node(value);
    const { dependsOn } = node;
    this.#localDependsOn[local] = dependsOn;
    if ((dependsOn & CHANGES_EACH_ROW) !== 0) return;
    // Records are filled where no local is known.
    if (dependsOn === 0 || (dependsOn & ENTITY) !== 0) return void this.#aliases.set(local, value);
    this.#variables.set(local, this.#perTickVariable(node));
    if (isSlow(value, dependsOn) && node.cost > 0 && this.#slow.length < MAX_SLOW_VALUES) {
      const tag = this.#newField(64);
      if (tag === null) return;
      this.#localDependsOn[local] = FIRST_SLOW << this.#slow.length;
      this.#slow.push({ local, tag, refresh: new Code() });
    }
  }

  #node(expression: Expression): Node {
    const known = this.#nodeOf.get(expression);
    if (known !== undefined) return known;
    const simple = this.#simplified(expression);
    const node = simple === null ? this.#intern(expression) : this.#node(simple);
    this.#nodeOf.set(expression, node);
    return node;
  }

  /** Another expression with the same value, or null. */
  #simplified(expression: Expression): Expression | null {
    if (expression.op === 'local') return this.#aliases.get(expression.local) ?? null;
    return expression.op === 'range' && expression.size === 1n ? { op: 'constant', value: 0n } : null;
  }

  #intern(expression: Expression): Node {
    const parts = partsOf(expression).map((part) => this.#node(part));
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
    const isCounted =
      isPeriodic(expression, 'remainder', this.period) || isPeriodic(expression, 'divide', this.period);
    return isCounted ? 0 : parts.reduce((sum, part) => sum + part.cost, COST[expression.op]);
  }

  #dependsOn(expression: Expression, parts: readonly Node[]): number {
    if (isPeriodic(expression, 'remainder', this.period)) return ENTITY;
    if (isPeriodic(expression, 'divide', this.period)) return TICK;
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
    this.#operation(this.#node(expression).expression, (part) => this.#pushPlain(part));
  }

  /** Computes what depends on all of `dependsOn` here, and reads from its place what depends on less. */
  #pushSlow(expression: Expression, dependsOn: number): void {
    const node = this.#node(expression);
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
    if (isPeriodic(expression, 'remainder', this.period)) return void code.get(frame.entity);
    if (isPeriodic(expression, 'divide', this.period)) return void code.get(frame.tick);
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
        return this.#range(expression.size);
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
    if (expression.op !== 'draw' || this.#node(expression).uses > 1) return push(expression);
    this.#startDraw(expression.key);
    this.#finishHighHalf();
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
    const isShort = [left, right].every((part) => isU32(this.#node(part).interval));
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
    const isShort = [left, right].every((part) => isU32(this.#node(part).interval));
    push(left);
    if (isShort) code.do('i32.wrap_i64');
    push(right);
    if (isShort) {
      code.do('i32.wrap_i64', op === 'divide' ? 'i32.div_u' : 'i32.rem_u', 'i64.extend_i32_u');
    } else code.do(op === 'divide' ? 'i64.div_u' : 'i64.rem_u');
  }

  /** What is on the stack spread over 0…size − 1. */
  #range(size: bigint): void {
    const { code } = this;
    if (isPowerOfTwo(size)) {
      assert(size > 1n, 'of one number none is drawn');
      code.i64(BigInt(65 - size.toString(2).length)).do('i64.shr_u');
    } else if (size <= 1n << 16n) {
      code.i64(32n).do('i64.shr_u').i64(size).do('i64.mul').i64(32n).do('i64.shr_u');
    } else if (size < 1n << 32n) {
      const whole = this.#frame.scratch;
      code.tee(whole).i64(32n).do('i64.shr_u').i64(size).do('i64.mul');
      code.get(whole).i64(LOW_HALF).do('i64.and').i64(size).do('i64.mul').i64(32n).do('i64.shr_u');
      code.do('i64.add').i64(32n).do('i64.shr_u');
    } else this.#highProduct(size);
  }

  /** The high 64 bits of the product with a constant, from four products of halves. */
  #highProduct(factor: bigint): void {
    const { code } = this;
    const [high, low] = [factor >> 32n, factor & LOW_HALF];
    const whole = this.#frame.locals.add('i64');
    const middle = this.#frame.locals.add('i64');
    const lowOf = (local: number): Code => code.get(local).i64(LOW_HALF).do('i64.and');
    const highOf = (local: number): Code => code.get(local).i64(32n).do('i64.shr_u');
    code.set(whole);
    lowOf(whole).i64(low).do('i64.mul').i64(32n).do('i64.shr_u');
    highOf(whole).i64(low).do('i64.mul', 'i64.add').set(middle);
    highOf(whole).i64(high).do('i64.mul');
    highOf(middle).do('i64.add');
    lowOf(whole).i64(high).do('i64.mul');
    lowOf(middle).do('i64.add').i64(32n).do('i64.shr_u', 'i64.add');
  }

  /** x ^ (x >> bits), on the stack. */
  #foldHigh(bits = 32n): void {
    const { scratch } = this.#frame;
    this.code.tee(scratch).get(scratch).i64(bits).do('i64.shr_u', 'i64.xor');
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

const LOW_HALF = 0xffffffffn;

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

/**
 * The factor and the shift that divide numbers of an interval by a constant, or null if one is not below 2^31: of N
 * bits by d exactly, since 0 < factor · d − 2^bits ≤ d ≤ 2^(bits − N) (Granlund and Montgomery 1994, theorem 4.2).
 */
function reciprocalOf({ min, max }: Interval, by: Expression): { factor: bigint; bits: bigint } | null {
  const isShort = by.op === 'constant' && by.value >= 2n && by.value < 1n << 31n;
  if (!isShort || min < 0n || max >= 1n << 31n) return null;
  const bits = bitLength(max) + bitLength(by.value - 1n);
  return { factor: (1n << bits) / by.value + 1n, bits };
}

function bitLength(value: bigint): bigint {
  return value === 0n ? 0n : BigInt(value.toString(2).length);
}

/** Whether a draw is spread over so many numbers by its high half alone. */
function readsHighHalf(size: bigint): boolean {
  return size <= 1n << 16n || (isPowerOfTwo(size) && size <= 1n << 32n);
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

export function isU32({ min, max }: Interval): boolean {
  return min >= 0n && max <= LOW_HALF;
}

export function isPowerOfTwo(value: bigint): boolean {
  return value > 0n && (value & (value - 1n)) === 0n;
}

function aligned(offset: number, to: number): number {
  return Math.ceil(offset / to) * to;
}

function widthOf({ min, max }: Interval): Field['width'] {
  if (min < 0n || max > LOW_HALF) return 64;
  return max <= 0xffn ? 8 : max <= 0xffffn ? 16 : 32;
}

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

function isPeriodic(expression: Expression, op: 'remainder' | 'divide', period: number): boolean {
  return (
    period > 0 &&
    expression.op === op &&
    expression.left.op === 'row' &&
    expression.right.op === 'constant' &&
    expression.right.value === BigInt(period)
  );
}

/** A quotient of the tick stays the same for some ticks. */
function isSlow(value: Expression, dependsOn: number): boolean {
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
