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
  /** As many items and clusters as are asked for. */
  readonly most: number;
}

export interface State {
  readonly items: ReadonlyMap<string, Item>;
  readonly clusters: readonly Cluster[];
  /** Where the log was when this was so. */
  readonly cursor: string;
  /** Whether counts of clusters may be wrong, or there are more items than were asked for: the map should be read again. */
  readonly stale: boolean;
  /** Which things were told of that stand in the box of a cluster: another event of one of them is no coming. */
  readonly counted: ReadonlySet<string>;
}

const KIND: Readonly<Record<Item['__typename'], MapItemKind>> = { Stream: 'STREAM', Vod: 'VOD', Cctv: 'CCTV' };

/** An answer of the server; what the answer before it counted, and does not show by itself now, is counted still. */
export function opened({ items: shown, clusters, cursor }: MapAnswer, before?: State): State {
  const items = new Map(shown.map((item) => [item.id, item]));
  const counted = clusters.length > 0 ? [...(before?.counted ?? [])].filter((id) => !items.has(id)) : [];
  return { items, clusters, cursor, stale: false, counted: new Set(counted) };
}

/** Whether an item, as it is, stands on the map that is looked at. */
export function belongs(item: Item, wanted: Wanted): boolean {
  return isShown(item) && holds(wanted.bbox, item.position) && isOfInterest(item, wanted);
}

/** Whether the filters let it through. */
function isOfInterest(item: Item, wanted: Wanted): boolean {
  const kind = wanted.kinds.length === 0 || wanted.kinds.includes(KIND[item.__typename]);
  return kind && (item.__typename === 'Cctv' || isWanted(item, wanted));
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

/** Events of what was on the map before them. The others may tell of a coming. */
const STAYING: ReadonlySet<MapEvent['__typename']> = new Set(['StreamMoved', 'StreamPictured', 'StreamInterrupted']);

/** The state after an event. */
export function merged(state: State, event: MapEvent, wanted: Wanted): State {
  const { item } = event;
  const heard = { ...state, cursor: event.cursor };
  if (!item || !belongs(item, wanted)) {
    return without(heard, event, wanted);
  }
  const covered = state.clusters.some(({ bbox }) => holds(bbox, item.position));
  return covered && !state.items.has(item.id) ? counting(heard, event) : showing(heard, event, item, wanted);
}

/**
 * With what stands in the box of a cluster: it is in the count, or will be once the map is read again. What moved there
 * from outside of all that is looked at cannot be told from what was counted, and comes with the next reading, too.
 */
function counting(state: State, { itemId, __typename }: MapEvent): State {
  const known = state.counted.has(itemId);
  return {
    ...state,
    counted: known ? state.counted : new Set(state.counted).add(itemId),
    stale: state.stale || !(known || STAYING.has(__typename)),
  };
}

/** With what stands by itself. What stood somewhere before, and was not shown, may have left the box of a cluster. */
function showing(state: State, { itemId, __typename }: MapEvent, item: Item, { most }: Wanted): State {
  const left = state.clusters.length > 0 && !state.items.has(itemId) && (state.counted.has(itemId) || STAYING.has(__typename));
  const items = new Map(state.items).set(itemId, item);
  return { ...state, items, stale: state.stale || left || items.size + state.clusters.length > most };
}

/** Without what left, or was never there. What was shown by itself is in no count. */
function without(state: State, { itemId, item }: MapEvent, wanted: Wanted): State {
  if (state.items.has(itemId)) {
    const items = new Map(state.items);
    items.delete(itemId);
    return { ...state, items };
  }
  const counted = new Set(state.counted);
  counted.delete(itemId);
  return { ...state, counted, stale: state.stale || (state.clusters.length > 0 && mayBeCounted(item, wanted)) };
}

function mayBeCounted(item: Item | null, wanted: Wanted): boolean {
  if (!item) {
    return true;
  }
  const was = item.__typename !== 'Stream' || item.startedAt !== null;
  return was && isOfInterest(item, wanted);
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
