// One item that is looked at, as it is now: asked for, then followed through the events around its place. A broadcast
// that ends and the replay that takes its place are one thing here, so that a viewer stays where they are.
import { ask } from '../api/ask.ts';
import { cursorQuery, itemQuery, mapEvents, viewersOf } from '../api/documents.ts';
import type { Broadcast, Camera, Replay } from '../api/documents.ts';
import { subscribe } from '../api/socket.ts';
import { around, type Point } from '../map/geo.ts';
import { apiLanguage } from '../words/words.svelte.ts';

/** What a sheet shows. */
export type Watched =
  | { readonly kind: 'broadcast'; readonly broadcast: Broadcast | null; readonly replay: Replay | null }
  | { readonly kind: 'camera'; readonly camera: Camera };

/** Where the asking stands: `gone` where there is nothing of this id. */
export type Standing = 'loading' | 'there' | 'gone' | 'broken';

const RETRY_MS = 2_000;

export class WatchedItem {
  watched = $state.raw<Watched>();
  standing = $state<Standing>('loading');
  readonly position = $derived(positionOf(this.watched));
  readonly #over = new AbortController();
  #counting = false;
  #asking: Promise<void> | undefined;

  constructor(readonly id: string) {
    void this.#follow();
  }

  stop(): void {
    this.#over.abort();
  }

  /** Asks anew; several wishes at once are one question, and one more after it. */
  async refresh(): Promise<void> {
    await this.#asking?.catch(() => undefined);
    this.#asking ??= this.#read().finally(() => (this.#asking = undefined));
    await this.#asking;
  }

  async #read(): Promise<void> {
    const { node } = await ask(itemQuery, { id: this.id, language: apiLanguage() }, this.#over.signal);
    this.#over.signal.throwIfAborted();
    if (!node) {
      // What was seen a moment ago and is gone now was taken down.
      this.watched = undefined;
      this.standing = 'gone';
      return;
    }
    this.standing = 'there';
    if (node.__typename === 'Cctv') {
      this.watched = { kind: 'camera', camera: node };
    } else if (node.__typename === 'Vod') {
      this.watched = { kind: 'broadcast', broadcast: node.stream, replay: node };
    } else {
      this.watched = { kind: 'broadcast', broadcast: node, replay: node.vod };
    }
    void this.#count();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        await this.refresh();
        if (!this.position) {
          return;
        }
        await this.#listen(this.position, signal);
      } catch {
        if (!signal.aborted) {
          this.standing = this.watched ? this.standing : 'broken';
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    }
  }

  /** Reads the item again at every event about it, until it is somewhere else. */
  async #listen(at: Point, signal: AbortSignal): Promise<void> {
    const bbox = around(at);
    const { map } = await ask(cursorQuery, { bbox }, signal);
    // What changed between the first reading and this cursor.
    await this.refresh();
    for await (const { mapEvents: event } of subscribe(mapEvents, { bbox, kinds: null, after: map.cursor }, signal)) {
      if (this.#ids().includes(event.itemId) || this.#isReplayToCome(event.item)) {
        await this.refresh();
        if (this.position && (this.position.longitude !== at.longitude || this.position.latitude !== at.latitude)) {
          return;
        }
      }
    }
  }

  #ids(): (string | undefined)[] {
    const { watched } = this;
    return watched?.kind === 'broadcast' ? [this.id, watched.broadcast?.id, watched.replay?.id] : [this.id];
  }

  #isReplayToCome(item: { readonly __typename: string } | null): boolean {
    return item?.__typename === 'Vod' && this.watched?.kind === 'broadcast' && this.watched.replay === null;
  }

  /** Follows how many watch while it is on air: their coming and going is no event of the map. What breaks off begins
   *  again with the next reading. */
  async #count(): Promise<void> {
    const id = this.watched?.kind === 'broadcast' && isOnAir(this.watched.broadcast) ? this.watched.broadcast?.id : undefined;
    if (!id || this.#counting) {
      return;
    }
    this.#counting = true;
    try {
      for await (const { stream } of subscribe(viewersOf, { id }, this.#over.signal)) {
        const { watched } = this;
        if (watched?.kind === 'broadcast' && watched.broadcast) {
          this.watched = { ...watched, broadcast: { ...watched.broadcast, viewerCount: stream.viewerCount } };
        }
        if (!isOnAir(stream)) {
          break;
        }
      }
    } catch {
      // The socket that broke carries the events, too, and they are what is tried again.
    } finally {
      this.#counting = false;
    }
  }
}

function isOnAir(broadcast: Pick<Broadcast, 'streamStatus'> | null): boolean {
  return broadcast?.streamStatus === 'LIVE' || broadcast?.streamStatus === 'INTERRUPTED';
}

/** The item of an id, followed for as long as the component is there that asks. An id that is told anew is the same
 *  item: what an event changes elsewhere begins nothing again. */
export function watching(id: () => string | undefined): { readonly item: WatchedItem | undefined } {
  const wanted = $derived(id());
  let item = $state.raw<WatchedItem>();
  $effect(() => {
    const next = wanted ? new WatchedItem(wanted) : undefined;
    item = next;
    return () => next?.stop();
  });
  return {
    get item() {
      return item;
    },
  };
}

function positionOf(watched: Watched | undefined): Point | undefined {
  return watched?.kind === 'camera' ? watched.camera.position : (watched?.broadcast ?? watched?.replay)?.position;
}
