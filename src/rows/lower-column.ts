/** Columns as writes: what each generator puts into the row, by type and name. */
import { unreachable } from '../base/errors.ts';
import { intervalOf } from './bounds.ts';
import {
  add,
  and,
  constant,
  draw,
  happens,
  literal,
  pool,
  range,
  remainder,
  ROW,
  shiftRight,
} from './expressions.ts';
import { aliasIndex, lowerNumber, sharedColumn, uniform } from './lower-number.ts';
import type { LoweredNumber } from './lower-number.ts';
import type { Lowering } from './lowering.ts';
import { choiceSources, isTextPool } from './pool-needs.ts';
import type { Expression, Write } from './row-format.ts';
import type {
  CharactersGenerator,
  Column,
  ColumnType,
  GeoBox,
  Generator,
  Pick,
  PoolSource,
  TemplatePart,
} from './schema.ts';

/** Decimals of a degree: about 0.1 m. */
const DEGREE_SCALE = 6;
const DEGREE = 10 ** DEGREE_SCALE;
const QUOTE = literal('"');

/** The writes of a top-level column. `shares` says which columns others compute from. */
export function lowerTopColumn(column: Column, shares: ReadonlySet<string>, lowering: Lowering): Write[] {
  const shared = shares.has(column.name) ? sharedColumn(column.name, lowering) : null;
  if (shared === null) return lowerColumn(column, column.name, lowering);
  return numberWrites({ before: [], value: shared, scale: 0 }, column.type, lowering);
}

/** A column or sub-column: its value, or null in its share of the rows. Draws are named by the path. */
function lowerColumn(column: Column, path: string, lowering: Lowering): Write[] {
  if (column.generator === null) return [];
  const value = lowerValue(column.generator, column.type, path, lowering);
  const { nulls = 0 } = column;
  if (nulls === 0) return value;
  return [
    { op: 'if', when: happens(draw(`${path}\0null`), nulls), then: [literal('null')], otherwise: value },
  ];
}

function lowerValue(generator: Generator, type: ColumnType, path: string, lowering: Lowering): Write[] {
  const number = lowerNumber(generator, path, lowering);
  if (number !== null) return numberWrites(number, type, lowering);
  switch (generator.kind) {
    case 'runId':
      return [literal(JSON.stringify(lowering.identity.runId))];
    case 'seq':
      return [decimal(ROW, 0, lowering)];
    case 'constant':
      return [literal(JSON.stringify(generator.value))];
    case 'boolean':
      return [
        {
          op: 'if',
          when: happens(draw(path), generator.trueShare),
          then: [literal('true')],
          otherwise: [literal('false')],
        },
      ];
    case 'time':
      return [{ op: 'timestamp', value: add(lowering.timeMs(), range(draw(path), generator.jitterMs + 1)) }];
    case 'pool':
      return quoted(isTextPool(generator.pool), poolWrites(generator.pool, generator.pick, path, lowering));
    case 'choice': {
      const sources = choiceSources(generator.options);
      const { before, index } = aliasIndex(sources.table, path, lowering);
      const entry = pool(lowering.pool(sources.pool).pool, index);
      return [...before, ...quoted(isTextPool(sources.pool), [entry])];
    }
    case 'template':
      return quoted(
        true,
        generator.parts.flatMap((part, index) => lowerPart(part, `${path}\0part ${index}`, lowering)),
      );
    case 'characters':
      return quoted(true, [characters(generator, path)]);
    case 'uuid':
      return quoted(true, [{ op: 'uuid', draw: draw(path) }]);
    case 'ip':
      return quoted(true, generator.version === 4 ? ipv4(path, lowering) : ipv6(path));
    case 'bits':
      return quoted(true, [{ op: 'bits', draw: draw(path), length: type.kind === 'bit' ? type.length : 1 }]);
    case 'geoPoint':
      return geoPoint(generator.box, path, lowering);
    case 'geoShape':
      return geoShape(generator, path, lowering);
    case 'vector':
      return vector(type.kind === 'float_vector' ? type.dimensions : 0, generator.scale, path, lowering);
    case 'array':
      return array(generator, type.kind === 'array' ? type.of : type, path, lowering);
    case 'object':
      return object(type.kind === 'object' ? type.columns : [], path, lowering);
    case 'integer':
    case 'decimal':
    case 'normal':
    case 'exponential':
    case 'zipf':
    case 'series':
    case 'complement':
      return [];
    default:
      return unreachable(generator);
  }
}

/** A number by its column's type: NUMERIC travels as text, since JSON numbers pass through a double there. */
function numberWrites(number: LoweredNumber, type: ColumnType, lowering: Lowering): Write[] {
  const write = decimal(number.value, number.scale, lowering);
  return [...number.before, ...quoted(type.kind === 'numeric', [write])];
}

