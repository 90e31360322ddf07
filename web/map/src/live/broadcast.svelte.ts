// A broadcast of one's own, from the camera to the end: the one state that the page of going live shows.
import { ask } from '../api/ask.ts';
import { type Category, type Ingest, moveStream, startStream, stopStream } from '../api/documents.ts';
import type { Point } from '../map/geo.ts';
import { type CameraFault, type Facing, type Fix, followPlace, keepAwake, letGo, metresBetween, openCamera } from './device.ts';
import { type Air, OnAir } from './keep.ts';
import { type Way, wayOf } from './way.ts';

export type Stage = 'closed' | 'camera' | 'preview' | 'starting' | 'onAir' | 'app' | 'stopping' | 'ended';

/** A place is told again when it is this far from the last one, in metres, and not more often than that, in ms. */
const MOVED_METRES = 15;
const MOVED_MS = 5_000;

export interface Started {
  readonly id: string;
  readonly token: string;
  readonly ingest: Ingest;
  readonly at: number;
}

export class Broadcast {
  stage = $state<Stage>('closed');
  media = $state.raw<MediaStream>();
  /** Why there is no camera, or not the one that was wanted. */
  fault = $state<CameraFault | null>(null);
  /** Whether a camera is being asked for. */
  asking = $state(false);
  /** Why it was not started: a code of the API, or `failed`. */
  refusal = $state<string | null>(null);
  air = $state<Air>('connecting');
  muted = $state(false);
  title = $state('');
  /** Whoever is in a hurry says nothing wrong. */
  category = $state<Category>('OTHER');
  fix = $state.raw<Fix>();
  /** A place that was chosen on the map; the device's own counts where there is none. */
  chosen = $state.raw<Point>();
  follows = $state(true);
  started = $state.raw<Started>();
  readonly place = $derived<Point | undefined>(this.chosen ?? this.fix);
  readonly #facing: { now: Facing } = { now: 'environment' };
  #onAir: OnAir | undefined;
  #release: (() => void)[] = [];
  #told: { place: Point; at: number } | undefined;
  /** Counts what was begun and given up: what comes of something given up is not wanted any more. */
  #visit = 0;

  /** Opens the page: the place is looked for, the camera is asked for only by a touch. */
  open(): void {
    this.stage = 'camera';
    this.fault = null;
    this.#release.push(followPlace((fix) => this.#moved(fix), () => undefined));
  }

