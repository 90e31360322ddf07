// What a viewer sees of a broadcast: one answer for every pair of states of a broadcast and its replay.
import type { Broadcast, Replay } from '../api/documents.ts';

export type Phase =
  | { readonly is: 'live'; readonly url: string; readonly interrupted: boolean }
  | { readonly is: 'liveWithoutPicture' }
  | { readonly is: 'announced' }
  | { readonly is: 'preparing'; readonly part: number }
  | { readonly is: 'replay'; readonly url: string }
  | { readonly is: 'withheld' }
  | { readonly is: 'failed' }
  | { readonly is: 'nothing' }
  | { readonly is: 'removed' };

export function phaseOf(broadcast: Broadcast | null, replay: Replay | null): Phase {
  if (broadcast && (broadcast.streamStatus === 'LIVE' || broadcast.streamStatus === 'INTERRUPTED')) {
    const interrupted = broadcast.streamStatus === 'INTERRUPTED';
    return broadcast.playbackUrl ? { is: 'live', url: broadcast.playbackUrl, interrupted } : { is: 'liveWithoutPicture' };
  }
  if (broadcast?.streamStatus === 'PREPARING') {
    return { is: 'announced' };
  }
  if (broadcast?.streamStatus === 'FAILED') {
    return { is: 'failed' };
  }
  if (!replay) {
    return broadcast?.streamStatus === 'REMOVED' || !broadcast ? { is: 'removed' } : { is: 'nothing' };
  }
  switch (replay.vodStatus) {
    case 'PROCESSING':
      return { is: 'preparing', part: replay.progress };
    case 'READY':
      return replay.playbackUrl ? { is: 'replay', url: replay.playbackUrl } : { is: 'preparing', part: 1 };
    case 'WITHHELD':
      return { is: 'withheld' };
    case 'REMOVED':
      return { is: 'removed' };
  }
}
