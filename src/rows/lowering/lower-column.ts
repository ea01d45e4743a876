/** Columns as writes: what each generator puts into the row, by type and name. */
import { unreachable } from '../../base/errors.ts';
import { intervalOf } from '../intervals.ts';
import {
  add,
  and,
  constant,
  draw,
  happens,
  less,
  literal,
  multiply,
  pool,
  range,
  remainder,
  shiftRight,
  subtract,
} from './expressions.ts';
import { geoAround, geoPoint, geoShape } from './lower-geo.ts';
import { decimal, lowerNumber, sequence, sharedColumn, uniform } from './lower-number.ts';
import type { LoweredNumber } from './lower-number.ts';
import { aliasIndex, otherRow, pickEntry, quantileOf, rankOf } from './lower-ranks.ts';
import type { Lowering } from './lowering.ts';
import { choiceSources, isTextPool } from '../pool-needs.ts';
import type { Write } from '../row-format.ts';
import type {
  CharactersGenerator,
  Column,
  ColumnType,
  Generator,
  Pick,
  PoolSource,
  RankedGenerator,
  ReferenceGenerator,
  TemplatePart,
  TimeGenerator,
} from '../schema.ts';
import { wholeLimits } from '../type-limits.ts';

const QUOTE = literal('"');

/** The writes of a top-level column. `shares` says which columns others compute from. */
export function lowerTopColumn(column: Column, shares: ReadonlySet<string>, lowering: Lowering): Write[] {
  const shared = shares.has(column.name) ? sharedColumn(column.name, lowering) : null;
  if (shared === null) return lowerColumn(column, column.name, lowering);
  return orNull(column, column.name, numberWrites({ before: [], ...shared }, column.type, lowering));
}

/** A column or sub-column: its value, or null in its share of the rows. Draws are named by the path. */
function lowerColumn(column: Column, path: string, lowering: Lowering): Write[] {
  if (column.generator === null) return [];
  return orNull(column, path, lowerValue(column.generator, column.type, path, lowering));
}

function orNull({ nulls = 0 }: Column, path: string, value: readonly Write[]): Write[] {
  if (nulls === 0) return [...value];
  return [
    { op: 'if', when: happens(draw(`${path}\0null`), nulls), then: [literal('null')], otherwise: value },
  ];
}

function lowerValue(generator: Generator, type: ColumnType, path: string, lowering: Lowering): Write[] {
  const number = lowerNumber(generator, type, path, lowering);
  if (number !== null) return numberWrites(number, type, lowering);
  switch (generator.kind) {
    case 'runId':
      return [literal(JSON.stringify(lowering.identity.runId))];
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
      return [time(generator, path, lowering)];
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
    case 'geoAround':
      return geoAround(generator, path, lowering);
    case 'geoShape':
      return geoShape(generator, path, lowering);
    case 'vector':
      return vector(type.kind === 'float_vector' ? type.dimensions : 0, generator.scale, path, lowering);
    case 'array':
      return array(generator, type.kind === 'array' ? type.of : type, path, lowering);
    case 'object':
      return object(type.kind === 'object' ? type.columns : [], path, lowering);
    case 'ranked':
      return ranked(generator, type, path, lowering);
    case 'reference':
      return reference(generator, type, path, lowering);
    case 'seq':
    case 'integer':
    case 'decimal':
    case 'normal':
    case 'exponential':
    case 'zipf':
    case 'sequence':
    case 'buckets':
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

const textFragment = (text: string): string => JSON.stringify(text).slice(1, -1);

function quoted(isText: boolean, writes: readonly Write[]): Write[] {
  return isText ? [QUOTE, ...writes, QUOTE] : [...writes];
}

function poolWrites(source: PoolSource, pick: Pick | undefined, path: string, lowering: Lowering): Write[] {
  const found = lowering.pool(source);
  return [pool(found.pool, pickEntry(pick, path, found.count, lowering))];
}

function lowerPart(part: TemplatePart, path: string, lowering: Lowering): Write[] {
  if (typeof part === 'string') return [literal(textFragment(part))];
  switch (part.kind) {
    case 'pool':
      return poolWrites(part.pool, part.pick, path, lowering);
    case 'digits': {
      const value = uniform(path, part.min, part.max);
      return [{ op: 'decimal', value, scale: 0, signed: false, digits: part.width ?? 1 }];
    }
    case 'characters':
      return [characters(part, path)];
    case 'sequence':
      return [
        { ...decimal(sequence(part, wholeLimits({ kind: 'text' })), 0, lowering), digits: part.width ?? 1 },
      ];
  }
}

/** The time of the row, earlier in the share of rows that are late. Years before 1970 are negative. */
function time(generator: TimeGenerator, path: string, lowering: Lowering): Write {
  const { jitterMs, late } = generator;
  const onTime = add(lowering.timeMs(generator), range(draw(path), jitterMs + 1));
  if (late === undefined) return { op: 'timestamp', value: onTime };
  const delay = add(range(draw(`${path}\0delay`), late.upToMs), 1);
  const value = subtract(onTime, multiply(happens(draw(`${path}\0late`), late.share), delay));
  const { min } = intervalOf(value, lowering.scope);
  return min < 0n ? decimal(value, 0, lowering) : { op: 'timestamp', value };
}

/** A text by its rank, or a ready value for the first ranks if they have some. */
function ranked(generator: RankedGenerator, type: ColumnType, path: string, lowering: Lowering): Write[] {
  const { of, values = [], weights, distinct } = generator;
  const { before, cell, rank } = rankOf(generator, path, lowering);
  const made =
    of.kind === 'text'
      ? quoted(true, [literal(textFragment(of.prefix)), { ...decimal(rank, 0, lowering), digits: of.width }])
      : numberWrites(
          { before: [], value: quantileOf(rank, distinct, of, lowering), scale: of.scale },
          type,
          lowering,
        );
  if (values.length === 0) return [...before, ...made];
  const source: PoolSource = { from: 'values', values };
  const entry = pool(lowering.pool(source).pool, remainder(cell, values.length));
  const ready = quoted(isTextPool(source), [entry]);
  return [...before, { op: 'if', when: less(cell, weights.length), then: ready, otherwise: made }];
}

/** The value that another table's column has in a row that is drawn. */
function reference(
  { generator, path: column, ...target }: ReferenceGenerator,
  type: ColumnType,
  path: string,
  lowering: Lowering,
): Write[] {
  const { before, other } = otherRow(target, path, lowering);
  const value = other.writes(lowerValue(generator, type, column, lowering));
  return [...before, ...value];
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
