// What is read from the server and followed there: all of a map, with clusters where it is crowded; or every broadcast
// that is on air, one by one, for a wall.
import { ask } from '../api/ask.ts';
import { cursorQuery, type Item, liveQuery, mapEvents, mapQuery } from '../api/documents.ts';
import { subscribe } from '../api/socket.ts';
import type { Source } from './follow.ts';

const events: Source['events'] = async function* ({ bbox, kinds }, after, signal, opened) {
  const variables = { bbox, kinds: orAll(kinds), after };
  for await (const { mapEvents: event } of subscribe(mapEvents, variables, signal, opened)) {
    yield event;
  }
};

export const clustered: Source = {
  async read({ bbox, zoom, kinds, categories, since, most }, signal) {
    const narrowed = { kinds: orAll(kinds), categories: orAll(categories), since };
    return (await ask(mapQuery, { bbox, zoom, ...narrowed, first: most }, signal)).map;
  },
  events,
};

export const onAir: Source = {
  async read({ bbox, kinds, categories }, signal) {
    // The cursor first: what changes while the pages are read is told after it.
    const { cursor } = (await ask(cursorQuery, { bbox, kinds: orAll(kinds) }, signal)).map;
    const items: Item[] = [];
    const page = (from: string | null) => ask(liveQuery, { bbox, categories: orAll(categories), after: from }, signal);
    let after: string | null = null;
    do {
      const { streams } = await page(after);
      items.push(...streams.nodes);
      after = streams.pageInfo.hasNextPage ? streams.pageInfo.endCursor : null;
    } while (after !== null);
    return { cursor, items, clusters: [] };
  },
  events,
};

/** As the server wants it: what is not narrowed is left out. */
function orAll<T>(names: readonly T[]): T[] | null {
  return names.length ? [...names] : null;
}
