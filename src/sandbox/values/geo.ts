/**
 * Points and shapes: GeoJSON and WKT in, GeoJSON out, and the checks that CrateDB makes when it indexes a shape.
 * Points lose some precision in the index, so a scan reads them back slightly moved.
 */
import { invalid, SqlFailure } from '../failure.ts';
import { doubleText, jsonValueText, valueText } from './java-text.ts';
import {
  isJsonArray,
  isJsonObject,
  JavaDouble,
  JsonSyntaxError,
  parseJson,
  toDouble,
  type Json,
  type JsonObject,
} from './json.ts';
import { parseWkt, type Position, type WktShape, type WktTree } from './wkt.ts';

/** [longitude, latitude]; null for a point with a missing coordinate, `none` for what is no point. */
export type Point = readonly number[] | null | 'none';

/** The point of an array, a WKT point or the text of an array. */
export function parseGeoPoint(value: Json): Point {
  if (typeof value === 'string') return pointOfText(value);
  if (!isJsonArray(value) || value.length !== 2) return 'none';
  if (value.includes(null)) return null;
  const [lon, lat] = value.map(coordinate);
  return typeof lon === 'number' && typeof lat === 'number' ? inRange(lon, lat) : 'none';
}

function pointOfText(text: string): Point {
  if (/^\s*\[.*\]\s*$/s.test(text)) {
    const list = jsonOrNull(text);
    return isJsonArray(list) ? parseGeoPoint(list) : 'none';
  }
  const shape = parseWkt(text);
  if (shape?.name !== 'POINT') return 'none';
  const position = shape.tree === null ? null : firstPosition(shape.tree);
  return position === null ? [Number.NaN, Number.NaN] : inRange(...position);
}

function firstPosition(tree: WktTree): Position | null {
  if (!('items' in tree)) return tree;
  const [only] = tree.items;
  return tree.items.length === 1 && only !== undefined && !('items' in only) ? only : null;
}

function jsonOrNull(text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return null;
    throw error;
  }
}

function coordinate(value: Json): number | null {
  if (value instanceof JavaDouble) return value.value;
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null;
}

function inRange(lon: number, lat: number): readonly number[] | 'none' {
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 90 ? [lon, lat] : 'none';
}

const CELLS = 2 ** 32;

/** What the index keeps of a point: 32 bits a coordinate, cut towards minus infinity (Lucene's GeoEncodingUtils). */
export function quantisedPoint(point: readonly number[]): readonly number[] {
  const [lon = 0, lat = 0] = point;
  return [quantised(lon, 360), quantised(lat, 180)];
}

function quantised(value: number, span: number): number {
  const step = span / CELLS;
  return Math.min(Math.floor(value / step), CELLS / 2 - 1) * step;
}

const SHAPE_NAMES = [
  'Point',
  'MultiPoint',
  'LineString',
  'MultiLineString',
  'Polygon',
  'MultiPolygon',
  'GeometryCollection',
] as const;
type ShapeName = (typeof SHAPE_NAMES)[number];

/** How deep the coordinates of a shape nest above one position. */
const DEPTH: Readonly<Record<Exclude<ShapeName, 'GeometryCollection'>, number>> = {
  Point: 0,
  MultiPoint: 1,
  LineString: 1,
  Polygon: 2,
  MultiLineString: 2,
  MultiPolygon: 3,
};

const COLLECTED: Readonly<Partial<Record<string, ShapeName>>> = {
  Point: 'MultiPoint',
  LineString: 'MultiLineString',
  Polygon: 'MultiPolygon',
};

function shapeName(value: Json | undefined): ShapeName | undefined {
  return SHAPE_NAMES.find((name) => name === value || name.toLowerCase() === value);
}

/** GeoJSON as it was given, when its type and coordinates hold; collections of one kind become the multi shape. */
export function shapeFromJson(shape: JsonObject): JsonObject | null {
  const name = shapeName(shape['type']);
  if (name === undefined) return null;
  if (name === 'GeometryCollection') return collectionFromJson(shape);
  return hasPositions(shape['coordinates'] ?? null, DEPTH[name]) ? shape : null;
}

function collectionFromJson(shape: JsonObject): JsonObject | null {
  const geometries = shape['geometries'] ?? null;
  if (!isJsonArray(geometries)) return null;
  if (geometries.length === 0) {
    throw new SqlFailure(
      500,
      5000,
      'NullPointerException[Cannot invoke "Object.hashCode()" because "pk" is null]',
    );
  }
  const parts = geometries.map((geometry) => (isJsonObject(geometry) ? shapeFromJson(geometry) : null));
  const kept = parts.filter((part) => part !== null);
  return kept.length < parts.length ? null : collect(kept);
}

function collect(parts: readonly JsonObject[]): JsonObject {
  const types = new Set(parts.map((part) => part['type']));
  const target = types.size === 1 ? COLLECTED[valueText([...types][0] ?? null)] : undefined;
  if (target === undefined) return { geometries: parts, type: 'GeometryCollection' };
  return { coordinates: parts.map((part) => part['coordinates'] ?? null), type: target };
}

