// Follows the map in a box: one question, then every event after its cursor, through every break of the connection.
//
// The cursor of the last event is all that is needed to go on, so nothing is missed or told twice. The map is read again
// only when it is looked at differently, when the log no longer reaches back to the cursor, or when counts went stale.
import type { MapAnswer, MapEvent } from '../api/documents.ts';
import { Refused } from '../api/fault.ts';
import { merged, opened, type State, type Wanted } from './state.ts';

/** How the server is reached. */
export type Link = 'opening' | 'following' | 'broken';

/** What a follower needs of the server. */
export interface Source {
  read(wanted: Wanted, signal: AbortSignal): Promise<MapAnswer>;
  /** Every event after the cursor; throws when it breaks off. */
  events(wanted: Wanted, after: string, signal: AbortSignal): AsyncIterable<MapEvent>;
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
}

const PACE: Pace = { least: 500, most: 15_000, stale: 1_500 };

export class Follower {
  readonly #source: Source;
  readonly #listener: Listener;
  readonly #pace: Pace;
  #watching: AbortController | undefined;
  #wake: (() => void) | undefined;

  constructor(source: Source, listener: Listener, pace: Pace = PACE) {
    this.#source = source;
    this.#listener = listener;
    this.#pace = pace;
  }

  /** Looks at something from now on, and no longer at what was looked at before. */
  watch(wanted: Wanted): void {
    this.stop();
    this.#watching = new AbortController();
    void this.#run(wanted, this.#watching.signal);
  }

  stop(): void {
    this.#watching?.abort();
    this.#watching = undefined;
  }

  /** Tries again at once: the network is back. */
  retry(): void {
    this.#wake?.();
  }

  async #run(wanted: Wanted, signal: AbortSignal): Promise<void> {
    let state: State | undefined;
    let wait = this.#pace.least;
    const heard = (next: State): void => {
      state = next;
      wait = this.#pace.least;
      this.#listener.state(next);
      this.#listener.link('following');
    };
    this.#listener.link('opening');
    while (!signal.aborted) {
      try {
        state ??= opened(await this.#source.read(wanted, signal));
        signal.throwIfAborted();
        heard(state);
        state = await this.#follow(state, wanted, signal, heard);
      } catch (fault) {
        if (signal.aborted) {
          return;
        }
        if (fault instanceof Refused && fault.cursorIsTooOld) {
          state = undefined;
        } else if (fault instanceof Refused && fault.resumeAfter && state) {
          state = { ...state, cursor: fault.resumeAfter };
        } else {
          this.#listener.link('broken');
          await this.#pause(wait, signal);
          wait = Math.min(wait * 2, this.#pace.most);
        }
      }
    }
  }

  /** Merges events until the map should be read again. */
  async #follow(
    from: State,
    wanted: Wanted,
    signal: AbortSignal,
    heard: (state: State) => void,
  ): Promise<undefined> {
    let state = from;
    const again = new AbortController();
    const either = AbortSignal.any([signal, again.signal]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      for await (const event of this.#source.events(wanted, state.cursor, either)) {
        state = merged(state, event, wanted);
        heard(state);
        if (state.stale) {
          timer ??= setTimeout(() => again.abort(), this.#pace.stale);
        }
      }
    } catch (fault) {
      if (signal.aborted || !again.signal.aborted) {
        throw fault;
      }
    } finally {
      clearTimeout(timer);
    }
    return undefined;
  }

  #pause(wait: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      // Up to half as long again: many clients lost the server at the same moment.
      const timer = setTimeout(done, wait * (1 + Math.random() / 2));
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}
