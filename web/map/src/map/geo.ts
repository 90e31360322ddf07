// Boxes on the earth: west-south-east-north in degrees; one whose west is greater than its east crosses the antimeridian.

export interface Point {
  readonly longitude: number;
  readonly latitude: number;
}

export interface Box {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

/** All of the earth. */
export const WORLD: Box = { west: -180, south: -90, east: 180, north: 90 };

/** A longitude in -180 to 180, whatever way it was counted. */
export function wrapped(longitude: number): number {
  return ((((longitude + 180) % 360) + 360) % 360) - 180;
}

/** The box of a view whose edges may lie past the antimeridian, a little wider than what is seen. */
export function boxOf(view: Box, margin: number): Box {
  const wide = (view.east - view.west) * margin;
  const high = (view.north - view.south) * margin;
  const south = Math.max(view.south - high, -90);
  const north = Math.min(view.north + high, 90);
  if (view.east - view.west + 2 * wide >= 360) {
    return { ...WORLD, south, north };
  }
  return { west: wrapped(view.west - wide), south, east: wrapped(view.east + wide), north };
}

/** Whether the point lies in the box; edges belong to it. */
export function holds(box: Box, point: Point): boolean {
  const { longitude, latitude } = point;
  const across =
    box.west <= box.east ? longitude >= box.west && longitude <= box.east : longitude >= box.west || longitude <= box.east;
  return across && latitude >= box.south && latitude <= box.north;
}

/** Whether two boxes differ by less than the given part of their width and height. */
export function isNearly(a: Box, b: Box, part: number): boolean {
  const wide = part * (a.east < a.west ? a.east - a.west + 360 : a.east - a.west);
  const high = part * (a.north - a.south);
  const near = (from: number, to: number, room: number): boolean => Math.abs(from - to) <= room;
  return near(a.west, b.west, wide) && near(a.east, b.east, wide) && near(a.south, b.south, high) && near(a.north, b.north, high);
}

/** A box of a few metres around a point. */
export function around(point: Point, degrees = 0.0005): Box {
  return {
    west: wrapped(point.longitude - degrees),
    south: Math.max(point.latitude - degrees, -90),
    east: wrapped(point.longitude + degrees),
    north: Math.min(point.latitude + degrees, 90),
  };
}

/** Reads `west,south,east,north`; `undefined` if it is no box. */
export function parseBox(text: string | null): Box | undefined {
  const [west, south, east, north, ...more] = (text ?? '').split(',').map((part) => (part.trim() ? Number(part) : NaN));
  const inside = (value: number | undefined, most: number): value is number => Math.abs(value ?? NaN) <= most;
  if (more.length || !inside(west, 180) || !inside(east, 180) || !inside(south, 90) || !inside(north, 90)) {
    return undefined;
  }
  return south <= north ? { west, south, east, north } : undefined;
}
