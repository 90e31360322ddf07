// What stands on the map: an answer of the server, and every event since, merged by id.
//
// Pure: the same answer and the same events make the same state, and an event that comes twice changes nothing more. An
// event carries the item as it is when it is delivered, so the newest delivery is always the truth about an item.
import type { Category, Cluster, Item, MapAnswer, MapEvent, MapItemKind } from '../api/documents.ts';
import { type Box, holds } from './geo.ts';

/** What is looked at. */
export interface Wanted {
  readonly bbox: Box;
  readonly zoom: number;
  /** All of them if empty. */
  readonly kinds: readonly MapItemKind[];
  /** All of them if empty; cameras have none. */
  readonly categories: readonly Category[];
  /** Only what began since, RFC 3339; cameras never began. */
  readonly since: string | null;
}

export interface State {
  readonly items: ReadonlyMap<string, Item>;
  readonly clusters: readonly Cluster[];
  /** Where the log was when this was so. */
  readonly cursor: string;
  /** Whether the counts of clusters are no longer right, so that the map should be read again. */
  readonly stale: boolean;
}

const KIND: Readonly<Record<Item['__typename'], MapItemKind>> = { Stream: 'STREAM', Vod: 'VOD', Cctv: 'CCTV' };

/** An answer of the server. */
export function opened(answer: MapAnswer): State {
  const items = new Map(answer.items.map((item) => [item.id, item]));
  return { items, clusters: answer.clusters, cursor: answer.cursor, stale: false };
}

/** Whether an item, as it is, stands on the map that is looked at. */
export function belongs(item: Item, wanted: Wanted): boolean {
  const kind = KIND[item.__typename];
  return (
    isShown(item) &&
    holds(wanted.bbox, item.position) &&
    (wanted.kinds.length === 0 || wanted.kinds.includes(kind)) &&
    (item.__typename === 'Cctv' || isWanted(item, wanted))
  );
}

function isShown(item: Item): boolean {
  switch (item.__typename) {
    case 'Stream':
      return item.streamStatus === 'LIVE' || item.streamStatus === 'INTERRUPTED';
    case 'Vod':
      return item.vodStatus === 'PROCESSING' || item.vodStatus === 'READY';
    case 'Cctv':
      return true;
  }
}

function isWanted(item: Exclude<Item, { __typename: 'Cctv' }>, wanted: Wanted): boolean {
  const began = item.__typename === 'Stream' ? item.startedAt : item.createdAt;
  const recent = wanted.since === null || (began !== null && Date.parse(began) >= Date.parse(wanted.since));
  return recent && (wanted.categories.length === 0 || wanted.categories.includes(item.category));
}

/** The state after an event. */
export function merged(state: State, event: MapEvent, wanted: Wanted): State {
  const before = state.items.get(event.itemId);
  const now = event.item && belongs(event.item, wanted) ? event.item : undefined;
  const items = new Map(state.items);
  if (now) {
    items.set(event.itemId, now);
  } else {
    items.delete(event.itemId);
  }
  // An item that is counted in a cluster is not among the items, so any coming or going may have changed a count.
  const counted = state.clusters.length > 0 && !(before && now);
  return { ...state, items, cursor: event.cursor, stale: state.stale || counted };
}

const RANK: Readonly<Record<Item['__typename'], number>> = { Stream: 0, Vod: 1, Cctv: 2 };

/** Live first, then replays, then cameras; each the newest first. */
export function inOrder(items: Iterable<Item>): Item[] {
  return [...items].sort(
    (a, b) =>
      RANK[a.__typename] - RANK[b.__typename] || began(b) - began(a) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
}

function began(item: Item): number {
  switch (item.__typename) {
    case 'Stream':
      return Date.parse(item.startedAt ?? item.createdAt);
    case 'Vod':
      return Date.parse(item.createdAt);
    case 'Cctv':
      return 0;
  }
}
