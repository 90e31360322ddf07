// Follows the map in a box: one question, then every event after its cursor, through every break of the connection.
//
// The cursor of the last event is all that is needed to go on, so nothing is missed or told twice. The map is read anew
// when it is looked at differently or when the log no longer reaches back to the cursor; and beside the events, which go
// on, when its answer went stale or old.
import type { MapAnswer, MapEvent } from '../api/documents.ts';
import { Refused } from '../api/fault.ts';
import { Renewal, spread } from './renewal.ts';
import { merged, opened, type State, type Wanted } from './state.ts';

/** How the server is reached. */
export type Link = 'opening' | 'following' | 'broken';

/** What a follower needs of the server. */
export interface Source {
  read(wanted: Wanted, signal: AbortSignal): Promise<MapAnswer>;
  /** Every event after the cursor, once it has `opened`; throws when it breaks off. */
  events(wanted: Wanted, after: string, signal: AbortSignal, opened: () => void): AsyncIterable<MapEvent>;
}

export interface Listener {
  state(state: State): void;
  link(link: Link): void;
}

export interface Pace {
  /** The first wait after a break, in ms; each further one is twice as long. */
  readonly least: number;
  readonly most: number;
  /** How long counts may be stale, in ms. */
  readonly stale: number;
  /** How old what is seen may be, in ms. */
  readonly age: number;
}

const PACE: Pace = { least: 500, most: 15_000, stale: 1_500, age: 60_000 };

/** What was read, and what was asked for. */
interface Seen {
  readonly state: State;
  readonly wanted: Wanted;
}

/** What following tells. */
interface Told {
  heard(seen: Seen): void;
  /** The server gives its events. */
  reached(): void;
}

export class Follower {
  readonly #source: Source;
  readonly #listener: Listener;
  readonly #pace: Pace;
  #watching: AbortController | undefined;
  #wake: (() => void) | undefined;
  #renewal: Renewal | undefined;
  #isSeen = true;

  constructor(source: Source, listener: Listener, pace: Pace = PACE) {
    this.#source = source;
    this.#listener = listener;
    this.#pace = pace;
  }

  /** Looks at something from now on, and no longer at what was looked at before. */
  watch(wanted: () => Wanted): void {
    this.stop();
    this.#watching = new AbortController();
    void this.#run(wanted, this.#watching.signal);
  }

  stop(): void {
    this.#watching?.abort();
    this.#watching = undefined;
  }

  /** Whether somebody can see it: out of sight, what is old stays unread. */
  show(isSeen: boolean): void {
    this.#isSeen = isSeen;
    if (isSeen) {
      this.#renewal?.look();
    }
  }

  /** Tries again at once: the network is back. */
  retry(): void {
    this.#wake?.();
  }

  async #run(wanted: () => Wanted, signal: AbortSignal): Promise<void> {
    let seen: Seen | undefined;
    let wait = this.#pace.least;
    const reached = (): void => {
      if (!signal.aborted) {
        wait = this.#pace.least;
        this.#listener.link('following');
      }
    };
    const heard = (next: Seen): void => {
      seen = next;
      this.#listener.state(next.state);
      reached();
    };
    this.#listener.link('opening');
    while (!signal.aborted) {
      try {
        const first = !seen;
        seen ??= await this.#read(wanted, signal);
        if (first) {
          heard(seen);
        }
        await this.#follow(seen, wanted, signal, { heard, reached });
      } catch (fault) {
        if (signal.aborted) {
          return;
        }
        if (fault instanceof Refused && fault.cursorIsTooOld) {
          seen = undefined;
        } else if (fault instanceof Refused && fault.resumeAfter && seen) {
          seen = { ...seen, state: { ...seen.state, cursor: fault.resumeAfter } };
        } else {
          this.#listener.link('broken');
          await this.#pause(wait, signal);
          wait = Math.min(wait * 2, this.#pace.most);
        }
      }
    }
  }

  async #read(wanted: () => Wanted, signal: AbortSignal, before?: State): Promise<Seen> {
    const now = wanted();
    const answer = await this.#source.read(now, signal);
    signal.throwIfAborted();
    return { state: opened(answer, before), wanted: now };
  }

  /** Merges events until they break off. */
  async #follow(from: Seen, wanted: () => Wanted, signal: AbortSignal, { heard, reached }: Told): Promise<void> {
    let seen = from;
    /** What is told while the map is read again, and may be newer than the answer. */
    let told: MapEvent[] | undefined;
    const over = new AbortController();
    const after = ({ state, wanted: now }: Seen, event: MapEvent): Seen => ({ state: merged(state, event, now), wanted: now });
    const renew = async (): Promise<boolean> => {
      const meanwhile: MapEvent[] = (told = []);
      try {
        const answer = await this.#read(wanted, over.signal, seen.state);
        signal.throwIfAborted();
        seen = meanwhile.reduce(after, answer);
        heard(seen);
      } catch {
        // Given up, or asked again later: that the server is away is told by the events that break off.
      } finally {
        told = undefined;
      }
      return seen.state.stale;
    };
    const renewal = new Renewal(renew, this.#pace, () => this.#isSeen);
    this.#renewal = renewal;
    renewal.plan(seen.state.stale);
    try {
      for await (const event of this.#source.events(seen.wanted, seen.state.cursor, signal, reached)) {
        told?.push(event);
        seen = after(seen, event);
        heard(seen);
        renewal.plan(seen.state.stale);
      }
    } finally {
      renewal.stop();
      over.abort();
    }
  }

  #pause(wait: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, spread(wait));
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}
