// Cuts the offline basemap into vector tiles: land and borders of Natural Earth (public domain), and the bundled places.
//
// Zoom 6 is the last one: a tile's grid is then 150 m fine, finer than the shores of Natural Earth, and the map draws
// the same tiles at every deeper zoom.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { GeoJSONVT } from '@maplibre/geojson-vt';
import { fromGeojsonVt } from '@maplibre/vt-pbf';
import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import { feature, mesh } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import { archive, type Tile } from './archive.ts';
import { labels } from './places.ts';

type Atlas = Topology<{ countries: GeometryCollection<{ name: string }>; land: GeometryCollection }>;
type Countries = FeatureCollection<Polygon | MultiPolygon, { name: string }>;

const MAX_ZOOM = 6;
/** How fine the grid of a tile is: the default of everything that reads tiles. */
const EXTENT = 4096;
/** A label is in a tile from this much before the zoom it is shown from. */
const LABEL_MARGIN = 1;

function atlas(): Atlas {
  const path = createRequire(import.meta.url).resolve('world-atlas/countries-10m.json');
  return JSON.parse(readFileSync(path, 'utf8')) as Atlas;
}

function index(data: GeoJSON.GeoJSON, tolerance: number): GeoJSONVT {
  return new GeoJSONVT(data, { maxZoom: MAX_ZOOM, indexMaxZoom: 4, indexMaxPoints: 0, extent: EXTENT, tolerance, buffer: 64 });
}

/** The basemap as one PMTiles file. */
export function basemap(): Buffer {
  const world = atlas();
  const land = feature(world, world.objects.countries) as Countries;
  const borders = mesh(world, world.objects.countries, (a, b) => a !== b);
  const layers = { land: index(land, 3), border: index(borders, 3), place: index(labels(land), 0) };
  const tiles: Tile[] = [];
  for (let zoom = 0; zoom <= MAX_ZOOM; zoom += 1) {
    for (let x = 0; x < 2 ** zoom; x += 1) {
      for (let y = 0; y < 2 ** zoom; y += 1) {
        const bytes = tile(layers, zoom, x, y);
        if (bytes) {
          tiles.push({ zoom, x, y, bytes });
        }
      }
    }
  }
  const fields = { name: 'String', ko: 'String', kind: 'String', zoom: 'Number', weight: 'Number' };
  return archive(tiles, MAX_ZOOM, {
    name: 'Emergency Time offline',
    attribution: 'Natural Earth, GeoNames (CC BY 4.0)',
    vector_layers: Object.keys(layers).map((id) => ({ id, fields: id === 'place' ? fields : {} })),
  });
}

function tile(layers: Record<string, GeoJSONVT>, zoom: number, x: number, y: number): Uint8Array | undefined {
  const filled: Record<string, NonNullable<ReturnType<GeoJSONVT['getTile']>>> = {};
  for (const [name, layer] of Object.entries(layers)) {
    const whole = layer.getTile(zoom, x, y);
    const cut = name === 'place' ? whole?.features.filter((label) => shown(label.tags, zoom)) : whole?.features;
    if (whole && cut && cut.length > 0) {
      // Names of countries are drawn from labels: on the land they would only cost bytes.
      const features = name === 'land' ? cut.map((part) => ({ ...part, tags: null })) : cut;
      filled[name] = { ...whole, features } as typeof whole;
    }
  }
  return Object.keys(filled).length > 0 ? fromGeojsonVt(filled, { version: 2, extent: EXTENT }) : undefined;
}

function shown(tags: unknown, zoom: number): boolean {
  const from = (tags as { zoom?: number } | null)?.zoom ?? 0;
  return zoom === MAX_ZOOM || from <= zoom + LABEL_MARGIN;
}
