// What the address of the page says: which page, what is open, where the map is, what is filtered. Everything that a
// link should carry stands there and nowhere else.
import type { Category, MapItemKind } from '../api/documents.ts';
import { type Box, parseBox } from '../map/geo.ts';
import type { Camera } from '../map/mercator.ts';

export type Page = 'map' | 'embed' | 'wall';
/** How long ago something may have begun. */
export type Period = 'any' | 'hour' | 'day' | 'week';

export interface Filters {
  readonly kinds: readonly MapItemKind[];
  readonly categories: readonly Category[];
  readonly period: Period;
}

export interface Address {
  readonly page: Page;
  readonly item: string | null;
  readonly camera: Camera | null;
  readonly bbox: Box | null;
  readonly filters: Filters;
}

export const KINDS = ['STREAM', 'VOD', 'CCTV'] as const satisfies readonly MapItemKind[];
export const CATEGORIES = [
  'FIRE',
  'FLOOD',
  'EARTHQUAKE',
  'STORM',
  'LANDSLIDE',
  'EXPLOSION',
  'COLLAPSE',
  'TRAFFIC',
  'CROWD',
  'VIOLENCE',
  'RESCUE',
  'OTHER',
] as const satisfies readonly Category[];
export const PERIODS = ['any', 'hour', 'day', 'week'] as const satisfies readonly Period[];
const PERIOD_MS: Readonly<Record<Period, number>> = { any: 0, hour: 3_600_000, day: 86_400_000, week: 604_800_000 };

export const NO_FILTERS: Filters = { kinds: [], categories: [], period: 'any' };

export function read(url: URL): Address {
  const query = url.searchParams;
  const [, first = '', second = ''] = url.pathname.split('/');
  const page = first === 'embed' || first === 'wall' ? first : 'map';
  const period = PERIODS.find((name) => name === query.get('since')) ?? 'any';
  return {
    page,
    item: first === 's' && second ? decodeURIComponent(second) : null,
    camera: readCamera(query.get('at')),
    bbox: parseBox(query.get('bbox')) ?? null,
    filters: { kinds: listed(query.get('show'), KINDS), categories: listed(query.get('hazards'), CATEGORIES), period },
  };
}

/** The address of a map; what is as usual is left out. `lang` stays where it was given. */
export function write(url: URL, what: Pick<Address, 'item' | 'camera' | 'filters'>): string {
  const page = read(url).page;
  const next = new URL(page === 'map' ? (what.item ? `/s/${encodeURIComponent(what.item)}` : '/') : url.pathname, url);
  for (const kept of ['lang', 'bbox']) {
    const value = url.searchParams.get(kept);
    if (value) {
      next.searchParams.set(kept, value);
    }
  }
  if (what.camera) {
    const { longitude, latitude, zoom } = what.camera;
    next.searchParams.set('at', `${latitude.toFixed(5)},${longitude.toFixed(5)},${zoom.toFixed(2)}`);
  }
  const { kinds, categories, period } = what.filters;
  const lists = { show: kinds.join('.'), hazards: categories.join('.'), since: period === 'any' ? '' : period };
  for (const [name, value] of Object.entries(lists)) {
    if (value) {
      next.searchParams.set(name, value.toLowerCase());
    }
  }
  // Commas are allowed in a query and are easier to read than their escapes.
  return next.pathname + next.search.replaceAll('%2C', ',');
}

/** The earliest moment of a period, to the minute, so that it is not another one at every look. */
export function sinceOf(period: Period, at: number): string | null {
  return period === 'any' ? null : new Date(Math.floor((at - PERIOD_MS[period]) / 60_000) * 60_000).toISOString();
}

function readCamera(text: string | null): Camera | null {
  const [latitude, longitude, zoom, ...more] = (text ?? '').split(',').map((part) => (part.trim() ? Number(part) : NaN));
  const inside = (value: number | undefined, least: number, most: number): value is number =>
    value !== undefined && value >= least && value <= most;
  const whole = inside(latitude, -85, 85) && inside(longitude, -180, 180) && inside(zoom, 0, 22) && more.length === 0;
  return whole ? { longitude, latitude, zoom } : null;
}

function listed<T extends string>(text: string | null, all: readonly T[]): T[] {
  const named = new Set((text ?? '').toUpperCase().split('.'));
  return all.filter((name) => named.has(name));
}
