import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Mending } from './mending.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A map whose network is away, and what is said of it. */
function stage(): { mending: Mending; told: boolean[]; network: { isThere: boolean; tries: number } } {
  const network = { isThere: false, tries: 0 };
  const told: boolean[] = [];
  const redraw = (): Promise<void> => {
    network.tries += 1;
    return network.isThere ? Promise.resolve() : Promise.reject(new Error('away'));
  };
  return { mending: new Mending(redraw, (broken) => told.push(broken), { least: 100, most: 400, draws: 3 }), told, network };
}

test('what could not be loaded is tried after longer and longer waits, and is whole once it rests without a fault', async () => {
  const { mending, told, network } = stage();
  mending.failed();
  mending.rested();
  expect(told).toEqual([true]);
  await vi.advanceTimersByTimeAsync(100 + 200 + 400 + 400);
  expect(network.tries).toBe(4);
  network.isThere = true;
  await vi.advanceTimersByTimeAsync(400);
  expect(network.tries).toBe(5);
  expect(told.at(-1)).toBe(true);
  mending.rested();
  expect(told.at(-1)).toBe(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(network.tries).toBe(5);
});

test('when the network is back it is tried at once, and only where something failed', async () => {
  const { mending, told, network } = stage();
  mending.retry();
  expect(network.tries).toBe(0);
  mending.failed();
  network.isThere = true;
  mending.retry();
  await vi.advanceTimersByTimeAsync(0);
  mending.rested();
  expect([network.tries, told.at(-1)]).toEqual([1, false]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(network.tries).toBe(1);
});

test('what fails again after it was drawn anew is no success', async () => {
  const { mending, told, network } = stage();
  network.isThere = true;
  mending.failed();
  await vi.advanceTimersByTimeAsync(100);
  mending.failed();
  mending.rested();
  expect([network.tries, told.at(-1)]).toEqual([1, true]);
  await vi.advanceTimersByTimeAsync(200);
  expect(network.tries).toBe(2);
});

test('what fails each time it is drawn is left alone until the network is new', async () => {
  const { mending, told, network } = stage();
  network.isThere = true;
  mending.failed();
  for (let time = 0; time < 100; time += 1) {
    await vi.advanceTimersByTimeAsync(100);
    mending.failed();
  }
  expect([network.tries, told.at(-1)]).toEqual([3, true]);
  mending.retry();
  await vi.advanceTimersByTimeAsync(0);
  expect(network.tries).toBe(4);
});

test('a map that is gone is not mended', async () => {
  const { mending, network } = stage();
  mending.failed();
  mending.stop();
  mending.failed();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(network.tries).toBe(0);
});
