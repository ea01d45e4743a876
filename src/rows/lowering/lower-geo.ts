/** Places and shapes as writes: numbers of millionths of a degree. */
import { SECANT_ONE, SINE_ONE, SINE_STEPS } from '../distributions.ts';
import {
  add,
  and,
  constant,
  draw,
  less,
  literal,
  load,
  multiply,
  remainder,
  select,
  shiftRight,
  subtract,
} from './expressions.ts';
import { DEGREE, DEGREE_SCALE, discAround, millionths } from '../geo.ts';
import { decimal, uniform } from './lower-number.ts';
import type { Lowering } from './lowering.ts';
import type { Expression, Write } from '../row-format.ts';
import type { GeoBox, Generator } from '../schema.ts';

const TURN = 360 * DEGREE;
const HALF_TURN = TURN / 2;
/** More than half of the widest disc is, in whole turns. */
const TURNS = 6 * TURN;

/** A place in a box that leaves `margin` degrees in the north and east, in millionths of a degree. */
function placeIn(box: GeoBox, margin: number, path: string): { lon: Expression; lat: Expression } {
  return {
    lon: uniform(`${path}\0lon`, millionths(box.west), millionths(box.east - margin)),
    lat: uniform(`${path}\0lat`, millionths(box.south), millionths(box.north - margin)),
  };
}

export function geoPoint(box: GeoBox, path: string, lowering: Lowering): Write[] {
  const { lon, lat } = placeIn(box, 0, path);
  return pointWrites(lon, lat, lowering);
}

function pointWrites(lon: Expression, lat: Expression, lowering: Lowering): Write[] {
  return [
    literal('['),
    decimal(lon, DEGREE_SCALE, lowering),
    literal(','),
    decimal(lat, DEGREE_SCALE, lowering),
    literal(']'),
  ];
}

/**
 * A place in a disc. Its distance from the middle is the larger of two draws, which is as likely as a circle of that
 * radius is long; its offset to the east is stretched as meridians draw together, which keeps areas.
 */
export function geoAround(
  generator: Generator & { kind: 'geoAround' },
  path: string,
  lowering: Lowering,
): Write[] {
  const writes: Write[] = [];
  const { south, north, radius } = discAround(generator);
  const { northward, eastward } = placeInDisc(path, lowering, writes);
  const acrossDisc = (part: Expression, width: Expression | number): Expression =>
    shiftRight(multiply(part, width), 32);
  const lat = add(acrossDisc(northward, 2 * radius), south);

  const { table, length } = lowering.table({ kind: 'secants', south, north });
  const secant = load(table, shiftRight(northward, 32 - Math.log2(length)));
  const width = lowering.keep(writes, shiftRight(multiply(secant, 2 * radius), Math.log2(SECANT_ONE)));
  const half = shiftRight(width, 1);
  // Some turns to the east of the date line, from where it is one step to stay positive.
  const turns = subtract(
    add(acrossDisc(eastward, width), millionths(generator.lon) + HALF_TURN + TURNS),
    half,
  );
  const lon = subtract(remainder(turns, TURN), HALF_TURN);
  return [...writes, ...pointWrites(lon, lat, lowering)];
}

/** How far north and east a place lies in a disc: 0 at its south or west end, 2^32 at the other. */
function placeInDisc(
  path: string,
  lowering: Lowering,
  writes: Write[],
): { northward: Expression; eastward: Expression } {
  const bits = lowering.keep(writes, draw(path));
  const [high, low] = [shiftRight(bits, 32), and(bits, 2 ** 32 - 1)];
  const distance = lowering.keep(writes, select(less(high, low), low, high));
  const direction = lowering.keep(writes, draw(`${path}\0direction`));
  const step = lowering.keep(writes, shiftRight(direction, 64 - Math.log2(SINE_STEPS)));
  const within = lowering.keep(writes, and(shiftRight(direction, 38), SINE_ONE - 1));
  const { table } = lowering.table({ kind: 'sine' });
  const sineAt = (steps: number): Expression => load(table, and(add(step, steps), SINE_STEPS - 1));
  const offset = (steps: number): Expression => {
    const [from, to] = [sineAt(steps), sineAt(steps + 1)];
    const sine = shiftRight(
      add(multiply(from, subtract(constant(SINE_ONE), within)), multiply(to, within)),
      Math.log2(SINE_ONE),
    );
    // 2^31 · (1 + distance · sine), where the table has (1 + sine) · 2^15. It never reaches 2^32: the mask says so.
    const middle = multiply(subtract(constant(2 ** 32), distance), SINE_ONE / 2);
    const place = shiftRight(add(multiply(distance, sine), middle), Math.log2(SINE_ONE));
    return lowering.keep(writes, and(place, 2 ** 32 - 1));
  };
  return { northward: offset(SINE_STEPS / 4), eastward: offset(0) };
}

/** GeoJSON: a point, a line over two sides of a box, or the box as a polygon (counter-clockwise, closed). */
export function geoShape(
  generator: Generator & { kind: 'geoShape' },
  path: string,
  lowering: Lowering,
): Write[] {
  const writes: Write[] = [];
  const place = placeIn(generator.box, generator.maxSide, path);
  const west = lowering.keep(writes, place.lon);
  const south = lowering.keep(writes, place.lat);
  const corner = (lon: Expression, lat: Expression): Write[] => pointWrites(lon, lat, lowering);
  if (generator.shape === 'point') {
    return [...writes, literal('{"type":"Point","coordinates":'), ...corner(west, south), literal('}')];
  }
  const side = (name: string): Expression =>
    uniform(`${path}\0${name}`, DEGREE / 1000, Math.round(generator.maxSide * DEGREE));
  const east = lowering.keep(writes, add(west, side('width')));
  const north = lowering.keep(writes, add(south, side('height')));
  const line = [
    ...corner(west, south),
    literal(','),
    ...corner(east, south),
    literal(','),
    ...corner(east, north),
  ];
  if (generator.shape === 'line') {
    return [...writes, literal('{"type":"LineString","coordinates":['), ...line, literal(']}')];
  }
  const back = [literal(','), ...corner(west, north), literal(','), ...corner(west, south)];
  return [...writes, literal('{"type":"Polygon","coordinates":[['), ...line, ...back, literal(']]}')];
}
