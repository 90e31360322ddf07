// What the map is drawn with: our own tiles, which need no network beyond the server; the operator's tiles in the schema
// of Protomaps; or the operator's own style.
//
// No style names glyphs or sprites of another site: letters are drawn with the fonts of the device.
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { Basemap } from '../api/config.ts';
import type { Theme } from '../ui/theme.svelte.ts';
import type { Language } from '../words/words.svelte.ts';

/** The tiles of this server, in one file. */
export const ARCHIVE = '/basemap.pmtiles';
const TILES = `pmtiles://${ARCHIVE}`;
/** As the rest of the page: families of the device, none of which is asked for. */
const FONT = ['Noto Sans KR', 'Noto Sans CJK KR', 'Apple SD Gothic Neo', 'Malgun Gothic', 'sans-serif'];

const COLOURS = {
  light: { shore: '#a9c3d4', land: '#f6f4ef', border: '#a8a2b5', text: '#3d4553', soft: '#626b7a', halo: '#ffffff' },
  dark: { shore: '#2b3a4d', land: '#18212d', border: '#4a5669', text: '#cdd6e2', soft: '#93a0b3', halo: '#0d141d' },
} as const;

/** The style, or the address of one. */
export type Style = StyleSpecification | string;

export async function style(basemap: Basemap, theme: Theme, language: Language, credits: string): Promise<Style> {
  switch (basemap.kind) {
    case 'style':
      return basemap.url;
    case 'protomaps':
      return protomaps(theme, language);
    case 'offline':
      return offline(theme, language, credits);
  }
}

async function protomaps(theme: Theme, language: Language): Promise<StyleSpecification> {
  const { layers, namedFlavor } = await import('@protomaps/basemaps');
  const drawn = layers('protomaps', namedFlavor(theme), { lang: language }) as LayerSpecification[];
  return {
    version: 8,
    sources: {
      protomaps: { type: 'vector', url: TILES, attribution: '© OpenStreetMap, Protomaps' },
    },
    // Icons would need a sprite; letters must not ask for a font that no server gives.
    layers: drawn.map((layer) => (layer.type === 'symbol' ? withoutSprite(layer) : layer)),
  };
}

function withoutSprite(layer: Extract<LayerSpecification, { type: 'symbol' }>): LayerSpecification {
  const { 'icon-image': _, ...layout } = layer.layout ?? {};
  return { ...layer, layout: { ...layout, 'text-font': FONT } };
}

function offline(theme: Theme, language: Language, credits: string): StyleSpecification {
  const colour = COLOURS[theme];
  const name: ExpressionSpecification =
    language === 'ko' ? ['case', ['==', ['get', 'ko'], ''], ['get', 'name'], ['get', 'ko']] : ['get', 'name'];
  const label = (
    kind: string,
    size: ExpressionSpecification,
    text: string,
    more: { maxzoom?: number; spacing?: number } = {},
  ): LayerSpecification => ({
    id: `label-${kind}`,
    type: 'symbol',
    source: 'world',
    'source-layer': 'place',
    ...(more.maxzoom === undefined ? {} : { maxzoom: more.maxzoom }),
    filter: ['all', ['==', ['get', 'kind'], kind], ['>=', ['zoom'], ['get', 'zoom']]],
    layout: {
      'text-field': name,
      'text-font': FONT,
      'text-size': size,
      'text-letter-spacing': more.spacing ?? 0,
      'text-max-width': 7,
      'text-padding': 6,
      'symbol-sort-key': ['-', ['get', 'weight']],
    },
    paint: { 'text-color': text, 'text-halo-color': colour.halo, 'text-halo-width': 1.4, 'text-halo-blur': 0.4 },
  });
  const grown = (from: number, low: number, to: number, high: number): ExpressionSpecification => [
    'interpolate',
    ['linear'],
    ['zoom'],
    from,
    low,
    to,
    high,
  ];
  // Every kind of drawing is a program that the device compiles before the first picture, and without a graphics processor
  // that is most of the wait: the sea is the page's own colour, land has no edge but the shore, and no line is dashed.
  return {
    version: 8,
    sources: { world: { type: 'vector', url: TILES, attribution: credits } },
    layers: [
      { id: 'land', type: 'fill', source: 'world', 'source-layer': 'land', paint: { 'fill-color': colour.land, 'fill-antialias': false } },
      { id: 'shore', type: 'line', source: 'world', 'source-layer': 'land', paint: { 'line-color': colour.shore, 'line-width': grown(3, 1, 10, 2.4), 'line-blur': grown(3, 0.5, 10, 1) } },
      { id: 'border', type: 'line', source: 'world', 'source-layer': 'border', paint: { 'line-color': colour.border, 'line-width': grown(3, 0.6, 10, 1.6) } },
      label('district', grown(9, 11, 14, 15), colour.soft),
      label('city', grown(5, 11, 12, 18), colour.text),
      label('province', grown(5, 12, 9, 17), colour.soft, { maxzoom: 10, spacing: 0.06 }),
      label('country', grown(2, 11, 7, 20), colour.soft, { maxzoom: 6.5, spacing: 0.1 }),
    ],
  };
}
