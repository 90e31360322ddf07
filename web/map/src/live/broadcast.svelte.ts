// A broadcast of one's own, from the camera to the end: the one state that the page of going live shows.
import { ask } from '../api/ask.ts';
import { type Category, type Ingest, moveStream, startStream, stopStream } from '../api/documents.ts';
import type { Point } from '../map/geo.ts';
import { type CameraFault, type Facing, type Fix, followPlace, keepAwake, metresBetween, openCamera } from './device.ts';
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
  fault = $state<CameraFault | null>(null);
  /** Why it was not started: a code of the API, or `failed`. */
  refusal = $state<string | null>(null);
  air = $state<Air>('connecting');
  muted = $state(false);
  title = $state('');
  category = $state<Category>('FIRE');
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

  /** Opens the page: the place is looked for, the camera is asked for only by a touch. */
  open(): void {
    this.stage = 'camera';
    this.fault = null;
    this.#release.push(followPlace((fix) => this.#moved(fix), () => undefined));
  }

  async turnOn(): Promise<void> {
    this.fault = null;
    try {
      this.media = await openCamera(this.#facing.now);
      this.stage = 'preview';
    } catch (fault) {
      this.fault = fault as CameraFault;
    }
  }

  async flip(): Promise<void> {
    this.#facing.now = this.#facing.now === 'user' ? 'environment' : 'user';
    // Phones give one camera at a time.
    this.media?.getVideoTracks().forEach((track) => track.stop());
    try {
      const next = await openCamera(this.#facing.now);
      this.media?.getAudioTracks().forEach((track) => track.stop());
      this.media = next;
      this.#hear();
      await Promise.all(next.getTracks().map((track) => this.#onAir?.publication?.replace(track)));
    } catch (fault) {
      this.fault = fault as CameraFault;
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
    const before = this.stage;
    this.stage = 'starting';
    this.refusal = null;
    const started = await this.#announce(place);
    if (!started || (!app && !started.ingest.whipUrl && !started.ingest.rtmpUrl && !started.ingest.ivs)) {
      this.refusal ??= 'noWay';
      this.stage = before;
      return;
    }
    this.started = started;
    this.#told = { place, at: Date.now() };
    const way = app ? undefined : await wayOf(started.ingest, started.token);
    if (way) {
      this.#publish(way);
    } else {
      this.#letGoOfCamera();
      this.stage = 'app';
    }
  }

  async stop(): Promise<void> {
    const { started } = this;
    this.stage = 'stopping';
    await this.#onAir?.stop();
    if (started) {
      // Where the server is away, it ends the broadcast by itself when nothing comes in any more.
      await ask(stopStream, { input: { id: started.id, publishToken: started.token } }).catch(() => undefined);
    }
    this.#clear();
    this.stage = 'ended';
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
    this.media?.getTracks().forEach((track) => track.stop());
    this.media = undefined;
  }

  #clear(): void {
    this.#letGoOfCamera();
    void this.#onAir?.stop();
    this.#onAir = undefined;
    this.#release.splice(0).forEach((release) => release());
    this.#told = undefined;
    this.muted = false;
  }
}
