// Keeps a broadcast on air: publishes, and publishes again with the same token whenever the connection is lost, until it
// is stopped, the server declines, or the server has surely given the broadcast up.
import { Declined, type Health, type Publication } from './whip.ts';

export type Air = 'connecting' | 'onAir' | 'weak' | 'reconnecting' | 'declined' | 'givenUp';

export type Publish = (tell: (health: Health) => void) => Promise<Publication>;

export interface Patience {
  /** The first wait before another try, in ms; each further one is twice as long. */
  readonly least: number;
  readonly most: number;
  /** How long no connection may come about, in ms. */
  readonly whole: number;
}

/** Longer than the server keeps an interrupted broadcast, so that the server is the one that says no. */
const PATIENCE: Patience = { least: 500, most: 5_000, whole: 180_000 };

export class OnAir {
  publication: Publication | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(
    readonly publish: Publish,
    readonly tell: (air: Air) => void,
    readonly patience: Patience = PATIENCE,
  ) {
    void this.#run();
  }

  /** Ends it; the server is told. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    const { publication } = this;
    this.publication = undefined;
    await publication?.close(true);
  }

  /** Tries again at once: the network is back. */
  retry(): void {
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const { least, most, whole } = this.patience;
    let [wait, since, ever] = [least, Date.now(), false];
    while (!this.#stopped) {
      this.tell(ever ? 'reconnecting' : 'connecting');
      try {
        await this.#once();
        [wait, since, ever] = [least, Date.now(), true];
      } catch (fault) {
        if (fault instanceof Declined || Date.now() - since > whole) {
          if (!this.#stopped) {
            this.tell(fault instanceof Declined ? 'declined' : 'givenUp');
          }
          return;
        }
        await this.#pause(wait);
        wait = Math.min(wait * 2, most);
      }
    }
  }

  /** Publishes, and waits until that connection is lost. */
  async #once(): Promise<void> {
    let lose: () => void = () => undefined;
    const lost = new Promise<void>((resolve) => (lose = resolve));
    const publication = await this.publish((health) => {
      if (health === 'lost') {
        lose();
      } else if (!this.#stopped) {
        this.tell(health === 'weak' ? 'weak' : 'onAir');
      }
    });
    if (this.#stopped) {
      await publication.close(true);
      return;
    }
    this.publication = publication;
    await lost;
    this.publication = undefined;
    if (!this.#stopped) {
      // Another connection follows: the server is not told that it is over.
      await publication.close(false);
    }
  }

  #pause(wait: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
