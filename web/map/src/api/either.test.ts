import { afterEach, expect, test, vi } from 'vitest';
import { ask } from './ask.ts';
import { cursorQuery } from './documents.ts';
import { either } from './either.ts';

afterEach(() => vi.unstubAllGlobals());

/** A signal that counts who listens to it. */
function counted(): { controller: AbortController; listeners(): number } {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = ((...heard: Parameters<typeof add>) => ((listeners += 1), add(...heard))) as typeof add;
  signal.removeEventListener = ((...heard: Parameters<typeof remove>) => ((listeners -= 1), remove(...heard))) as typeof remove;
  return { controller, listeners: () => listeners };
}

const untilAborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }));

test('either signal ends the work, with its own reason', async () => {
  for (const which of [0, 1]) {
    const both = [new AbortController(), new AbortController()] as const;
    const over = either(both[0].signal, both[1].signal, untilAborted);
    both[which]?.abort(`by ${which}`);
    expect(await over).toBe(`by ${which}`);
  }
});

test('a signal that is aborted already ends the work before it begins', async () => {
  const over = either(new AbortController().signal, AbortSignal.abort('before'), (signal) => Promise.resolve(signal.reason));
  expect(await over).toBe('before');
});

test('nothing listens once the work is over, however it ended', async () => {
  const [one, other] = [counted(), counted()];
  await either(one.controller.signal, other.controller.signal, async () => expect([one.listeners(), other.listeners()]).toEqual([1, 1]));
  const failed = either(one.controller.signal, other.controller.signal, () => Promise.reject(new Error('failed')));
  await expect(failed).rejects.toThrow('failed');
  expect([one.listeners(), other.listeners()]).toEqual([0, 0]);
});

test('a question is asked where AbortSignal.any is missing, and can be given up', async () => {
  vi.stubGlobal('AbortSignal', Object.assign(Object.create(AbortSignal) as object, { any: undefined }));
  const asked: AbortSignal[] = [];
  vi.stubGlobal('fetch', (_: string, { signal }: { signal: AbortSignal }) => {
    asked.push(signal);
    return Promise.resolve(new Response(JSON.stringify({ data: { map: { cursor: '7' } } })));
  });
  const giveUp = new AbortController();
  const bbox = { west: 0, south: 0, east: 1, north: 1 };
  await expect(ask(cursorQuery, { bbox }, giveUp.signal)).resolves.toEqual({ map: { cursor: '7' } });
  vi.stubGlobal('fetch', (_: string, { signal }: { signal: AbortSignal }) => untilAborted(signal).then((reason) => Promise.reject(reason)));
  const never = ask(cursorQuery, { bbox }, giveUp.signal);
  giveUp.abort(new Error('given up'));
  await expect(never).rejects.toThrow('given up');
  expect(asked).toHaveLength(1);
});