function decimal(value: Expression, scale: number, lowering: Lowering): Write {
  const signed = intervalOf(value, lowering.scope).min < 0n;
  return { op: 'decimal', value, scale, signed, digits: 1 };
}

function quoted(isText: boolean, writes: readonly Write[]): Write[] {
  return isText ? [QUOTE, ...writes, QUOTE] : [...writes];
}

function poolWrites(source: PoolSource, pick: Pick | undefined, path: string, lowering: Lowering): Write[] {
  const found = lowering.pool(source);
  return [pool(found.pool, pickEntry(pick, path, found.count, lowering))];
}

/** Pools with as many entries, drawn by one name, give entries with one number. */
function pickEntry(pick: Pick | undefined, path: string, count: number, lowering: Lowering): Expression {
  if (pick?.by === 'entity') {
    const { entities } = lowering.schema.axis;
    return entities <= count
      ? lowering.entity()
      : lowering.shared(`entity of ${count}`, () => remainder(lowering.entity(), count));
  }
  return range(draw(pick?.draw === undefined ? path : `\0draw ${pick.draw}`), count);
}

function lowerPart(part: TemplatePart, path: string, lowering: Lowering): Write[] {
  if (typeof part === 'string') return [literal(JSON.stringify(part).slice(1, -1))];
  switch (part.kind) {
    case 'pool':
      return poolWrites(part.pool, part.pick, path, lowering);
    case 'digits': {
      const value = uniform(path, part.min, part.max);
      return [{ op: 'decimal', value, scale: 0, signed: false, digits: part.width ?? 1 }];
    }
    case 'characters':
      return [characters(part, path)];
  }
}

function characters(generator: CharactersGenerator, path: string): Write {
  if (generator.alphabet === 'hex') return { op: 'hex', value: draw(path), digits: generator.maxLength };
  const length = uniform(`${path}\0length`, generator.minLength, generator.maxLength);
  return { op: 'base62', draw: draw(path), length };
}

/** 10.0.0.0/8, which belongs to nobody. */
function ipv4(path: string, lowering: Lowering): Write[] {
  const before: Write[] = [];
  const bits = lowering.keep(before, shiftRight(draw(path), 40));
  const octet = (shift: number): Write => decimal(and(shiftRight(bits, shift), 255), 0, lowering);
  return [...before, literal('10.'), octet(16), literal('.'), octet(8), literal('.'), octet(0)];
}

/** 2001:db8::/32, which is for documentation. */
function ipv6(path: string): Write[] {
  const groups = Array.from({ length: 6 }, (_, group): Write[] => [
    literal(group === 0 ? '2001:db8:' : ':'),
    { op: 'hex', value: draw(`${path}\0group ${group}`), digits: 4 },
  ]);
  return groups.flat();
}

/** A place in a box that leaves `margin` degrees in the north and east, in millionths of a degree. */
function placeIn(box: GeoBox, margin: number, path: string): { lon: Expression; lat: Expression } {
  const millionths = (degrees: number): number => Math.round(degrees * DEGREE);
  return {
    lon: uniform(`${path}\0lon`, millionths(box.west), millionths(box.east - margin)),
    lat: uniform(`${path}\0lat`, millionths(box.south), millionths(box.north - margin)),
  };
}

function geoPoint(box: GeoBox, path: string, lowering: Lowering): Write[] {
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

/** GeoJSON: a point, a line over two sides of a box, or the box as a polygon (counter-clockwise, closed). */
function geoShape(generator: Generator & { kind: 'geoShape' }, path: string, lowering: Lowering): Write[] {
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

/** Components from −1 to 1. */
function vector(dimensions: number, scale: number, path: string, lowering: Lowering): Write[] {
  const component = decimal(uniform(`${path}[]`, -(10 ** scale), 10 ** scale), scale, lowering);
  return [
    literal('['),
    { op: 'loop', count: constant(dimensions), separator: ',', body: [component] },
    literal(']'),
  ];
}

function array(
  generator: Generator & { kind: 'array' },
  elementType: ColumnType,
  path: string,
  lowering: Lowering,
): Write[] {
  const count = uniform(`${path}\0length`, generator.minLength, generator.maxLength);
  const body = lowerValue(generator.of, elementType, `${path}[]`, lowering);
  return [literal('['), { op: 'loop', count, separator: ',', body }, literal(']')];
}

function object(columns: readonly Column[], path: string, lowering: Lowering): Write[] {
  const filled = columns.filter((column) => column.generator !== null);
  const fields = filled.flatMap((column, index) => [
    literal(`${index === 0 ? '' : ','}${JSON.stringify(column.name)}:`),
    ...lowerColumn(column, `${path}.${column.name}`, lowering),
  ]);
  return [literal('{'), ...fields, literal('}')];
}
