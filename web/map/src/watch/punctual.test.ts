import type { LevelDetails } from 'hls.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Punctual } from './punctual.ts';

const NAMED = '/live/a/index.m3u8?_HLS_msn=7';
const TWO_SECONDS = { fragments: [{ duration: 9 }, { duration: 2 }] } as LevelDetails;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** How long a request is kept back, in ms. */
async function keptBack(punctual: Punctual, url: string): Promise<number> {
  const begun = performance.now();
  const asked = punctual.setUp({} as XMLHttpRequest, url).then(() => performance.now());
  await vi.runAllTimersAsync();
  return (await asked) - begun;
}

/** The server keeps a request waiting for so long. */
function answered(punctual: Punctual, after: number): void {
  vi.advanceTimersByTime(after);
  punctual.came(TWO_SECONDS, performance.now());
}

test('what names no segment to come is not kept back', async () => {
  const punctual = new Punctual();
  answered(punctual, 5);
  expect(await keptBack(punctual, '/live/a/index.m3u8')).toBe(0);
  expect(await keptBack(punctual, '/live/a/7.ts')).toBe(0);
});

test('a segment whose time is not known is asked for early, and then shortly before it is due', async () => {
  const punctual = new Punctual();
  answered(punctual, 5);
  expect(await keptBack(punctual, NAMED)).toBe(1_000);
  answered(punctual, 400);
  expect(await keptBack(punctual, NAMED)).toBe(1_700);
  answered(punctual, 310);
  expect(await keptBack(punctual, NAMED)).toBe(1_700);
});

test('a request that came too late to be waited for is followed by an early one', async () => {
  const punctual = new Punctual();
  answered(punctual, 5);
  await keptBack(punctual, NAMED);
  answered(punctual, 400);
  await keptBack(punctual, NAMED);
  answered(punctual, 5);
  expect(await keptBack(punctual, NAMED)).toBe(1_000);
});