function hasPositions(value: Json, depth: number): boolean {
  if (!isJsonArray(value)) return false;
  if (depth > 0) return value.every((item) => hasPositions(item, depth - 1));
  if (value.length < 2) throw new SqlFailure(500, 5000, 'NoSuchElementException[null]');
  const [lon, lat] = [coordinate(value[0] ?? null), coordinate(value[1] ?? null)];
  return lon !== null && lat !== null && inRange(lon, lat) !== 'none';
}

/** Spatial4j's own addition to WKT: minX, maxX, maxY, minY. */
const ENVELOPE = /^\s*ENVELOPE\s*\(\s*([^\s,]+)\s*,\s*([^\s,]+)\s*,\s*([^\s,]+)\s*,\s*([^\s,]+)\s*\)\s*$/i;

/** WKT as GeoJSON with doubles, or null for what is none, is not closed, crosses itself or is out of range. */
export function shapeFromText(text: string): JsonObject | null {
  const envelope = ENVELOPE.exec(text);
  if (envelope !== null) {
    const [minX = 0, maxX = 0, maxY = 0, minY = 0] = envelope.slice(1).map(Number);
    return { coordinates: [box(minX, maxX, minY, maxY).map(positionJson)], type: 'Polygon' };
  }
  const shape = parseWkt(text);
  return shape === null ? null : shapeOf(shape);
}

function shapeOf(shape: WktShape): JsonObject | null {
  const name = SHAPE_NAMES.find((known) => known.toUpperCase() === shape.name);
  if (name === 'GeometryCollection') {
    const parts = shape.members.map(shapeOf);
    const kept = parts.filter((part) => part !== null);
    return kept.length < parts.length ? null : collect(kept);
  }
  if (name === undefined) return null;
  const coordinates = coordinatesOf(name, shape.tree);
  if (coordinates === null) return null;
  const result: JsonObject = { coordinates, type: name };
  return isEmpty(coordinates) || isSound(result, name, coordinates) ? result : null;
}

function isEmpty(coordinates: Json): boolean {
  return isJsonArray(coordinates) && coordinates.every((item) => isJsonArray(item) && item.length === 0);
}

/** What WKT has wrong is found while it is read, not when it is indexed. */
function isSound(
  shape: JsonObject,
  name: Exclude<ShapeName, 'GeometryCollection'>,
  coordinates: Json,
): boolean {
  if (!hasPositions(coordinates, DEPTH[name])) return false;
  try {
    checkShape(shape);
    return true;
  } catch (error) {
    if (error instanceof SqlFailure) return false;
    throw error;
  }
}

function coordinatesOf(name: ShapeName, tree: WktTree | null): Json {
  if (tree === null) return name === 'Polygon' ? [[]] : [];
  switch (name) {
    case 'Point': {
      const position = firstPosition(tree);
      return position === null ? null : positionJson(position);
    }
    case 'MultiPoint':
      // Each position may stand in parentheses of its own.
      return itemsOf(tree).map((item) =>
        'items' in item ? positionJson(firstPosition(item) ?? [Number.NaN, Number.NaN]) : positionJson(item),
      );
    case 'Polygon':
      return polygonOf(tree);
    case 'MultiPolygon':
      return itemsOf(tree).map(polygonOf);
    default:
      return treeJson(tree);
  }
}

function itemsOf(tree: WktTree): readonly WktTree[] {
  return 'items' in tree ? tree.items : [];
}

function treeJson(tree: WktTree): Json {
  return 'items' in tree ? tree.items.map(treeJson) : positionJson(tree);
}

function positionJson(position: Position): Json {
  return [toDouble(position[0]), toDouble(position[1])];
}

/** Shells are turned counter-clockwise; a rectangle begins at its lower left corner and goes up first. */
function polygonOf(tree: WktTree): Json {
  const rings = itemsOf(tree).map((ring) => itemsOf(ring).flatMap((item) => ('items' in item ? [] : [item])));
  const [shell = [], ...holes] = rings;
  const corners = holes.length === 0 ? rectangle(shell) : null;
  const turned = corners ?? (signedArea(shell) >= 0 ? shell : shell.toReversed());
  return [turned, ...holes].map((ring) => ring.map(positionJson));
}

function rectangle(ring: readonly Position[]): readonly Position[] | null {
  const [xs, ys] = [
    new Set(ring.map((position) => position[0])),
    new Set(ring.map((position) => position[1])),
  ];
  const isOne =
    ring.length === 5 &&
    xs.size === 2 &&
    ys.size === 2 &&
    Math.abs(signedArea(ring)) === spread(xs) * spread(ys);
  return isOne ? box(Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)) : null;
}

function spread(values: ReadonlySet<number>): number {
  return Math.max(...values) - Math.min(...values);
}

function box(minX: number, maxX: number, minY: number, maxY: number): readonly Position[] {
  return [
    [minX, minY],
    [minX, maxY],
    [maxX, maxY],
    [maxX, minY],
    [minX, minY],
  ];
}

