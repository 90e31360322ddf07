import { expect, test } from 'vitest';
import { NO_FILTERS, read, sinceOf, write } from './address.ts';

const url = (text: string): URL => new URL(text, 'https://map.example');

test('what is written is read again', () => {
  const what = {
    item: 'str_abc',
    camera: { longitude: 126.9784, latitude: 37.5667, zoom: 11.25 },
    filters: { kinds: ['STREAM', 'CCTV'], categories: ['FLOOD', 'OTHER'], period: 'day' },
  } as const;
  const text = write(url('/?lang=ko'), what);
  expect(text).toBe('/s/str_abc?lang=ko&at=37.56670,126.97840,11.25&show=stream.cctv&hazards=flood.other&since=day');
  expect(read(url(text))).toEqual({ page: 'map', bbox: null, ...what });
});

test('an address that says nothing is the plain map', () => {
  const plain = { page: 'map', item: null, camera: null, bbox: null, filters: NO_FILTERS };
  for (const text of ['/', '/s/', '/?at=1,2&show=x&hazards=&since=ever', '/?at=91,0,3', '/?at=0,0,99', '/?bbox=1,2,3']) {
    expect(read(url(text)), text).toEqual(plain);
  }
  expect(write(url('/s/x?at=1,2,3&show=vod'), { item: null, camera: null, filters: NO_FILTERS })).toBe('/');
});

test('a wall and an embedded map keep their page and their box', () => {
  const address = read(url('/embed?bbox=124,33,132,39'));
  expect(address.page).toBe('embed');
  expect(address.bbox).toEqual({ west: 124, south: 33, east: 132, north: 39 });
  expect(write(url('/embed?bbox=124,33,132,39'), { item: 'str_a', camera: null, filters: NO_FILTERS })).toBe(
    '/embed?bbox=124,33,132,39',
  );
  expect(read(url('/wall')).page).toBe('wall');
});

test('a period begins on a full minute', () => {
  const at = Date.parse('2030-01-02T03:04:05.678Z');
  expect(sinceOf('any', at)).toBeNull();
  expect(sinceOf('hour', at)).toBe('2030-01-02T02:04:00.000Z');
  expect(sinceOf('week', at)).toBe('2029-12-26T03:04:00.000Z');
});
