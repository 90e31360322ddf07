import { expect, test } from 'vitest';
import type { Cluster, Item, MapAnswer, MapEvent } from '../api/documents.ts';
import { inOrder, merged, opened, type State, type Wanted } from './state.ts';

const WANTED: Wanted = {
  bbox: { west: 120, south: 30, east: 130, north: 40 },
  zoom: 6,
  kinds: [],
  categories: [],
  since: null,
  most: 160,
};

function stream(id: string, more: Partial<Extract<Item, { __typename: 'Stream' }>> = {}): Item {
  return {
    __typename: 'Stream',
    id,
    title: id,
    position: { longitude: 127, latitude: 37 },
    thumbnailUrl: null,
    streamStatus: 'LIVE',
    category: 'FIRE',
    startedAt: '2030-01-01T00:00:00.000Z',
    createdAt: '2030-01-01T00:00:00.000Z',
    viewerCount: 0,
    ...more,
  };
}

function vod(id: string, more: Partial<Extract<Item, { __typename: 'Vod' }>> = {}): Item {
  return {
    __typename: 'Vod',
    id,
    title: id,
    position: { longitude: 127, latitude: 37 },
    thumbnailUrl: null,
    vodStatus: 'PROCESSING',
    category: 'FIRE',
    createdAt: '2030-01-01T00:00:00.000Z',
    durationMs: 1000,
    progress: 0.5,
    ...more,
  };
}

function event(cursor: string, item: Item | null, itemId = item?.id ?? '', kind: MapEvent['__typename'] = 'StreamStarted'): MapEvent {
  return { __typename: kind, cursor, itemId, item } as MapEvent;
}

/** Around Seoul, where every item of these tests stands that is put nowhere else. */
const cluster = { id: 'c', count: 5, bbox: { west: 126.5, south: 36.5, east: 127, north: 37 } } as Cluster;
const busan = { position: { longitude: 129, latitude: 35 } };
const paris = { position: { longitude: 2, latitude: 48 } };
const view = (items: Item[], clusters: Cluster[] = []): State =>
  opened({ cursor: '0', items, clusters } as unknown as MapAnswer);
const ids = (state: State): string[] => [...state.items.keys()].sort();
const after = (state: State, ...events: MapEvent[]): State =>
  events.reduce((now, next) => merged(now, next, WANTED), state);

test('a broadcast comes, moves, ends, and its replay takes its place', () => {
  const live = after(view([]), event('1', stream('s')));
  expect(ids(live)).toEqual(['s']);
  const moved = after(live, event('2', stream('s', { position: { longitude: 128, latitude: 36 } })));
  expect(moved.items.get('s')?.position).toEqual({ longitude: 128, latitude: 36 });
  const over = after(moved, event('3', stream('s', { streamStatus: 'ENDED' })), event('4', vod('v')));
  expect(ids(over)).toEqual(['v']);
  const ready = after(over, event('5', vod('v', { vodStatus: 'READY' })));
  expect(ready.items.get('v')).toMatchObject({ vodStatus: 'READY' });
  expect(ready.cursor).toBe('5');
});

test('an event that comes twice changes nothing more', () => {
  const events = [event('1', stream('a')), event('2', stream('b')), event('3', null, 'a')];
  const once = after(view([]), ...events);
  expect(after(once, ...events.slice(2))).toEqual(once);
  expect(ids(after(view([stream('a')]), ...events))).toEqual(ids(once));
});

test('the interrupted stays, the withheld and the removed leave', () => {
  const state = view([stream('s'), vod('v'), vod('w')]);
  const later = after(
    state,
    event('1', stream('s', { streamStatus: 'INTERRUPTED' })),
    event('2', vod('v', { vodStatus: 'WITHHELD' })),
    event('3', null, 'w'),
  );
  expect(ids(later)).toEqual(['s']);
});

test('what moves out of the box leaves, what moves in appears', () => {
  const outside = { position: { longitude: 10, latitude: 50 } };
  expect(ids(after(view([stream('s')]), event('1', stream('s', outside))))).toEqual([]);
  expect(ids(after(view([]), event('1', stream('s', outside)), event('2', stream('s'))))).toEqual(['s']);
});

