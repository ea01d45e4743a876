/**
 * Distances as bits: near ones from a table of all, others from a table of the symbols, which stays in a cache however
 * far apart the distances are.
 */
import type { MemoryImage } from '../fast/memory-image.ts';
import type { ValueEmitter } from '../fast/values.ts';
import type { Code } from '../fast/wasm-assembler.ts';
import type { DeflateCode } from './huffman.ts';

/** The tables of the distances up to a largest one. */
export type DistanceCode =
  /** 4 bytes for each distance: its bits and, above them, how many they are. */
  | { readonly form: 'near'; readonly address: number; readonly maxBits: number }
  /** 8 bytes for each symbol, see `placeSymbols`. */
  | { readonly form: 'any'; readonly address: number; readonly maxBits: number };

/** Up to here they are those from row to row: so much alike that little of the table is read. */
const MAX_NEAR = 4096;
/** 14 bits of the code and 10 more. */
const NEAR_COUNT_SHIFT = 24;

export function placeDistances(image: MemoryImage, code: DeflateCode, most: number): DistanceCode {
  const maxBits = Math.max(
    ...code.distanceSymbols.filter(({ base }) => base <= most).map(({ length, extra }) => length + extra),
  );
  if (most > MAX_NEAR) return { form: 'any', address: placeSymbols(image, code), maxBits };
  return { form: 'near', address: placeNear(image, code), maxBits };
}

function placeNear(image: MemoryImage, code: DeflateCode): number {
  return image.once('near distances', () => {
    const words = new Uint32Array(MAX_NEAR + 1);
    for (let distance = 1; distance <= MAX_NEAR; distance += 1) {
      const { bits, length } = code.distance(distance);
      words[distance] = bits + length * 2 ** NEAR_COUNT_SHIFT;
    }
    return new Uint8Array(words.buffer);
  });
}

const TOTAL_SHIFT = 8;

/**
 * How many bits the symbol's code word has (8 bits), how many there are with the extra bits behind it (8 bits), and
 * from bit 32 on what the distance less 1, shifted by the former, is added to: the word less the shifted base.
 */
function placeSymbols(image: MemoryImage, code: DeflateCode): number {
  return image.once('distance symbols', () => {
    const table = new DataView(new ArrayBuffer(8 * code.distanceSymbols.length));
    code.distanceSymbols.forEach(({ base, bits, length, extra }, symbol) => {
      table.setUint32(8 * symbol, length + (length + extra) * 2 ** TOTAL_SHIFT, true);
      table.setInt32(8 * symbol + 4, (bits - (base - 1) * 2 ** length) | 0, true);
    });
    return new Uint8Array(table.buffer);
  });
}

/** The i32 local of a distance, the i64 local that tells how many bits it takes, and a mask of both if there is one. */
export interface DistanceLocals {
  readonly distance: number;
  readonly count: number;
  readonly mask?: number;
}

/**
 * Leaves the bits of a distance on the stack, an i64, and sets the count. The distance is at least 3, since no match
 * overlaps what it repeats, or masked.
 */
export function pushDistanceBits(
  values: ValueEmitter,
  { form, address }: DistanceCode,
  { distance, count, mask }: DistanceLocals,
): void {
  const { code } = values;
  const { locals } = values.frame;
  const masked = (): Code => (mask === undefined ? code : code.get(mask).do('i32.and'));
  if (form === 'near') {
    const word = locals.add('i32');
    code.get(distance).i32(2).do('i32.shl').memory('i32.load', address);
    masked().tee(word).i32(NEAR_COUNT_SHIFT).do('i32.shr_u', 'i64.extend_i32_u').set(count);
    code.get(word).i32(2 ** NEAR_COUNT_SHIFT - 1);
    return void code.do('i32.and', 'i64.extend_i32_u');
  }
  const [less, shift, symbol] = [locals.add('i32'), locals.add('i32'), locals.add('i64')];
  // The symbol is told by the highest bit and the one below it.
  code.get(distance).i32(1).do('i32.sub').set(less);
  code.i32(30).get(less).do('i32.clz', 'i32.sub').tee(shift).i32(1).do('i32.shl');
  code.get(less).get(shift).do('i32.shr_u', 'i32.add').i32(3).do('i32.shl');
  code.memory('i64.load', address).tee(symbol).do('i32.wrap_i64').i32(TOTAL_SHIFT).do('i32.shr_u');
  masked().do('i64.extend_i32_u').set(count);
  code.get(less).get(symbol).do('i32.wrap_i64', 'i32.shl');
  code.get(symbol).i64(32n).do('i64.shr_u', 'i32.wrap_i64', 'i32.add');
  masked().do('i64.extend_i32_u');
}
