/**
 * Points and shapes: GeoJSON and WKT in, GeoJSON out, and the checks that CrateDB makes when it indexes a shape.
 * Points lose some precision in the index, so a scan reads them back slightly moved.
 */
import { isJsonArray, isJsonObject, JavaDouble, JsonSyntaxError, parseJson, toDouble, type Json, type JsonObject } from './json.ts';
import { doubleText, jsonValueText } from './java-text.ts';
import { invalid, SqlFailure } from './failure.ts';

type Position = readonly [number, number];

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const WKT_POINT = new RegExp(String.raw`^\s*POINT\s*\(\s*(${NUMBER})\s+(${NUMBER})\s*\)\s*$`, 'i');

/** [longitude, latitude] of an array, a WKT point or the text of an array; null when it is none or out of range. */
export function parseGeoPoint(value: Json): readonly number[] | null {
  if (typeof value === 'string') return pointOfText(value);
  if (!isJsonArray(value) || value.length !== 2) return null;
  const [lon, lat] = value.map(coordinate);
  return lon === undefined || lat === undefined ? null : inRange(lon ?? Number.NaN, lat ?? Number.NaN);
}

function pointOfText(text: string): readonly number[] | null {
  if (/^\s*\[.*\]\s*$/s.test(text)) {
    const list = jsonOrNull(text);
    return isJsonArray(list) ? parseGeoPoint(list) : null;
  }
  const match = WKT_POINT.exec(text);
  return match === null ? null : inRange(Number(match[1]), Number(match[2]));
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

function inRange(lon: number, lat: number): readonly number[] | null {
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 90 ? [lon, lat] : null;
}

const CELLS = 2 ** 32;

/** What the index keeps of a point: 32 bits a coordinate. https://lucene.apache.org/core/ (GeoEncodingUtils) */
export function quantisedPoint(point: readonly number[]): readonly number[] {
  const [lon = 0, lat = 0] = point;
  return [quantised(lon, 360), quantised(lat, 180)];
}

function quantised(value: number, span: number): number {
  const step = span / CELLS;
  return Math.min(Math.floor(value / step), CELLS / 2 - 1) * step;
}

const SHAPE_NAMES = ['Point', 'MultiPoint', 'LineString', 'MultiLineString', 'Polygon', 'MultiPolygon', 'GeometryCollection'] as const;
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
  const parts = geometries.map((geometry) => (isJsonObject(geometry) ? shapeFromJson(geometry) : null));
  if (parts.includes(null)) return null;
  const kept = parts.filter((part) => part !== null);
  const types = new Set(kept.map((part) => part['type']));
  const target = types.size === 1 ? COLLECTED[String([...types][0])] : undefined;
  if (target === undefined) return { type: 'GeometryCollection', geometries: kept };
  return { type: target, coordinates: kept.map((part) => part['coordinates'] ?? null) };
}

function hasPositions(value: Json, depth: number): boolean {
  if (!isJsonArray(value)) return false;
  if (depth > 0) return value.every((item) => hasPositions(item, depth - 1));
  const [lon, lat] = [coordinate(value[0] ?? null), coordinate(value[1] ?? null)];
  return lon !== null && lat !== null && inRange(lon, lat) !== null;
}

/** WKT as GeoJSON with doubles, or null. Rings are turned and rotated as the server's geometry library does. */
export function shapeFromText(text: string): JsonObject | null {
  const match = /^\s*([a-z]+)\s*(\(.*\))\s*$/is.exec(text);
  const name = SHAPE_NAMES.find((known) => known.toUpperCase() === match?.[1]?.toUpperCase());
  if (match === null || name === undefined || name === 'GeometryCollection') return null;
  const nested = nestedOfText(match[2] ?? '', name === 'MultiPoint');
  if (nested === null) return null;
  const coordinates = name === 'Point' || name === 'LineString' ? nested : normaliseRings(nested, DEPTH[name], name);
  const unwrapped = name === 'Point' && isJsonArray(coordinates) ? (coordinates[0] ?? null) : coordinates;
  return hasPositions(unwrapped, DEPTH[name]) ? { coordinates: unwrapped, type: name } : null;
}

