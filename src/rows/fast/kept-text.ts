/**
 * Numbers whose text is that of the row before, or begins like it: what stays is kept in memory, ready to be copied.
 * Where it is not the row's, it is written anew, so that a row stays a function of its index.
 */
import { writeFixed, writeWhole } from './digits.ts';
import type { TextWriter } from './text-writer.ts';
import { POINTER } from './text-writer.ts';

/** What is kept: the number that its digits begin, their length, and the text, with room for what stores write too much. */
const [START, LENGTH, TEXT] = [0, 8, 16];
const VECTOR_BYTES = 16;
const STORED_TOO_MUCH_BYTES = 32;
/** The digits of a number that advances that are written in each row. */
const LAST_DIGITS = 4;
const UNIT = 10n ** BigInt(LAST_DIGITS);

/**
 * Writes a text of at most `mostBytes` that is the same for all rows of a tick: `write` does it, once a tick, by way
 * of a writer of its own.
 */
export function writeSteady(out: TextWriter, mostBytes: number, write: (aside: TextWriter) => void): void {
  const kept = reserve(out, mostBytes);
  out.values.eachTick(() => keep(out, kept, write));
  copy(out, kept, mostBytes);
}

/**
 * Writes the integer on the stack, at least `least` and of at most 20 digits, `mostDigits`: all but the last four are
 * kept until they change.
 */
export function writeAdvancing(out: TextWriter, least: bigint, mostDigits: number): void {
  const { code, values } = out;
  const { locals } = values.frame;
  const [value, within, high] = [locals.add('i64'), locals.add('i64'), locals.add('i64')];
  const highDigits = mostDigits - LAST_DIGITS;
  const kept = reserve(out, highDigits);
  code.set(value);
  if (least < UNIT) {
    out.settle();
    code.get(value).i64(UNIT).do('i64.lt_u').if().get(value);
    writeWhole(out, LAST_DIGITS, 1);
    out.settle();
    code.else();
  }
  code
    .get(value)
    .i32(0)
    .memory('i64.load', kept + START)
    .do('i64.sub');
  code.tee(within).i64(UNIT).do('i64.ge_u').if();
  code.get(value).get(value).i64(UNIT).do('i64.div_u').tee(high).i64(UNIT).do('i64.mul').set(within);
  code
    .i32(0)
    .get(within)
    .memory('i64.store', kept + START);
  code.get(within).do('i64.sub').set(within);
  keep(out, kept, (aside) => {
    code.get(high);
    writeWhole(aside, highDigits, 1);
  });
  code.end();
  copy(out, kept, highDigits);
  code.get(within);
  writeFixed(out, LAST_DIGITS);
  if (least < UNIT) {
    out.settle();
    code.end();
  }
}

function reserve({ image }: TextWriter, mostBytes: number): number {
  return image.reserve(TEXT + mostBytes + STORED_TOO_MUCH_BYTES);
}

/** Writes what is kept, with the pointer put there meanwhile. */
function keep(out: TextWriter, kept: number, write: (aside: TextWriter) => void): void {
  const { code, values } = out;
  const pointer = values.frame.locals.add('i32');
  const aside = out.elsewhere();
  code
    .get(POINTER)
    .set(pointer)
    .i32(kept + TEXT)
    .set(POINTER);
  write(aside);
  aside.settle();
  code
    .i32(0)
    .get(POINTER)
    .i32(kept + TEXT)
    .do('i32.sub');
  code.memory('i32.store', kept + LENGTH);
  code.get(pointer).set(POINTER);
}

function copy(out: TextWriter, kept: number, mostBytes: number): void {
  for (let from = 0; from < mostBytes; from += VECTOR_BYTES) {
    out.pushPointer();
    out.code.i32(0).memory('v128.load', kept + TEXT + from);
    out.store('v128.store', from);
  }
  out.code.i32(0).memory('i32.load', kept + LENGTH);
  out.advanceByStack();
}
