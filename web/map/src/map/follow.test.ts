import { expect, test, vi } from 'vitest';
import type { Cluster, Item, MapAnswer, MapEvent } from '../api/documents.ts';
import { Refused, Unreachable } from '../api/fault.ts';
import { Follower, type Link, type Source } from './follow.ts';
import type { State, Wanted } from './state.ts';

const WANTED: Wanted = {
  bbox: { west: -180, south: -90, east: 180, north: 90 },
  zoom: 1,
  kinds: [],
  categories: [],
  since: null,
  most: 160,
};
const PACE = { least: 1, most: 4, stale: 5, age: 60_000 };

const camera = (id: string): Item => ({
  __typename: 'Cctv',
  id,
  title: id,
  position: { longitude: 0, latitude: 0 },
  thumbnailUrl: null,
  cctvStatus: 'LIVE',
  kind: 'IMAGE',
  source: 'test',
  observedAt: null,
});
const event = (number: number): MapEvent =>
  ({ __typename: 'CctvChanged', cursor: String(number), itemId: `i${number}`, item: camera(`i${number}`) }) as MapEvent;

/** A log whose reader is broken off after every so many events, as a network would. */
class Log implements Source {
  readonly reads: number[] = [];
  readonly afters: string[] = [];
  clusters: Cluster[] = [];
  oldest = 0;
  /** How often its events cannot be had. */
  unreached = 0;

  constructor(
    public length: number,
    readonly breaks: number,
    public failures = 0,
  ) {}

  read(_?: Wanted): Promise<MapAnswer> {
    if (this.failures-- > 0) {
      return Promise.reject(new Unreachable('away'));
    }
    this.reads.push(this.length);
    const items = Array.from({ length: this.oldest }, (_, index) => camera(`i${index + 1}`));
    return Promise.resolve({ cursor: String(this.oldest), items, clusters: this.clusters } as unknown as MapAnswer);
  }

  async *events(_: Wanted, after: string, signal: AbortSignal, opened: () => void): AsyncGenerator<MapEvent> {
    this.afters.push(after);
    if (this.unreached-- > 0) {
      throw new Unreachable('away');
    }
    opened();
    if (Number(after) < this.oldest) {
      throw new Refused([{ message: 'too old', extensions: { code: 'BAD_INPUT', field: 'after' } }]);
    }
    for (let number = Number(after) + 1, told = 0; number <= this.length; number += 1, told += 1) {
      if (told === this.breaks) {
        throw new Unreachable('broken off');
      }
      yield event(number);
    }
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  }
}

/** Follows until the state is as it should be; what was told on the way. */
async function follow(log: Source, enough: (state: State) => boolean): Promise<{ states: State[]; links: Link[] }> {
  const states: State[] = [];
  const links: Link[] = [];
  await new Promise<void>((resolve) => {
    const follower = new Follower(
      log,
      {
        link: (link) => links.push(link),
        state: (state) => {
          states.push(state);
          if (enough(state)) {
            follower.stop();
            resolve();
          }
        },
      },
      PACE,
    );
    follower.watch(() => WANTED);
  });
  return { states, links };
}

test('events are told in order and each once, however often the connection breaks', async () => {
  const log = new Log(20, 3);
  const { states, links } = await follow(log, (state) => state.cursor === '20');
  const cursors = states.map((state) => Number(state.cursor));
  expect([...new Set(cursors)]).toEqual(Array.from({ length: 21 }, (_, index) => index));
  expect(log.afters).toEqual(['0', '3', '6', '9', '12', '15', '18']);
  expect(log.reads).toHaveLength(1);
  expect(links).toContain('broken');
  expect(links.at(-2)).toBe('following');
});

test('a server that is away is asked until it answers', async () => {
  const log = new Log(1, 10, 4);
  const { links } = await follow(log, (state) => state.cursor === '1');
  expect(links.slice(0, 5)).toEqual(['opening', 'broken', 'broken', 'broken', 'broken']);
});

test('where the log no longer reaches back, the map is read again', async () => {
  const log = new Log(8, 2);
  const { states } = await follow(log, (state) => {
    if (state.cursor === '2') {
      log.oldest = 6;
    }
    return state.cursor === '8';
  });
  expect(log.reads).toHaveLength(2);
  expect([...(states.at(-1)?.items.keys() ?? [])]).toHaveLength(8);
});

