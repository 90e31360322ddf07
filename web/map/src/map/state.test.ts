import { expect, test } from 'vitest';
import type { Cluster, Item, MapAnswer, MapEvent } from '../api/documents.ts';
import { inOrder, merged, opened, type State, type Wanted } from './state.ts';

const WANTED: Wanted = {
  bbox: { west: 120, south: 30, east: 130, north: 40 },
  zoom: 6,
  kinds: [],
  categories: [],
  since: null,
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

function event(cursor: string, item: Item | null, itemId = item?.id ?? ''): MapEvent {
  return { __typename: 'StreamStarted', cursor, itemId, item } as MapEvent;
}

const cluster = { id: 'c', count: 5 } as Cluster;
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

test('counts of clusters are stale once something came or went, not when a thing shown alone changed', () => {
  const crowded = view([stream('s')], [cluster]);
  expect(after(crowded, event('1', stream('s', { title: 'other' }))).stale).toBe(false);
  expect(after(crowded, event('1', stream('t'))).stale).toBe(true);
  expect(after(crowded, event('1', null, 'unknown')).stale).toBe(true);
  expect(after(view([stream('s')]), event('1', stream('t'))).stale).toBe(false);
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
