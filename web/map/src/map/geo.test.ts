import { expect, test } from 'vitest';
import { around, boxOf, holds, isNearly, parseBox, wrapped } from './geo.ts';

test('a longitude is the same however often it went round', () => {
  expect([190, -190, 540, 0, 180].map(wrapped)).toEqual([-170, 170, -180, 0, -180]);
});

test('a view across the antimeridian is a box whose west is greater than its east', () => {
  const box = boxOf({ west: 170, south: -10, east: 190, north: 10 }, 0);
  expect(box).toEqual({ west: 170, south: -10, east: -170, north: 10 });
  expect(holds(box, { longitude: 179, latitude: 0 })).toBe(true);
  expect(holds(box, { longitude: -179, latitude: 0 })).toBe(true);
  expect(holds(box, { longitude: 0, latitude: 0 })).toBe(false);
});

test('a view of more than the world is the world', () => {
  expect(boxOf({ west: -300, south: -95, east: 300, north: 95 }, 0.1)).toEqual({ west: -180, south: -90, east: 180, north: 90 });
});

test('the margin makes the box wider on every side', () => {
  expect(boxOf({ west: 126, south: 36, east: 128, north: 38 }, 0.5)).toEqual({ west: 125, south: 35, east: 129, north: 39 });
});

test('a box around a point holds it, also at the antimeridian', () => {
  const point = { longitude: 180, latitude: 90 };
  expect(holds(around(point), point)).toBe(true);
});

test('only four numbers in range are a box', () => {
  expect(parseBox('124,33,132,39')).toEqual({ west: 124, south: 33, east: 132, north: 39 });
  for (const wrong of [null, '', '1,2,3', '1,2,3,4,5', '1,,3,4', 'a,b,c,d', '0,50,10,40', '200,0,10,10']) {
    expect(parseBox(wrong), String(wrong)).toBeUndefined();
  }
});

test('boxes are nearly one if each edge is, also across the antimeridian', () => {
  const box = { west: 179, south: 0, east: -179, north: 10 };
  expect(isNearly(box, { ...box, west: 179.009, north: 10.04 }, 0.005)).toBe(true);
  expect(isNearly(box, { ...box, west: 179.011 }, 0.005)).toBe(false);
  expect(isNearly(box, { ...box, north: 10.06 }, 0.005)).toBe(false);
});