test('filters hold for events as they do for the question', () => {
  const only = (wanted: Partial<Wanted>, item: Item): string[] =>
    ids(merged(view([]), event('1', item), { ...WANTED, ...wanted }));
  expect(only({ kinds: ['VOD'] }, stream('s'))).toEqual([]);
  expect(only({ categories: ['FLOOD'] }, stream('s'))).toEqual([]);
  expect(only({ categories: ['FIRE', 'FLOOD'] }, stream('s'))).toEqual(['s']);
  expect(only({ since: '2030-01-01T00:00:01Z' }, vod('v'))).toEqual([]);
  expect(only({ since: '2030-01-01T00:00:00Z' }, vod('v'))).toEqual(['v']);
});

test('what is counted in a cluster and only changes stays counted, and nothing is stale', () => {
  const crowded = view([], [cluster]);
  for (const kind of ['StreamMoved', 'StreamPictured', 'StreamInterrupted'] as const) {
    const later = after(crowded, event('1', stream('s'), 's', kind), event('2', stream('s'), 's', kind));
    expect([ids(later), later.stale, later.cursor], kind).toEqual([[], false, '2']);
  }
});

test('what leaves the box of its cluster is shown by itself, and the count is stale', () => {
  const moved = after(view([], [cluster]), event('1', stream('s', busan), 's', 'StreamMoved'));
  expect([ids(moved), moved.stale]).toEqual([['s'], true]);
  const gone = after(view([], [cluster]), event('1', stream('s', paris), 's', 'StreamMoved'));
  expect([ids(gone), gone.stale]).toEqual([[], true]);
});

test('what comes into the box of a cluster is never counted twice: the count is stale, once', () => {
  for (const kind of ['StreamStarted', 'VodProgressed', 'VodReady', 'CctvChanged'] as const) {
    const came = after(view([], [cluster]), event('1', vod('v'), 'v', kind));
    expect([ids(came), came.stale], kind).toEqual([[], true]);
    const again = opened({ cursor: '1', items: [], clusters: [cluster] } as unknown as MapAnswer, came);
    const later = after(again, event('2', vod('v', { progress: 0.7 }), 'v', kind));
    expect([ids(later), later.stale], kind).toEqual([[], false]);
  }
});

test('what comes where no cluster is stands there by itself, and every count stays right', () => {
  const came = after(view([], [cluster]), event('1', stream('s', busan)));
  expect([ids(came), came.stale]).toEqual([['s'], false]);
});

test('what is shown by itself changes and leaves without any count being wrong', () => {
  const crowded = view([stream('s')], [cluster]);
  const changed = after(crowded, event('1', stream('s', { title: 'other' })));
  expect([changed.items.get('s')?.title, changed.stale]).toEqual(['other', false]);
  const left = after(crowded, event('1', stream('s', { streamStatus: 'ENDED' }), 's', 'StreamEnded'));
  expect([ids(left), left.stale]).toEqual([[], false]);
});

test('what may have been counted and left makes the count stale, what never was there does not', () => {
  const stale = (leaving: MapEvent, wanted: Partial<Wanted> = {}): boolean =>
    merged(view([], [cluster]), leaving, { ...WANTED, ...wanted }).stale;
  const ended = event('1', stream('s', { streamStatus: 'ENDED' }), 's', 'StreamEnded');
  expect(stale(ended)).toBe(true);
  expect(stale(event('1', null, 'unknown', 'ItemRemoved'))).toBe(true);
  expect(stale(ended, { categories: ['FLOOD'] })).toBe(false);
  expect(stale(event('1', stream('s', { streamStatus: 'PREPARING', startedAt: null }), 's', 'StreamMoved'))).toBe(false);
  expect(after(view([]), ended).stale).toBe(false);
});

test('more things than were asked for make the map be read again', () => {
  const most = { ...WANTED, most: 2 };
  const full = merged(view([stream('a')]), event('1', stream('b')), most);
  expect(full.stale).toBe(false);
  const over = merged(full, event('2', stream('c')), most);
  expect([ids(over), over.stale]).toEqual([['a', 'b', 'c'], true]);
  expect(merged(over, event('3', null, 'c'), { ...most, most: Infinity }).items.size).toBe(2);
});

test('the list is live first, then replays, each the newest first', () => {
  const items = [
    vod('v'),
    stream('old'),
    stream('new', { startedAt: '2030-01-02T00:00:00.000Z' }),
    vod('w', { createdAt: '2030-01-03T00:00:00.000Z' }),
  ];
  expect(inOrder(items).map((item) => item.id)).toEqual(['new', 'old', 'w', 'v']);
});
