// By which way this browser sends its picture, of those that the server offers.
import { config } from '../api/config.ts';
import type { Ingest } from '../api/documents.ts';
import { type Health, type Publication, publish } from './whip.ts';

export type Way = (media: MediaStream, tell: (health: Health) => void) => Promise<Publication>;

/** None where only an app can send. */
export async function wayOf(ingest: Ingest, token: string): Promise<Way | undefined> {
  const { whipUrl, ivs } = ingest;
  if (whipUrl) {
    return (media, tell) => publish(whipUrl, token, media, tell);
  }
  const { broadcastSdk } = ivs ? await config() : { broadcastSdk: null };
  if (ivs && broadcastSdk) {
    return async (media, tell) => (await import('./ivs.ts')).publish(broadcastSdk, ivs, media, tell);
  }
  return undefined;
}
