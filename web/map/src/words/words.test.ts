import { expect, test } from 'vitest';
import { en } from './en.ts';
import { ko } from './ko.ts';
import { ago, clock } from './time.ts';

/** Every leaf of a dictionary by its path, functions called with numbers or texts. */
function leaves(words: object, path = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    const name = path ? `${path}.${key}` : key;
    if (typeof value === 'function') {
      found.set(name, String((value as (...args: unknown[]) => unknown)(7, 9)));
    } else if (typeof value === 'object') {
      leaves(value as object, name).forEach((text, inner) => found.set(inner, text));
    } else {
      found.set(name, String(value));
    }
  }
  return found;
}

test('every word has a translation, and none is left in English', () => {
  const same = ['name', 'otherLanguage', 'language', 'kind.CCTV'];
  const [english, korean] = [leaves(en), leaves(ko)];
  expect([...korean.keys()].sort()).toEqual([...english.keys()].sort());
  for (const [name, text] of korean) {
    expect(text, name).not.toBe('');
    expect(same.includes(name) || /[가-힣]/.test(text) || /^[\d\s%]+$/.test(text), `${name}: ${text}`).toBe(true);
  }
});

test('a moment is told by its largest unit', () => {
  const at = Date.parse('2030-01-10T00:00:00Z');
  const said = (text: string): string => ago(text, at, 'en', 'now');
  expect(said('2030-01-09T23:59:30Z')).toBe('now');
  expect(said('2030-01-11T00:00:00Z')).toBe('now');
  expect(said('2030-01-09T23:59:10Z')).toBe('1 min. ago');
  expect(said('2030-01-09T22:01:00Z')).toBe('1 hr. ago');
  expect(said('2030-01-05T00:00:00Z')).toBe('5 days ago');
  expect(ago('2030-01-09T23:50:00Z', at, 'ko', '방금')).toBe('10분 전');
});

test('a length is told as a clock shows it', () => {
  expect([0, 999, 42_000, 3_723_000].map(clock)).toEqual(['0:00', '0:00', '0:42', '1:02:03']);
});
