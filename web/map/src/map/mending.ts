// Has a map that could not be loaded drawn anew: when the network is back, and after longer and longer waits, until it
// has come to rest without a fault. What fails again each time it is drawn is left alone: drawing empties the map.

export interface Pace {
  /** The first wait, in ms; each further one is twice as long. */
  readonly least: number;
  readonly most: number;
  /** How often it is drawn in vain before only a new network is a reason to. */
  readonly draws: number;
}

const PACE: Pace = { least: 3_000, most: 60_000, draws: 3 };

export class Mending {
  readonly #redraw: () => Promise<void>;
  readonly #tell: (broken: boolean) => void;
  readonly #pace: Pace;
  #wait: number;
  #draws = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether anything failed since it was last drawn anew. */
  #failed = false;
  #drawing = false;
  #over = false;

  /** `redraw` throws where nothing can be drawn anew yet. */
  constructor(redraw: () => Promise<void>, tell: (broken: boolean) => void, pace: Pace = PACE) {
    this.#redraw = redraw;
    this.#tell = tell;
    this.#pace = pace;
    this.#wait = pace.least;
  }

  /** A part could not be loaded. */
  failed(): void {
    if (!this.#over) {
      this.#failed = true;
      this.#tell(true);
      this.#plan();
    }
  }

  /** All that was asked for has been loaded or has failed. */
  rested(): void {
    if (!this.#failed && !this.#drawing) {
      this.#wait = this.#pace.least;
      this.#draws = 0;
      this.#tell(false);
    }
  }

  /** Tries at once, if there is anything to be mended: the network is back. */
  retry(): void {
    if (this.#failed && !this.#drawing && !this.#over) {
      clearTimeout(this.#timer);
      this.#draws = 0;
      void this.#try();
    }
  }

  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #plan(): void {
    if (this.#timer === undefined && !this.#drawing && this.#draws < this.#pace.draws) {
      this.#timer = setTimeout(() => void this.#try(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, this.#pace.most);
    }
  }

  async #try(): Promise<void> {
    this.#timer = undefined;
    this.#drawing = true;
    this.#failed = false;
    const drawn = await this.#redraw().then(
      () => true,
      () => false,
    );
    this.#drawing = false;
    this.#draws += drawn ? 1 : 0;
    if (!drawn || this.#failed) {
      this.failed();
    }
  }
}
