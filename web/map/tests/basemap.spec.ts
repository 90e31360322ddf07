import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GeoJSONVT } from '@maplibre/geojson-vt';
import { fromGeojsonVt } from '@maplibre/vt-pbf';
import { namedFlavor } from '@protomaps/basemaps';
import type { Feature } from 'geojson';
import { archive } from '../basemap/archive.ts';
import { colourAt } from './colour.ts';
import { Elsewhere } from './elsewhere.ts';
import { expect, KOREA, SEOUL, test } from './fixtures.ts';

/** Land as no atlas has it: a square around Korea. */
const SQUARE: Feature = {
  type: 'Feature',
  properties: { kind: 'earth' },
  geometry: { type: 'Polygon', coordinates: [[[120, 30], [135, 30], [135, 45], [120, 45], [120, 30]]] },
};
/** Well inside the square, where no panel and no pin is, in pixels. */
const INSIDE = { x: 900, y: 620 };

test.describe('a style of another site', () => {
  const COLOUR = '#336699';
  let site: Elsewhere;
  test.use({
    settings: async ({}, use) => {
      const files: Record<string, { type: string; body: string }> = {};
      site = await Elsewhere.start(files);
      const layer = { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': COLOUR, 'fill-antialias': false } };
      const style = { version: 8, sources: { land: { type: 'geojson', data: `${site.url}/land.geojson` } }, layers: [layer] };
      files['/style.json'] = { type: 'application/json', body: JSON.stringify(style) };
      files['/land.geojson'] = { type: 'application/geo+json', body: JSON.stringify(SQUARE) };
      await use({ BASEMAP_STYLE_URL: `${site.url}/style.json` });
      await site.stop();
    },
    admitted: async ({ settings }, use) => use([new URL(settings['BASEMAP_STYLE_URL'] ?? '').origin]),
  });

  test('is drawn with what it loads from there, and only that site is admitted', async ({ page, server, open }) => {
    await server.goLive('On another map', SEOUL);
    await open(KOREA);
    await expect(page.locator('.pin')).toHaveCount(1);
    expect(await colourAt(page, INSIDE)).toBe(COLOUR);
    expect(new Set(site.asked)).toEqual(new Set(['/style.json', '/land.geojson']));
    const { headers } = await fetch(server.url);
    expect(headers.get('content-security-policy')).toContain(`connect-src 'self' ${[server.url, site.url].sort().join(' ')};`);
  });
});

test.describe('a file of tiles of the operator', () => {
  test.use({
    settings: async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), 'emergency-time-tiles-'));
      const file = join(folder, 'region.pmtiles');
      const tile = new GeoJSONVT(SQUARE, { maxZoom: 0, indexMaxZoom: 0 }).getTile(0, 0, 0);
      const bytes = fromGeojsonVt({ earth: tile as never }, { version: 2, extent: 4096 });
      writeFileSync(file, archive([{ zoom: 0, x: 0, y: 0, bytes }], 0, { vector_layers: [{ id: 'earth', fields: {} }] }));
      await use({ BASEMAP_PMTILES: file });
      rmSync(folder, { recursive: true });
    },
  });

  test('is read in parts and drawn in the colours of Protomaps', async ({ page, server, open }) => {
    await server.goLive('On a map of the region', SEOUL);
    const statuses: number[] = [];
    page.on('response', (answer) => {
      if (answer.url().endsWith('/basemap.pmtiles')) {
        statuses.push(answer.status());
      }
    });
    await open(KOREA);
    await expect(page.locator('.pin')).toHaveCount(1);
    expect(await colourAt(page, INSIDE)).toBe(namedFlavor('light').earth);
    expect(statuses.length).toBeGreaterThan(0);
    expect(new Set(statuses)).toEqual(new Set([206]));
    const whole = await fetch(`${server.url}/basemap.pmtiles`, { headers: { range: 'bytes=0-6' } });
    expect([whole.status, await whole.text()]).toEqual([206, 'PMTiles']);
  });
});