  /** Asks for the camera, at first or after it was lost. */
  async turnOn(): Promise<void> {
    if (this.asking) {
      return;
    }
    this.fault = null;
    if ((await this.#take(this.#facing.now)) && this.stage === 'camera') {
      this.stage = 'preview';
    }
  }

  async flip(): Promise<void> {
    if (this.asking) {
      return;
    }
    this.fault = null;
    const { now } = this.#facing;
    // Phones give one camera at a time.
    this.media?.getVideoTracks().forEach((track) => track.stop());
    const visit = this.#visit;
    if (!(await this.#take(now === 'user' ? 'environment' : 'user')) && visit === this.#visit) {
      await this.#take(now);
    }
  }

  /** Puts the camera that looks this way in place of the one there is; tells whether it was had. */
  async #take(facing: Facing): Promise<boolean> {
    const visit = this.#visit;
    this.asking = true;
    try {
      const media = await openCamera(facing);
      if (visit !== this.#visit) {
        letGo(media);
        return false;
      }
      letGo(this.media);
      this.media = media;
      this.#facing.now = facing;
      this.#hear();
      for (const track of media.getVideoTracks()) {
        // Unplugged, or taken by the system or a call; one that is stopped here does not tell.
        track.addEventListener('ended', () => this.media === media && void this.turnOn());
      }
      await Promise.all(media.getTracks().map((track) => this.#onAir?.publication?.replace(track)));
      return true;
    } catch (fault) {
      if (visit === this.#visit) {
        this.fault = fault as CameraFault;
      }
      return false;
    } finally {
      if (visit === this.#visit) {
        this.asking = false;
      }
    }
  }

  mute(): void {
    this.muted = !this.muted;
    this.#hear();
  }

  /** Announces it and goes on air; with `app`, shows where an app sends its picture. */
  async start(app: boolean): Promise<void> {
    const { place } = this;
    if (!place) {
      return;
    }
    const [before, visit] = [this.stage, this.#visit];
    this.stage = 'starting';
    this.refusal = null;
    const started = await this.#announce(place);
    const way = started && !app ? await wayOf(started.ingest, started.token) : undefined;
    if (visit !== this.#visit) {
      if (started) {
        void end(started);
      }
      return;
    }
    if (!started || (!app && !started.ingest.whipUrl && !started.ingest.rtmpUrl && !started.ingest.ivs)) {
      this.refusal ??= 'noWay';
      this.stage = before;
      return;
    }
    this.started = started;
    this.#told = { place, at: Date.now() };
    if (way) {
      this.#publish(way);
    } else {
      this.#letGoOfCamera();
      this.stage = 'app';
    }
  }

  async stop(): Promise<void> {
    const { started } = this;
    const visit = this.#visit;
    this.stage = 'stopping';
    // Whatever becomes of the network, nothing is filmed any more.
    this.#letGoOfCamera();
    await this.#onAir?.stop();
    if (started) {
      await end(started);
    }
    if (visit === this.#visit) {
      this.#clear();
      this.stage = 'ended';
    }
  }

  close(): void {
    this.#clear();
    this.started = undefined;
    this.chosen = undefined;
    this.title = '';
    this.refusal = null;
    this.stage = 'closed';
  }

  async #announce({ longitude, latitude }: Point): Promise<Started | undefined> {
    const { title, category, chosen, fix } = this;
    const exact = chosen || !fix ? {} : { accuracy: fix.accuracy, heading: fix.heading };
    const input = { title: title.trim(), category, position: { longitude, latitude }, ...exact };
    try {
      const { startStream: payload } = await ask(startStream, { input });
      if (payload.stream && payload.publishToken && payload.ingest) {
        return { id: payload.stream.id, token: payload.publishToken, ingest: payload.ingest, at: Date.now() };
      }
      this.refusal = payload.error?.code ?? 'failed';
    } catch {
      this.refusal = 'failed';
    }
    return undefined;
  }

  #publish(way: Way): void {
    this.stage = 'onAir';
    this.#onAir = new OnAir(
      (tell) => way(this.media ?? new MediaStream(), tell),
      (air) => (this.air = air),
    );
    const retry = (): void => this.#onAir?.retry();
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('online', retry);
    addEventListener('beforeunload', warn);
    this.#release.push(keepAwake(), () => {
      removeEventListener('online', retry);
      removeEventListener('beforeunload', warn);
    });
  }

  #moved(fix: Fix): void {
    this.fix = fix;
    const { started, follows, chosen } = this;
    const told = this.#told;
    if (started && told && follows && !chosen && Date.now() - told.at > MOVED_MS && metresBetween(fix, told.place) > MOVED_METRES) {
      this.#told = { place: fix, at: Date.now() };
      const { longitude, latitude, accuracy, heading } = fix;
      const input = { id: started.id, publishToken: started.token, position: { longitude, latitude }, accuracy, heading };
      // The next place is told all the same.
      ask(moveStream, { input }).catch(() => undefined);
    }
  }

  #hear(): void {
    this.media?.getAudioTracks().forEach((track) => (track.enabled = !this.muted));
  }

  #letGoOfCamera(): void {
    letGo(this.media);
    this.media = undefined;
  }

  #clear(): void {
    this.#visit += 1;
    this.asking = false;
    this.fault = null;
    this.#letGoOfCamera();
    void this.#onAir?.stop();
    this.#onAir = undefined;
    this.#release.splice(0).forEach((release) => release());
    this.#told = undefined;
    this.muted = false;
  }
}

/** Where the server is away, it ends the broadcast by itself when nothing comes in any more. */
async function end({ id, token }: Started): Promise<void> {
  await ask(stopStream, { input: { id, publishToken: token } }).catch(() => undefined);
}
