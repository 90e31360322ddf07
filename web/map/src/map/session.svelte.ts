// What a page with a map shows: what is looked at, what stands there, and how the server is reached.
import { ask } from '../api/ask.ts';
import { mapEvents, mapQuery } from '../api/documents.ts';
import { subscribe } from '../api/socket.ts';
import { type Filters, sinceOf } from '../ui/address.ts';
import { Follower, type Link, type Source } from './follow.ts';
import { type Box, boxOf, isNearly } from './geo.ts';
import { type Camera, fitting, HOME, seenFrom, type Size } from './mercator.ts';
import { inOrder, type State, type Wanted } from './state.ts';

/** Items and clusters together: as many buttons as a map bears. */
const FIRST = 160;
/** How much more than is seen is asked for on each side, so that a small step shows no bare edge. */
const MARGIN = 0.12;
/** Views that differ by less are one view: nothing is asked for anew. Parts of the view, and zoom. */
const SAME = { part: 0.005, zoom: 0.01 };

const server: Source = {
  async read({ bbox, zoom, kinds, categories, since }, signal) {
    const narrowed = { kinds: kinds.length ? [...kinds] : null, categories: categories.length ? [...categories] : null };
    return (await ask(mapQuery, { bbox, zoom, ...narrowed, since, first: FIRST }, signal)).map;
  },
  async *events({ bbox, kinds }, after, signal) {
    for await (const { mapEvents: event } of subscribe(mapEvents, { bbox, kinds: kinds.length ? [...kinds] : null, after }, signal)) {
      yield event;
    }
  },
};

export class Session {
  state = $state.raw<State>();
  link = $state<Link>('opening');
  filters = $state.raw<Filters>({ kinds: [], categories: [], period: 'any' });
  readonly items = $derived(inOrder(this.state?.items.values() ?? []));
  readonly clusters = $derived(this.state?.clusters ?? []);
  /** How many things there are in view, those in clusters among them. */
  readonly count = $derived(this.items.length + this.clusters.reduce((sum, cluster) => sum + cluster.count, 0));

  readonly #follower = new Follower(server, {
    state: (state) => (this.state = state),
    link: (link) => (this.link = link),
  });
  #looked: { box: Box; zoom: number } | undefined;

  constructor(filters: Filters) {
    this.filters = filters;
    addEventListener('online', () => this.#follower.retry());
  }

  /** Looks at what a map shows; its edges may lie past the antimeridian. */
  look(view: Box, zoom: number): void {
    const box = boxOf(view, MARGIN);
    const before = this.#looked;
    if (!before || !isNearly(before.box, box, SAME.part) || Math.abs(before.zoom - zoom) > SAME.zoom) {
      this.#looked = { box, zoom };
      this.#watch();
    }
  }

  /** Looks at what a map of this size would show there: before there is one, or where there is none. */
  lookFrom(camera: Camera, size: Size): void {
    this.look(seenFrom(camera, size), camera.zoom);
  }

  /** Looks at what a map will show when it opens. */
  open(camera: Camera | null, box: Box | null, size: Size): void {
    this.lookFrom(camera ?? (box ? fitting(box, size) : HOME), size);
  }

  filter(filters: Filters): void {
    this.filters = filters;
    this.#watch();
  }

  retry(): void {
    this.#follower.retry();
  }

  stop(): void {
    this.#follower.stop();
  }

  #watch(): void {
    if (this.#looked) {
      const { kinds, categories, period } = this.filters;
      const { box, zoom } = this.#looked;
      const wanted: Wanted = { bbox: box, zoom, kinds, categories, since: sinceOf(period, Date.now()) };
      this.#follower.watch(wanted);
    }
  }
}
