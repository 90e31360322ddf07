// Sends a camera's picture to the server: WHIP, the WebRTC-HTTP Ingestion Protocol. Source: RFC 9725.
//
// The server is reached directly and finds the way back by itself (ICE-lite), so the offer goes out at once and no
// candidate follows it.

/** The server will not take this broadcast, however often it is asked. */
export class Declined extends Error {
  override readonly name = 'Declined';
}

/** How a publication goes. */
export type Health = 'connected' | 'weak' | 'lost';

export interface Publication {
  /** Puts another picture in place of the one that is sent. */
  replace(track: MediaStreamTrack): Promise<void>;
  /** Lets go of the connection; with `over`, tells the server that no other will follow. */
  close(over: boolean): Promise<void>;
}

const MAX_BITRATE = 2_500_000;
/** How long a connection may be without answers before it is given up, in ms. */
const SILENCE_MS = 4_000;
/** How long the server is waited for when it is told of the end, in ms. */
const FAREWELL_MS = 5_000;
/** How long a connection may take to come about, in ms. */
const CONNECT_MS = 12_000;
const FINAL: readonly number[] = [400, 401, 403, 404, 405, 406, 410, 413, 415, 422];

/** Publishes the stream; tells how it goes until it is closed. */
export async function publish(
  url: string,
  token: string,
  media: MediaStream,
  tell: (health: Health) => void,
): Promise<Publication> {
  const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  try {
    send(connection, media);
    await connection.setLocalDescription(await connection.createOffer());
    const { answer, session } = await offer(url, token, connection.localDescription?.sdp ?? '');
    await connection.setRemoteDescription({ type: 'answer', sdp: answer });
    await connected(connection);
    tell('connected');
    const stop = watch(connection, tell);
    return {
      async replace(track) {
        await connection.getSenders().find((sender) => sender.track?.kind === track.kind)?.replaceTrack(track);
      },
      async close(over) {
        stop();
        connection.close();
        if (over) {
          const signal = AbortSignal.timeout(FAREWELL_MS);
          await fetch(session, { method: 'DELETE', headers: bearer(token), keepalive: true, signal }).catch(() => undefined);
        }
      },
    };
  } catch (fault) {
    connection.close();
    throw fault;
  }
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

function send(connection: RTCPeerConnection, media: MediaStream): void {
  for (const track of media.getTracks()) {
    const video = track.kind === 'video';
    const sender = connection.addTransceiver(track, {
      direction: 'sendonly',
      streams: [media],
      ...(video ? { sendEncodings: [{ maxBitrate: MAX_BITRATE }] } : {}),
    });
    if (video) {
      // H.264 is recorded as it comes; whoever cannot send it sends what they can.
      const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
      const h264 = (codec: { mimeType: string }): boolean => codec.mimeType.toLowerCase() === 'video/h264';
      sender.setCodecPreferences([...codecs.filter(h264), ...codecs.filter((codec) => !h264(codec))]);
    }
  }
}

async function offer(url: string, token: string, sdp: string): Promise<{ answer: string; session: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp', ...bearer(token) },
    body: sdp,
    signal: AbortSignal.timeout(CONNECT_MS),
  });
  if (response.status !== 201) {
    const reason = `the server answered ${response.status}`;
    throw FINAL.includes(response.status) ? new Declined(reason) : new Error(reason);
  }
  const session = new URL(response.headers.get('location') ?? '', response.url).href;
  return { answer: await response.text(), session };
}

function connected(connection: RTCPeerConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no connection came about')), CONNECT_MS);
    const look = (): void => {
      const { connectionState } = connection;
      if (connectionState === 'connected' || connectionState === 'failed' || connectionState === 'closed') {
        clearTimeout(timer);
        connection.removeEventListener('connectionstatechange', look);
        if (connectionState === 'connected') {
          resolve();
        } else {
          reject(new Error(`the connection ${connectionState}`));
        }
      }
    };
    connection.addEventListener('connectionstatechange', look);
    look();
  });
}

/** Tells when answers stay away, and when that has lasted too long. */
function watch(connection: RTCPeerConnection, tell: (health: Health) => void): () => void {
  let silence: ReturnType<typeof setTimeout> | undefined;
  const listen = new AbortController();
  const look = (): void => {
    clearTimeout(silence);
    switch (connection.connectionState) {
      case 'connected':
        tell('connected');
        break;
      case 'disconnected':
        tell('weak');
        silence = setTimeout(() => tell('lost'), SILENCE_MS);
        break;
      case 'failed':
      case 'closed':
        tell('lost');
        break;
      default:
        break;
    }
  };
  connection.addEventListener('connectionstatechange', look, { signal: listen.signal });
  // The radio is gone: no need to wait for silence.
  addEventListener('offline', () => tell('lost'), { signal: listen.signal });
  return () => {
    clearTimeout(silence);
    listen.abort();
  };
}
