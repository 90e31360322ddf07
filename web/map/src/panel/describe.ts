// An item in words, for screen readers and lists.
import type { Item } from '../api/documents.ts';
import type { IconName } from '../icons/paths.ts';
import type { Words } from '../words/en.ts';

/** The icon that stands for it. */
export function iconOf(item: Item): IconName {
  return item.__typename === 'Cctv' ? 'camera' : item.category;
}

/** What it is, in a few words: kind, state, hazard. */
export function kindOf(item: Item, words: Words): string {
  switch (item.__typename) {
    case 'Stream':
      return item.streamStatus === 'INTERRUPTED' ? words.status.INTERRUPTED : words.oneOf.STREAM;
    case 'Vod':
      return item.vodStatus === 'PROCESSING'
        ? `${words.beingPrepared}, ${words.percent(item.progress)}`
        : words.oneOf.VOD;
    case 'Cctv':
      return item.cctvStatus === 'LIVE' || item.cctvStatus === 'UNKNOWN'
        ? words.oneOf.CCTV
        : `${words.oneOf.CCTV}, ${words.camera[item.cctvStatus]}`;
  }
}

/** All of it as one sentence. */
export function describe(item: Item, words: Words): string {
  const hazard = item.__typename === 'Cctv' ? [] : [words.category[item.category]];
  return [kindOf(item, words), ...hazard, item.title].join(', ');
}