test('who read too slowly goes on where the server says', async () => {
  const log = new Log(4, 99);
  const events = log.events.bind(log);
  let first = true;
  log.events = async function* (wanted, after, signal, opened) {
    if (first) {
      first = false;
      yield event(1);
      throw new Refused([{ message: 'too slow', extensions: { code: 'UNAVAILABLE', resumeAfter: '2' } }]);
    }
    yield* events(wanted, after, signal, opened);
  };
  const { states } = await follow(log, (state) => state.cursor === '4');
  expect(log.afters).toEqual(['2']);
  expect(states.at(-1)?.items.has('i2')).toBe(false);
});

test('stale counts make the map be read again, while its events go on', async () => {
  const log = new Log(1, 99);
  log.clusters = [{ id: 'c', count: 3, bbox: { west: -1, south: -1, east: 1, north: 1 } } as Cluster];
  const { links } = await follow(log, () => log.reads.length === 2);
  expect(log.reads).toHaveLength(2);
  expect(log.afters).toEqual(['0']);
  expect(new Set(links)).toEqual(new Set(['opening', 'following']));
});

test('what is told while the map is read again is not lost', async () => {
  const log = new Log(0, 99);
  log.clusters = [{ id: 'c', count: 3, bbox: { west: -1, south: -1, east: 1, north: 1 } } as Cluster];
  const elsewhere = { ...event(2), item: { ...camera('i2'), position: { longitude: 9, latitude: 9 } } } as MapEvent;
  let answer: (() => void) | undefined;
  const read = log.read.bind(log);
  log.read = async () => {
    const early = await read();
    if (log.reads.length === 2) {
      await new Promise<void>((resolve) => (answer = resolve));
    }
    return early;
  };
  log.events = async function* (_, __, signal) {
    yield event(1);
    await expect.poll(() => answer).toBeDefined();
    yield elsewhere;
    answer?.();
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  };
  let told = false;
  const { states } = await follow(log, ({ items }) => {
    const both = told && items.has('i2');
    told = items.has('i2');
    return both;
  });
  expect(states.at(-1)?.cursor).toBe('2');
});

test('an answer grows old: it is read again, with the period of that moment, if somebody looks', async () => {
  vi.useFakeTimers();
  try {
    const log = new Log(0, 99);
    const asked: (string | null)[] = [];
    const read = log.read.bind(log);
    log.read = (wanted?: Wanted) => (asked.push(wanted?.since ?? null), read());
    const links: Link[] = [];
    const follower = new Follower(log, { link: (link) => links.push(link), state: () => undefined }, { ...PACE, age: 1_000 });
    let minute = 0;
    follower.watch(() => ({ ...WANTED, since: `minute ${(minute += 1)}` }));
    await vi.advanceTimersByTimeAsync(999);
    expect(asked).toEqual(['minute 1']);
    await vi.advanceTimersByTimeAsync(501);
    expect(asked).toEqual(['minute 1', 'minute 2']);
    follower.show(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(2);
    follower.show(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual(['minute 1', 'minute 2', 'minute 3']);
    expect(log.afters, 'nothing is subscribed to anew').toEqual(['0']);
    expect(new Set(links)).toEqual(new Set(['opening', 'following']));
    follower.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(3);
  } finally {
    vi.useRealTimers();
  }
});

test('after a break nothing is said to be up to date before the server is reached', async () => {
  const log = new Log(6, 3);
  const events = log.events.bind(log);
  log.events = (...asked) => {
    log.unreached = log.afters.length === 1 ? 3 : log.unreached;
    return events(...asked);
  };
  const { links } = await follow(log, (state) => state.cursor === '6');
  const changes = links.filter((link, index) => link !== links[index - 1]);
  expect(changes.slice(0, 4)).toEqual(['opening', 'following', 'broken', 'following']);
  expect(links.filter((link) => link === 'broken')).toHaveLength(4);
});

test('what is no longer looked at tells nothing more', async () => {
  const log = new Log(0, 99);
  const told: string[] = [];
  const follower = new Follower(log, { link: () => undefined, state: (state) => told.push(state.cursor) }, PACE);
  follower.watch(() => WANTED);
  follower.watch(() => WANTED);
  follower.stop();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(told).toEqual([]);
});
