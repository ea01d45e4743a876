/** Places around one: alike by area, on the earth, also where its numbers end. Fixed seeds, so no chance. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KM_PER_DEGREE } from '../../../src/rows/geo.ts';
import { chiSquareScore, countsOf } from '../statistics.ts';
import { valuesOf } from '../support.ts';

type Place = readonly [lon: number, lat: number];

const around = async (lon: number, lat: number, radiusKm: number): Promise<readonly Place[]> =>
  (await valuesOf(
    { type: { kind: 'geo_point' }, generator: { kind: 'geoAround', lon, lat, radiusKm } },
    20_000,
  )) as readonly Place[];

/** Kilometres along a great circle (haversine), and the direction in turns. */
function from([lon, lat]: Place, [otherLon, otherLat]: Place): { km: number; turn: number } {
  const [a, b, across] = [lat, otherLat, otherLon - lon].map((degrees) => (degrees * Math.PI) / 180) as [
    number,
    number,
    number,
  ];
  const half = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(across / 2) ** 2;
  const angle = Math.atan2(b - a, across * Math.cos((a + b) / 2));
  return {
    km: (2 * Math.asin(Math.sqrt(half)) * 180 * KM_PER_DEGREE) / Math.PI,
    turn: angle / (2 * Math.PI) + 0.5,
  };
}

const even = (cells: number): number[] => new Array<number>(cells).fill(1);

describe('places around one', () => {
  it('are alike in rings of one area and in all directions', async () => {
    for (const [lon, lat, radiusKm] of [
      [9.7, 47.4, 50],
      [0, 0, 1],
      [-70, -60, 300],
    ] as const) {
      const places = (await around(lon, lat, radiusKm)).map((place) => from([lon, lat], place));
      // The shape is a circle on the map whose areas are true: on the globe it differs a little.
      assert.ok(Math.max(...places.map(({ km }) => km)) < radiusKm * 1.02);
      const rings = places.map(({ km }) => Math.min(Math.floor((km / radiusKm) ** 2 * 10), 9));
      assert.ok(chiSquareScore(countsOf(rings, 10), even(10)) < 5, `${lat}: ${countsOf(rings, 10).join()}`);
      const directions = places.map(({ turn }) => Math.min(Math.floor(turn * 16), 15));
      assert.ok(
        chiSquareScore(countsOf(directions, 16), even(16)) < 5,
        `${lat}: ${countsOf(directions, 16).join()}`,
      );
    }
  });

  it('are on both sides of the date line', async () => {
    const longitudes = (await around(179.9, -17, 60)).map(([lon]) => lon);
    assert.ok(longitudes.every((lon) => lon < -179 || (lon > 179 && lon <= 180)));
    assert.ok(longitudes.some((lon) => lon < 0) && longitudes.some((lon) => lon > 0));
  });

  it('have as much area to the north as to the south where the disc is half the earth wide', async () => {
    const places = await around(20, 40, 4900);
    // Areas between circles of latitude grow with the sine; the disc has its own width at each.
    const north = places.filter(([, lat]) => lat > 40).length;
    assert.ok(Math.abs(north - 10_000) < 400, `${north}`);
    assert.ok(places.every(([lon, lat]) => Math.abs(lon) <= 180 && lat <= 85 && lat >= -5));
  });
});
