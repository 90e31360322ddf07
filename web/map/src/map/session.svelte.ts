// What a page with a map shows: what is looked at, what stands there, and how the server is reached.
import { type Filters, sinceOf } from '../ui/address.ts';
import { Follower, type Link } from './follow.ts';
import { type Box, boxOf, isNearly } from './geo.ts';
import { type Camera, fitting, HOME, seenFrom, type Size } from './mercator.ts';
import { clustered, onAir } from './source.ts';
import { inOrder, type State, type Wanted } from './state.ts';

/** Items and clusters together: as many buttons as a map bears. */
const FIRST = 160;
/** How much more than is seen is asked for on each side, so that a small step shows no bare edge. */
const MARGIN = 0.12;
/** Views that differ by less are one view: nothing is asked for anew. Parts of the view, and zoom. */
const SAME = { part: 0.005, zoom: 0.01 };

export class Session {
  state = $state.raw<State>();
  link = $state<Link>('opening');
  filters = $state.raw<Filters>({ kinds: [], categories: [], period: 'any' });
  readonly items = $derived(inOrder(this.state?.items.values() ?? []));
  readonly clusters = $derived(this.state?.clusters ?? []);
  /** How many things there are in view, those in clusters among them. */
  readonly count = $derived(this.items.length + this.clusters.reduce((sum, cluster) => sum + cluster.count, 0));

  readonly #follower: Follower;
  readonly #most: number;
  #looked: { box: Box; zoom: number } | undefined;

  /** `whole`: every broadcast by itself, however many there are, and no clusters. */
  constructor(filters: Filters, { whole = false } = {}) {
    this.filters = filters;
    this.#most = whole ? Infinity : FIRST;
    this.#follower = new Follower(whole ? onAir : clustered, {
      state: (state) => (this.state = state),
      link: (link) => (this.link = link),
    });
    addEventListener('online', () => this.#follower.retry());
    const show = (): void => this.#follower.show(!document.hidden);
    document.addEventListener('visibilitychange', show);
    show();
  }

  /** Looks at what a map shows; its edges may lie past the antimeridian. */
  look(view: Box, zoom: number): void {
    this.within(boxOf(view, MARGIN), zoom);
  }

  /** Looks at exactly this box. */
  within(box: Box, zoom = 0): void {
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
      // A period is told from the moment of each reading.
      this.#follower.watch((): Wanted => {
        return { bbox: box, zoom, kinds, categories, since: sinceOf(period, Date.now()), most: this.#most };
      });
    }
  }
}
