// What the device gives to a broadcast: camera, microphone, place, and a screen that stays on.

export type CameraFault = 'denied' | 'none' | 'busy' | 'insecure';
export type Facing = 'environment' | 'user';

/** The camera that looks the wanted way, where there are several, with sound where it can be had. Throws a `CameraFault`. */
export async function openCamera(facing: Facing): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw 'insecure' satisfies CameraFault;
  }
  const video = { facingMode: facing, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
  const audio = { echoCancellation: true, noiseSuppression: true };
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio }).catch((fault: unknown) => {
      // Which of the two is missing or taken is not said: a picture without sound is worth more than none.
      if (cameraFault(fault) === 'denied') {
        throw fault;
      }
      return navigator.mediaDevices.getUserMedia({ video });
    });
  } catch (fault) {
    throw cameraFault(fault);
  }
}

export function letGo(media: MediaStream | undefined): void {
  media?.getTracks().forEach((track) => track.stop());
}

function cameraFault(fault: unknown): CameraFault {
  switch (fault instanceof DOMException ? fault.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'none';
  }
}

export interface Fix {
  readonly longitude: number;
  readonly latitude: number;
  readonly accuracy: number;
  /** Degrees clockwise from north; `null` while standing still. */
  readonly heading: number | null;
}

/** Tells where the device is, again and again, until it is stopped. */
export function followPlace(tell: (fix: Fix) => void, fail: () => void): () => void {
  if (!('geolocation' in navigator)) {
    fail();
    return () => undefined;
  }
  const id = navigator.geolocation.watchPosition(
    ({ coords }) => {
      const heading = coords.heading === null || Number.isNaN(coords.heading) ? null : coords.heading % 360;
      tell({ longitude: coords.longitude, latitude: coords.latitude, accuracy: coords.accuracy, heading });
    },
    fail,
    { enableHighAccuracy: true, maximumAge: 5_000, timeout: 20_000 },
  );
  return () => navigator.geolocation.clearWatch(id);
}

/** Keeps the screen on until it is let go; comes back when the page does. Without support it does nothing. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | undefined;
  let over = false;
  const ask = async (): Promise<void> => {
    if (over || document.visibilityState !== 'visible' || !('wakeLock' in navigator)) {
      return;
    }
    try {
      lock = await navigator.wakeLock.request('screen');
    } catch {
      // A low battery may forbid it: the broadcast goes on all the same.
    }
  };
  document.addEventListener('visibilitychange', ask);
  void ask();
  return () => {
    over = true;
    document.removeEventListener('visibilitychange', ask);
    void lock?.release();
  };
}

/** Metres between two places, near enough for a few kilometres. */
export function metresBetween(a: { longitude: number; latitude: number }, b: { longitude: number; latitude: number }): number {
  const north = (a.latitude - b.latitude) * 111_195;
  const east = (a.longitude - b.longitude) * 111_195 * Math.cos((a.latitude * Math.PI) / 180);
  return Math.hypot(north, east);
}
