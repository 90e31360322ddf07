// Asks for a live playlist when its next segment is due. hls.js would ask at once and be kept waiting for all of the
// segment's length: a connection, of which a browser has six to a server, for every picture of a wall.
import type { LevelDetails } from 'hls.js';

/** How long before a segment is due it is asked for, in ms. */
const EARLY_MS = 300;
/** An answer that took longer was waited for: it came as the segment did, in ms. */
const WAITED_MS = 30;
/** What a playlist is asked for with that is to name a segment to come. */
const NAMES_A_SEGMENT = '_HLS_msn=';

export class Punctual {
  private asked = 0;
  private due = 0;

  /** Before a request: waits until it is time for it. */
  readonly setUp = async (_: XMLHttpRequest, url: string): Promise<void> => {
    if (!url.includes(NAMES_A_SEGMENT)) {
      return;
    }
    const early = this.due - performance.now();
    if (early > 0) {
      await new Promise((go) => setTimeout(go, early));
    }
    this.asked = performance.now();
  };

  /** After a playlist came, its first byte at `first`. Where it was not waited for, nobody knows for how long it had
   *  been there: the next is asked for early enough to be waited for. */
  came(details: LevelDetails, first: number): void {
    const last = (details.fragments.at(-1)?.duration ?? 0) * 1_000;
    const waited = this.asked > 0 && first - this.asked > WAITED_MS;
    this.due = first + (waited ? last - EARLY_MS : last / 2);
    this.asked = 0;
  }
}
