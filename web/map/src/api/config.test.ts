import { expect, test } from 'vitest';
import { isAllowed } from './config.ts';

const PAGE = 'https://map.example/s/x';

test('a page may load from its own site and from those that are named', () => {
  const sources = ['https://cams.example', 'https://*.cdn.example:8443', 'http://plain.example'];
  for (const address of [
    '/vod/x/index.m3u8',
    'https://map.example/live/x',
    'https://cams.example/a.jpg',
    'https://a.b.cdn.example:8443/x',
    'http://plain.example/x',
    'https://plain.example/x',
  ]) {
    expect(isAllowed(address, sources, PAGE), address).toBe(true);
  }
});

test('it may not load from any other', () => {
  const sources = ['https://cams.example', 'https://*.cdn.example:8443'];
  for (const address of [
    'http://cams.example/a.jpg',
    'https://cams.example:444/a.jpg',
    'https://cdn.example:8443/x',
    'https://evilcdn.example:8443/x',
    'https://other.example/',
  ]) {
    expect(isAllowed(address, sources, PAGE), address).toBe(false);
  }
});