/** `((1 2, 3 4))` → `[[[1,2],[3,4]]]`, by way of JSON. */
function nestedOfText(text: string, points: boolean): Json {
  const flat = points ? text.replace(/\(\s*([^(),]+?)\s*\)/g, '$1').replace(/^\s*([^(].*)$/s, '($1)') : text;
  const pairs = flat.replace(new RegExp(`(${NUMBER})\\s+(${NUMBER})`, 'g'), (_, x: string, y: string) => {
    return `[${positionText(x)},${positionText(y)}]`;
  });
  const list = jsonOrNull(pairs.replaceAll('(', '[').replaceAll(')', ']'));
  return isJsonArray(list) ? list : null;
}

function positionText(text: string): string {
  return doubleText(Number(text));
}

function normaliseRings(value: Json, depth: number, name: ShapeName): Json {
  if (!isJsonArray(value) || (name !== 'Polygon' && name !== 'MultiPolygon')) return value;
  if (depth > 2) return value.map((polygon) => normaliseRings(polygon, depth - 1, name));
  return value.map((ring, index) => turnRing(positionsOf(ring), index === 0)).map((ring) => ring.map(positionJson));
}

function positionJson(position: Position): Json {
  return [toDouble(position[0]), toDouble(position[1])];
}

function positionsOf(ring: Json): readonly Position[] {
  if (!isJsonArray(ring)) return [];
  return ring.map((item) => {
    const [x, y] = isJsonArray(item) ? item.map(coordinate) : [];
    return [x ?? Number.NaN, y ?? Number.NaN];
  });
}

/** Shells counter-clockwise, holes clockwise, the start kept. */
function turnRing(ring: readonly Position[], shell: boolean): readonly Position[] {
  return signedArea(ring) > 0 === shell ? ring : ring.toReversed();
}

function signedArea(ring: readonly Position[]): number {
  let area = 0;
  for (let at = 1; at < ring.length; at += 1) {
    const [[x1, y1], [x2, y2]] = [ring[at - 1] ?? [0, 0], ring[at] ?? [0, 0]];
    area += x1 * y2 - x2 * y1;
  }
  return area / 2;
}

/** Throws as the index does for a shape that is unclosed, empty or crosses itself. */
export function checkShape(shape: JsonObject): void {
  const name = shapeName(shape['type']);
  const geometries = shape['geometries'] ?? null;
  if (name === 'GeometryCollection' && isJsonArray(geometries)) {
    for (const geometry of geometries) if (isJsonObject(geometry)) checkShape(geometry);
    return;
  }
  const coordinates = shape['coordinates'] ?? null;
  if (name === undefined || !isJsonArray(coordinates)) return;
  if (!isDrawable(name, coordinates)) throw invalid(`Cannot convert GeoJSON "${jsonValueText(shape)}" to shape`);
  const polygons = name === 'Polygon' ? [coordinates] : name === 'MultiPolygon' ? coordinates : [];
  for (const polygon of polygons) {
    if (!isJsonArray(polygon)) continue;
    for (const ring of polygon) checkCrossing(positionsOf(ring));
  }
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
  return ring.length >= 4 && first !== undefined && last !== undefined && first[0] === last[0] && first[1] === last[1];
}

function checkCrossing(ring: readonly Position[]): void {
  const segments = ring.length - 1;
  for (let i = 0; i < segments; i += 1) {
    for (let j = i + 1; j < segments; j += 1) {
      const at = crossing(ring[i], ring[i + 1], ring[j], ring[j + 1]);
      if (at === null) continue;
      const where = `(${doubleText(at[0])}, ${doubleText(at[1])}, NaN)`;
      throw new SqlFailure(500, 5000, `InvalidShapeException[Self-intersection at or near point ${where}]`);
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

