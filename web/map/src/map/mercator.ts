// What a map shows of the earth, in Web Mercator: known before there is a map, so that what stands there can be asked for
// while the map's code is still on its way.
import { type Box, type Point, wrapped } from './geo.ts';

/** Where a map looks: its middle, and how near. */
export interface Camera extends Point {
  readonly zoom: number;
}

/** The size of a map on the screen, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Korea, where nothing else is asked for. */
export const HOME: Camera = { longitude: 127.8, latitude: 36.2, zoom: 6.1 };
/** No map comes nearer. */
export const MAX_ZOOM = 18;
/** Around a box that is shown as a whole, in pixels. */
export const BOX_MARGIN = 24;
/** How large the world is at zoom 0, in pixels. */
const TILE = 512;
/** How far north and south the projection reaches, in degrees. */
const EDGE = 85.051129;

/** What a map of this size shows there, in Web Mercator; its edges may lie past the antimeridian. */
export function seenFrom({ longitude, latitude, zoom }: Camera, { width, height }: Size): Box {
  const world = TILE * 2 ** zoom;
  const [wide, high] = [((width / world) * 360) / 2, height / world / 2];
  const middle = down(latitude);
  return { west: longitude - wide, south: latitudeAt(middle + high), east: longitude + wide, north: latitudeAt(middle - high) };
}

/** From where a map of this size shows the whole box. */
export function fitting(box: Box, { width, height }: Size): Camera {
  const across = (box.east < box.west ? box.east + 360 : box.east) - box.west;
  const [top, bottom] = [down(box.north), down(box.south)];
  const fits = (room: number, part: number): number => Math.log2(Math.max(room - 2 * BOX_MARGIN, 1) / (Math.max(part, 1e-12) * TILE));
  const zoom = Math.min(fits(width, across / 360), fits(height, bottom - top), MAX_ZOOM);
  return { longitude: wrapped(box.west + across / 2), latitude: latitudeAt((top + bottom) / 2), zoom };
}

/** How far a latitude is from the upper edge of the world, as a part of its height. */
function down(latitude: number): number {
  const radians = (Math.min(Math.max(latitude, -EDGE), EDGE) * Math.PI) / 180;
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + radians / 2)) / (2 * Math.PI);
}

function latitudeAt(part: number): number {
  return (Math.atan(Math.sinh(Math.PI * (1 - 2 * part))) * 180) / Math.PI;
}
