import { expect, test } from 'vitest';
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
};
const PACE = { least: 1, most: 4, stale: 5 };

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

  constructor(
    public length: number,
    readonly breaks: number,
    public failures = 0,
  ) {}

  read(): Promise<MapAnswer> {
    if (this.failures-- > 0) {
      return Promise.reject(new Unreachable('away'));
    }
    this.reads.push(this.length);
    const items = Array.from({ length: this.oldest }, (_, index) => camera(`i${index + 1}`));
    return Promise.resolve({ cursor: String(this.oldest), items, clusters: this.clusters } as unknown as MapAnswer);
  }

  async *events(_: Wanted, after: string, signal: AbortSignal): AsyncGenerator<MapEvent> {
    this.afters.push(after);
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
    follower.watch(WANTED);
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
  log.events = async function* (wanted, after, signal) {
    if (first) {
      first = false;
      yield event(1);
      throw new Refused([{ message: 'too slow', extensions: { code: 'UNAVAILABLE', resumeAfter: '2' } }]);
    }
    yield* events(wanted, after, signal);
  };
  const { states } = await follow(log, (state) => state.cursor === '4');
  expect(log.afters).toEqual(['2']);
  expect(states.at(-1)?.items.has('i2')).toBe(false);
});

test('stale counts make the map be read again', async () => {
  const log = new Log(1, 99);
  log.clusters = [{ id: 'c', count: 3 } as Cluster];
  await follow(log, () => log.reads.length === 2);
  expect(log.reads).toHaveLength(2);
});

test('what is no longer looked at tells nothing more', async () => {
  const log = new Log(0, 99);
  const told: string[] = [];
  const follower = new Follower(log, { link: () => undefined, state: (state) => told.push(state.cursor) }, PACE);
  follower.watch(WANTED);
  follower.watch(WANTED);
  follower.stop();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(told).toEqual([]);
});
