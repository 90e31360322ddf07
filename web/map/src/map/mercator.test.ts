import { expect, test } from 'vitest';
import { BOX_MARGIN, fitting, seenFrom } from './mercator.ts';

const SIZE = { width: 1024, height: 512 };

test('at zoom 0 the world is 512 pixels wide and high, and goes on to both sides', () => {
  const seen = seenFrom({ longitude: 0, latitude: 0, zoom: 0 }, SIZE);
  expect([seen.west, seen.east]).toEqual([-360, 360]);
  expect(seen.north).toBeCloseTo(85.0511, 4);
  expect(seen.south).toBeCloseTo(-85.0511, 4);
});

test('each zoom shows half of what the one before showed, and north is farther from the middle than south is', () => {
  const at = (zoom: number): number => {
    const { west, east } = seenFrom({ longitude: 127, latitude: 60, zoom }, SIZE);
    return east - west;
  };
  expect(at(5) / at(6)).toBeCloseTo(2, 9);
  const { south, north } = seenFrom({ longitude: 127, latitude: 60, zoom: 4 }, SIZE);
  expect(60 - south).toBeGreaterThan(north - 60);
});

test('a box that is fitted is seen whole, and fills the map one way but for the margin', () => {
  for (const box of [
    { west: 124, south: 33, east: 132, north: 39 },
    { west: 170, south: -20, east: -170, north: -19 },
  ]) {
    const camera = fitting(box, SIZE);
    const within = { width: SIZE.width - 2 * BOX_MARGIN, height: SIZE.height - 2 * BOX_MARGIN };
    const seen = seenFrom(camera, within);
    const across = (box.east - box.west + 360) % 360;
    const [spareWide, spareHigh] = [seen.east - seen.west - across, seen.north - seen.south - (box.north - box.south)];
    expect(Math.min(spareWide, spareHigh)).toBeCloseTo(0, 6);
    expect(Math.max(spareWide, spareHigh)).toBeGreaterThan(0);
  }
});
