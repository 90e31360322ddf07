// Sends a camera's picture to Amazon IVS with Amazon's Web Broadcast SDK. The SDK is no part of this program: the operator
// names its address, and it is loaded when somebody goes live, not before.
//
// Written against the documented interface of version 1.41.0.
import { Declined, type Health, type Publication } from './whip.ts';

/** Where the SDK sends the picture. */
export interface Channel {
  readonly ingestEndpoint: string;
  readonly streamKey: string;
}

/** What is used of the SDK. */
interface Sdk {
  isSupported(): boolean;
  create(config: { readonly streamConfig: StreamConfig; readonly ingestEndpoint: string }): Client;
}

interface StreamConfig {
  readonly maxResolution: { readonly width: number; readonly height: number };
  readonly maxFramerate: number;
  /** In kilobits per second. */
  readonly maxBitrate: number;
}

interface Client {
  addVideoInputDevice(device: MediaStream, name: string, position: { readonly index: number }): Promise<void>;
  addAudioInputDevice(device: MediaStream, name: string): Promise<void>;
  removeVideoInputDevice(name: string): void;
  removeAudioInputDevice(name: string): void;
  /** Gives an error back or throws it. */
  startBroadcast(streamKey: string): Promise<unknown>;
  stopBroadcast(): void;
  getConnectionState(): string;
  on(event: string, heard: () => void): void;
  off(event: string, heard: () => void): void;
  delete(): void;
}

const [VIDEO, AUDIO] = ['camera', 'microphone'];
const STATE_CHANGED = 'connectionStateChange';
/** What every type of channel takes. */
const [LONG_SIDE, SHORT_SIDE, FRAMERATE, KILOBITS] = [1280, 720, 30, 2_500];
/** How long a connection may take to come about, and be without answers before it is given up, in ms. */
const [CONNECT_MS, SILENCE_MS] = [12_000, 4_000];

let loaded: Promise<Sdk> | undefined;

/** Publishes the stream; tells how it goes until it is closed. */
export async function publish(sdkUrl: string, channel: Channel, media: MediaStream, tell: (health: Health) => void): Promise<Publication> {
  loaded ??= load(sdkUrl).catch((fault: unknown) => {
    loaded = undefined;
    throw fault;
  });
  const sdk = await loaded;
  if (!sdk.isSupported()) {
    throw new Declined('this browser cannot send to Amazon IVS');
  }
  const client = sdk.create({ streamConfig: shapeOf(media), ingestEndpoint: channel.ingestEndpoint });
  const wanted = new AbortController();
  try {
    await Promise.all(media.getTracks().map((track) => add(client, track)));
    const connected = connection(client, wanted.signal);
    const [refused] = await Promise.all([client.startBroadcast(channel.streamKey), connected]);
    if (refused instanceof Error) {
      throw refused;
    }
  } catch (fault) {
    wanted.abort();
    end(client);
    throw fault;
  }
  tell('connected');
  const stop = watch(client, tell);
  return {
    async replace(track) {
      if (track.kind === 'video') {
        client.removeVideoInputDevice(VIDEO);
      } else {
        client.removeAudioInputDevice(AUDIO);
      }
      await add(client, track);
    },
    // Whether another follows, Amazon is not told: it waits for one either way.
    async close() {
      stop();
      end(client);
    },
  };
}

function load(url: string): Promise<Sdk> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => {
      const sdk = (globalThis as { IVSBroadcastClient?: Sdk }).IVSBroadcastClient;
      if (sdk) {
        resolve(sdk);
      } else {
        reject(new Declined('the script is not the SDK'));
      }
    };
    script.onerror = () => {
      script.remove();
      reject(new Error('the SDK was not loaded'));
    };
    document.head.append(script);
  });
}

/** Upright pictures stay upright. */
function shapeOf(media: MediaStream): StreamConfig {
  const { width = LONG_SIDE, height = SHORT_SIDE } = media.getVideoTracks()[0]?.getSettings() ?? {};
  const upright = height > width;
  const maxResolution = upright ? { width: SHORT_SIDE, height: LONG_SIDE } : { width: LONG_SIDE, height: SHORT_SIDE };
  return { maxResolution, maxFramerate: FRAMERATE, maxBitrate: KILOBITS };
}

function add(client: Client, track: MediaStreamTrack): Promise<void> {
  const device = new MediaStream([track]);
  return track.kind === 'video' ? client.addVideoInputDevice(device, VIDEO, { index: 0 }) : client.addAudioInputDevice(device, AUDIO);
}

function end(client: Client): void {
  client.stopBroadcast();
  client.delete();
}

/** What a state of the SDK's connection says of ours; nothing for those on the way to another. */
function healthOf(state: string): Health | undefined {
  switch (state) {
    case 'connected':
    case 'completed':
      return 'connected';
    case 'disconnected':
      return 'weak';
    case 'failed':
    case 'closed':
      return 'lost';
    default:
      return undefined;
  }
}

/** Until there is a connection. */
function connection(client: Client, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (settle: () => void): void => {
      clearTimeout(timer);
      client.off(STATE_CHANGED, look);
      settle();
    };
    const timer = setTimeout(() => over(() => reject(new Error('no connection came about'))), CONNECT_MS);
    const look = (): void => {
      const health = healthOf(client.getConnectionState());
      if (health === 'connected') {
        over(resolve);
      } else if (health === 'lost') {
        over(() => reject(new Error('the connection failed')));
      }
    };
    client.on(STATE_CHANGED, look);
    signal.addEventListener('abort', () => over(() => reject(new Error('given up'))), { once: true });
  });
}

/** Tells when answers stay away, and when that has lasted too long. */
function watch(client: Client, tell: (health: Health) => void): () => void {
  let silence: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    const health = healthOf(client.getConnectionState());
    if (health) {
      clearTimeout(silence);
      tell(health);
      silence = health === 'weak' ? setTimeout(() => tell('lost'), SILENCE_MS) : undefined;
    }
  };
  const offline = (): void => tell('lost');
  client.on(STATE_CHANGED, look);
  addEventListener('offline', offline);
  return () => {
    clearTimeout(silence);
    client.off(STATE_CHANGED, look);
    removeEventListener('offline', offline);
  };
}
