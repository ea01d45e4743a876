/** Places on the earth in whole numbers: millionths of a degree, about 0.1 m. */

/** Decimals of a degree. */
export const DEGREE_SCALE = 6;
export const DEGREE = 10 ** DEGREE_SCALE;

/** Of a sphere with a radius of 6,371 km, along a meridian. */
export const KM_PER_DEGREE = 111.195;

export const millionths = (degrees: number): number => Math.round(degrees * DEGREE);

/** The latitudes of a disc around a place, and its radius, in millionths of a degree. */
export function discAround({ lat, radiusKm }: { readonly lat: number; readonly radiusKm: number }): {
  south: number;
  north: number;
  radius: number;
} {
  const radius = Math.max(millionths(radiusKm / KM_PER_DEGREE), 1);
  return { south: millionths(lat) - radius, north: millionths(lat) + radius, radius };
}
