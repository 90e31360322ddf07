// Plays HLS in a video element: with hls.js, which is loaded only when something is played, or by the browser itself
// where it can and hls.js cannot.
import type HlsType from 'hls.js';
import type { LevelDetails } from 'hls.js';
import { Punctual } from './punctual.ts';

/** `away`: a live picture that is not there; it is tried again. */
export type PlayerState = 'loading' | 'away' | 'playing' | 'paused' | 'broken';

const HLS = 'application/vnd.apple.mpegurl';
/** How often a live picture that broke off is tried again, in ms. */
const RETRY_MS = 2_000;
/** Tries after which a replay is given up, and a live picture that was never there is said to be away. */
const TRIES = 3;

export interface Player {
  stop(): void;
}

/** Plays an address; tells how it goes until it is stopped. */
export function play(video: HTMLVideoElement, url: string, live: boolean, tell: (state: PlayerState) => void): Player {
  let stopped = false;
  // What the viewer wants. A film that is loaded anew is paused by that, without a word; who has no controls pauses
  // nothing.
  let wanted = true;
  let end = (): void => undefined;
  const listen = new AbortController();
  const on = (name: string, state: () => PlayerState): void =>
    video.addEventListener(name, () => tell(state()), { signal: listen.signal });
  on('playing', () => 'playing');
  on('pause', () => {
    wanted = !video.controls || video.ended;
    return 'paused';
  });
  on('waiting', () => 'loading');
  video.addEventListener('play', () => (wanted = true), { signal: listen.signal });
  const goOn = (): void => {
    if (wanted) {
      void start(video);
    } else {
      tell('paused');
    }
  };
  // Phones stop what is played when the page is put away.
  const returned = (): void => {
    if (document.visibilityState === 'visible' && wanted && video.paused && !video.ended) {
      goOn();
    }
  };
  document.addEventListener('visibilitychange', returned, { signal: listen.signal });
  tell('loading');

  const begin = async (): Promise<void> => {
    const { default: Hls } = await import('hls.js/light');
    const { default: workerPath } = await import('hls.js/dist/hls.worker.js?url');
    if (stopped) {
      return;
    }
    if (Hls.isSupported()) {
      const punctual = new Punctual();
      const hls = new Hls({ workerPath, backBufferLength: 60, ...(live ? { ...LIVE, xhrSetup: punctual.setUp } : {}) });
      end = () => hls.destroy();
      if (live) {
        follow(hls, Hls, punctual);
      }
      hls.on(Hls.Events.MEDIA_ATTACHED, goOn);
      attach(hls, Hls, video, url, live, tell);
    } else if (video.canPlayType(HLS)) {
      end = playNatively(video, url, live, { tell, goOn });
    } else {
      tell('broken');
    }
  };
  begin().catch(() => {
    if (!stopped) {
      tell('broken');
    }
  });
  return {
    stop() {
      stopped = true;
      listen.abort();
      end();
      video.removeAttribute('src');
      video.load();
    },
  };
}

/** Leaves it to the browser; a live picture that broke off is tried again. Returns what ends it. */
function playNatively(
  video: HTMLVideoElement,
  url: string,
  live: boolean,
  { tell, goOn }: { tell(state: PlayerState): void; goOn(): void },
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const load = (): void => {
    video.src = url;
    goOn();
  };
  const failed = (): void => {
    tell(live ? 'away' : 'broken');
    if (live) {
      timer = setTimeout(load, RETRY_MS);
    }
  };
  video.addEventListener('error', failed);
  load();
  return () => {
    clearTimeout(timer);
    video.removeEventListener('error', failed);
  };
}

/** How far behind the end of the newest segment a live picture plays, in s: by the longest segment, so that the next is
 *  there in time, and so much for its way here. What fell behind is caught up by playing a little faster. */
const WAY_S = 1;
/** How many times as far it may fall behind before it jumps. */
const BEHIND = 4;
const LIVE = {
  liveSyncDuration: 2 + WAY_S,
  liveMaxLatencyDuration: BEHIND * (2 + WAY_S),
  maxLiveSyncPlaybackRate: 1.2,
  liveSyncOnStallIncrease: 0.5,
} as const;

/** Keeps a live picture as near to the present as its segments allow. The playlist's own target is whole seconds: one
 *  segment of 2.5 s would make it 3, for good. */
function follow(hls: HlsType, Hls: typeof HlsType, punctual: Punctual): void {
  const longest = ({ fragments }: LevelDetails): number => Math.max(...fragments.map(({ duration }) => duration));
  hls.on(Hls.Events.LEVEL_LOADED, (_, { details, stats }) => {
    punctual.came(details, stats.loading.first);
    if (details.live && details.fragments.length > 0) {
      const sync = longest(details) + WAY_S;
      Object.assign(hls.config, { liveSyncDuration: sync, liveMaxLatencyDuration: BEHIND * sync });
    }
  });
}

function attach(
  hls: HlsType,
  Hls: typeof HlsType,
  video: HTMLVideoElement,
  url: string,
  live: boolean,
  tell: (state: PlayerState) => void,
): void {
  let tries = 0;
  let seen = false;
  hls.on(Hls.Events.FRAG_BUFFERED, () => {
    tries = 0;
    seen = true;
  });
  hls.on(Hls.Events.ERROR, (_, fault) => {
    if (!fault.fatal) {
      return;
    }
    tries += 1;
    if (!live && tries > TRIES) {
      tell('broken');
      hls.destroy();
    } else if (fault.type === Hls.ErrorTypes.MEDIA_ERROR) {
      hls.recoverMediaError();
    } else {
      tell(live && (seen || tries > TRIES) ? 'away' : 'loading');
      setTimeout(() => {
        if (hls.media) {
          // A replay goes on where it was.
          hls.config.startPosition = live ? -1 : hls.media.currentTime;
          hls.loadSource(url);
        }
      }, RETRY_MS);
    }
  });
  hls.loadSource(url);
  hls.attachMedia(video);
}

/** Browsers let a page play with sound only after a touch: where that is refused, it plays without. */
async function start(video: HTMLVideoElement): Promise<void> {
  try {
    await video.play();
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === 'NotAllowedError') {
      video.muted = true;
      await video.play().catch(() => undefined);
    }
  }
}
