// When a map that is followed is read again: soon where its counts went stale; in a while in any case, as not everything
// is told by events, if somebody looks. Never by all clients at one moment.
import type { Pace } from './follow.ts';

export class Renewal {
  readonly #read: () => Promise<boolean>;
  readonly #pace: Pace;
  readonly #isSeen: () => boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #soon = false;
  #due = false;
  #over = false;

  /** `read` tells whether the map is stale after it, and never rejects. */
  constructor(read: () => Promise<boolean>, pace: Pace, isSeen: () => boolean) {
    this.#read = read;
    this.#pace = pace;
    this.#isSeen = isSeen;
  }

  /** To be called after every change. */
  plan(stale: boolean): void {
    if (this.#timer === undefined || (stale && !this.#soon)) {
      clearTimeout(this.#timer);
      this.#soon = stale;
      const wait = stale ? this.#pace.stale : this.#pace.age;
      this.#timer = setTimeout(() => this.#ripe(), spread(wait));
    }
  }

  /** What became due out of sight is read now. */
  look(): void {
    if (this.#due) {
      this.#ripe();
    }
  }

  stop(): void {
    this.#over = true;
    this.#due = false;
    clearTimeout(this.#timer);
  }

  #ripe(): void {
    this.#due = !this.#soon && !this.#isSeen();
    if (!this.#due) {
      // Nothing is planned while it is read: what is to be planned follows from the answer.
      this.#soon = true;
      void this.#read().then((stale) => {
        this.#timer = undefined;
        if (!this.#over) {
          this.plan(stale);
        }
      });
    }
  }
}

/** Up to half as long again: many clients began to wait at the same moment. */
export function spread(wait: number): number {
  return wait * (1 + Math.random() / 2);
}
