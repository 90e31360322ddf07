import { expect, test } from 'vitest';
import type { Broadcast, Replay } from '../api/documents.ts';
import { phaseOf } from './phase.ts';

const broadcast = (streamStatus: Broadcast['streamStatus'], playbackUrl: string | null = null): Broadcast =>
  ({ streamStatus, playbackUrl }) as Broadcast;
const replay = (vodStatus: Replay['vodStatus'], more: Partial<Replay> = {}): Replay =>
  ({ vodStatus, playbackUrl: null, progress: 0.5, ...more }) as Replay;

test('a broadcast is live, then being prepared, then its replay', () => {
  const growing = replay('PROCESSING');
  expect(phaseOf(broadcast('LIVE', '/live'), growing)).toEqual({ is: 'live', url: '/live', interrupted: false });
  expect(phaseOf(broadcast('INTERRUPTED', '/live'), growing)).toMatchObject({ is: 'live', interrupted: true });
  expect(phaseOf(broadcast('ENDED'), growing)).toEqual({ is: 'preparing', part: 0.5 });
  expect(phaseOf(broadcast('ENDED'), replay('READY', { playbackUrl: '/vod' }))).toEqual({ is: 'replay', url: '/vod' });
});

test('what cannot be seen is said', () => {
  expect(phaseOf(broadcast('PREPARING'), null).is).toBe('announced');
  expect(phaseOf(broadcast('LIVE'), null).is).toBe('liveWithoutPicture');
  expect(phaseOf(broadcast('ENDED'), null).is).toBe('nothing');
  expect(phaseOf(broadcast('FAILED'), null).is).toBe('failed');
  expect(phaseOf(broadcast('ENDED'), replay('WITHHELD')).is).toBe('withheld');
  expect(phaseOf(null, replay('REMOVED')).is).toBe('removed');
  expect(phaseOf(null, null).is).toBe('removed');
});

test('a replay outlives its broadcast', () => {
  expect(phaseOf(null, replay('READY', { playbackUrl: '/vod' })).is).toBe('replay');
});