function positionsOf(ring: Json): readonly Position[] {
  if (!isJsonArray(ring)) return [];
  return ring.map((item) => {
    const [x, y] = isJsonArray(item) ? item.map(coordinate) : [];
    return [x ?? Number.NaN, y ?? Number.NaN];
  });
}

function signedArea(ring: readonly Position[]): number {
  let area = 0;
  for (let at = 1; at < ring.length; at += 1) {
    const [[x1, y1], [x2, y2]] = [ring[at - 1] ?? [0, 0], ring[at] ?? [0, 0]];
    area += x1 * y2 - x2 * y1;
  }
  return area / 2;
}

/** Throws as the index does for a shape that is unclosed, empty, crosses itself or has holes outside. */
export function checkShape(shape: JsonObject): void {
  const name = shapeName(shape['type']);
  const geometries = shape['geometries'] ?? null;
  if (name === 'GeometryCollection' && isJsonArray(geometries)) {
    for (const geometry of geometries) if (isJsonObject(geometry)) checkShape(geometry);
    return;
  }
  const coordinates = shape['coordinates'] ?? null;
  if (name === undefined || !isJsonArray(coordinates)) return;
  if (!isDrawable(name, coordinates))
    throw invalid(`Cannot convert GeoJSON "${jsonValueText(shape)}" to shape`);
  const polygons = name === 'Polygon' ? [coordinates] : name === 'MultiPolygon' ? coordinates : [];
  for (const polygon of polygons) if (isJsonArray(polygon)) checkPolygon(polygon.map(positionsOf));
}

function isDrawable(name: ShapeName, coordinates: readonly Json[]): boolean {
  switch (name) {
    case 'LineString':
      return coordinates.length >= 2;
    case 'Polygon':
      return coordinates.length > 0 && coordinates.every((ring) => isClosed(positionsOf(ring)));
    case 'MultiPolygon':
      return coordinates.every((polygon) => isJsonArray(polygon) && isDrawable('Polygon', polygon));
    case 'MultiLineString':
      return coordinates.every((line) => isJsonArray(line) && line.length >= 2);
    default:
      return coordinates.length > 0;
  }
}

function isClosed(ring: readonly Position[]): boolean {
  const [first, last] = [ring[0], ring.at(-1)];
  return ring.length >= 4 && first !== undefined && last !== undefined && isSame(first, last);
}

function isSame(a: Position, b: Position): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

function checkPolygon(rings: readonly (readonly Position[])[]): void {
  for (const ring of rings) {
    const doubled = ring.find((position, at) => at > 0 && isSame(position, ring[at - 1] ?? position));
    if (doubled !== undefined)
      throw invalidShape(`Provided shape has duplicate consecutive coordinates at: ${placeText(doubled)}`);
    checkCrossing(ring);
  }
  const [shell = [], ...holes] = rings;
  for (const hole of holes) {
    if (!hole.some((position) => isInside(position, shell)))
      throw invalidShape('Invalid shape: Hole is not within polygon');
  }
}

function invalidShape(message: string): SqlFailure {
  return new SqlFailure(500, 5000, `InvalidShapeException[${message}]`);
}

function placeText(position: Position): string {
  return `(${doubleText(position[0])}, ${doubleText(position[1])}, NaN)`;
}

function isInside(point: Position, ring: readonly Position[]): boolean {
  let inside = false;
  for (let at = 1; at < ring.length; at += 1) {
    const [[x1, y1], [x2, y2]] = [ring[at - 1] ?? [0, 0], ring[at] ?? [0, 0]];
    if (y1 > point[1] !== y2 > point[1] && point[0] < ((x2 - x1) * (point[1] - y1)) / (y2 - y1) + x1)
      inside = !inside;
  }
  return inside;
}

function checkCrossing(ring: readonly Position[]): void {
  const segments = ring.length - 1;
  for (let i = 0; i < segments; i += 1) {
    for (let j = i + 1; j < segments; j += 1) {
      const at = crossing(ring[i], ring[i + 1], ring[j], ring[j + 1]);
      if (at !== null) throw invalidShape(`Self-intersection at or near point ${placeText(at)}`);
    }
  }
}

/** Where two segments cross inside both of them, or null. */
function crossing(a?: Position, b?: Position, c?: Position, d?: Position): Position | null {
  if (a === undefined || b === undefined || c === undefined || d === undefined) return null;
  const denominator = (b[0] - a[0]) * (d[1] - c[1]) - (b[1] - a[1]) * (d[0] - c[0]);
  if (denominator === 0) return null;
  const t = ((c[0] - a[0]) * (d[1] - c[1]) - (c[1] - a[1]) * (d[0] - c[0])) / denominator;
  const u = ((c[0] - a[0]) * (b[1] - a[1]) - (c[1] - a[1]) * (b[0] - a[0])) / denominator;
  if (t <= 0 || t >= 1 || u <= 0 || u >= 1) return null;
  return [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
}
