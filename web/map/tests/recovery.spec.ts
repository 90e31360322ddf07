// What could not be loaded at first: it is said plainly, and mended without anybody's doing, or by one button.
import { colourAt } from './colour.ts';
import { expect, KOREA, SEOUL, settled, test } from './fixtures.ts';

const BROKEN = 'Parts of the map could not be loaded.';
/** Inland, in the middle of the map, in pixels; and what is drawn there. */
const INLAND = { x: 640, y: 400 };
const LAND = '#f6f4ef';

test('a basemap that cannot be had at first is drawn as soon as it can', async ({ page, open }) => {
  await page.route('**/basemap.pmtiles', (route) => route.abort());
  await open(KOREA);
  await expect(page.getByText(BROKEN)).toBeVisible();
  expect(await colourAt(page, INLAND)).not.toBe(LAND);
  await page.unroute('**/basemap.pmtiles');
  await expect(page.getByText(BROKEN)).toHaveCount(0);
  expect(await colourAt(page, INLAND)).toBe(LAND);
});

test('a map that was drawn stays where the network goes, and is whole when it is back', async ({ page, context, open }) => {
  await open(KOREA);
  await context.setOffline(true);
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await expect(page.locator('[data-link=broken]')).toBeAttached();
  expect(await colourAt(page, INLAND)).toBe(LAND);
  await context.setOffline(false);
  await settled(page);
  await expect(page.getByText(BROKEN)).toHaveCount(0);
  expect(await colourAt(page, INLAND)).toBe(LAND);
});

test('a map whose code could not be had is not blamed on the device, and is tried again', async ({ page, server, open }) => {
  await server.goLive('Still listed', SEOUL);
  await page.route('**/assets/canvas-*.js', (route) => route.abort());
  await page.goto(server.url + KOREA);
  await expect(page.getByText('The map could not be downloaded.')).toBeVisible();
  await expect(page.getByText('WebGL2')).toHaveCount(0);
  await expect(page.locator('#list').getByText('Still listed')).toBeVisible();
  await page.unroute('**/assets/canvas-*.js');
  await page.getByRole('button', { name: 'Try again' }).click();
  await settled(page);
  await expect(page.locator('.pin')).toHaveCount(1);
  await open(KOREA);
});

for (const [name, path, chunk] of [
  ['the map', '/', '**/assets/MapPage-*.js'],
  ['a wall', '/wall', '**/assets/WallPage-*.js'],
] as const) {
  test(`a page whose code could not be had says so in both languages: ${name}`, async ({ page, server }) => {
    await page.route(chunk, (route) => route.abort());
    await page.goto(server.url + path);
    await expect(page.getByText('The page could not be downloaded.')).toBeVisible();
    await expect(page.getByText('페이지를 내려받지 못했습니다.')).toBeVisible();
    await page.unroute(chunk);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.locator('[data-link=following]')).toBeAttached();
  });
}

test('a camera whose still cannot be had any more says so over the last one, and since when', async ({ page, server, open }) => {
  server.cameras([SEOUL], 'city');
  const asked: number[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname === '/icon-192.png' && url.searchParams.has('_')) {
      asked.push(Number(url.searchParams.get('_')));
    }
  });
  const before = Date.now();
  await open(KOREA);
  await page.locator('.pin.Cctv').click();
  const still = page.getByRole('img', { name: 'city 0' });
  await expect(still).toBeVisible();
  expect(asked[0], 'asked by the time, so that no cache answers').toBeGreaterThanOrEqual(before);
  await page.route('**/icon-192.png?*', (route) => route.abort());
  await expect(page.getByText('The picture could not be refreshed.')).toBeVisible();
  await expect(page.getByText('Last loaded just now')).toBeVisible();
  await expect(still).toBeVisible();
  await page.unroute('**/icon-192.png?*');
  await expect(page.getByText('The picture could not be refreshed.')).toHaveCount(0);
});

test('a step of the map is not announced', async ({ page, open }) => {
  await open(KOREA);
  const status = page.locator('[data-link] [role=status]');
  await expect(status).toHaveText('Up to date, live');
  await status.evaluate((element) => {
    const said: string[] = [];
    new MutationObserver(() => said.push(element.textContent ?? '')).observe(element, { childList: true, subtree: true, characterData: true });
    const links: (string | null)[] = [];
    const link = element.closest('[data-link]');
    new MutationObserver(() => links.push(link?.getAttribute('data-link') ?? null)).observe(link as Element, { attributes: true });
    Object.assign(globalThis, { said, links });
  });
  const noted = (name: string): Promise<string[]> => page.evaluate((key) => (globalThis as unknown as Record<string, string[]>)[key] ?? [], name);
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await expect.poll(() => noted('links')).toEqual(['opening', 'following']);
  await settled(page);
  expect(await noted('said')).toEqual([]);
});

test('the map names itself and its button in the language of the page', async ({ page, open }) => {
  await open(`${KOREA}&lang=ko`);
  await expect(page.getByRole('region', { name: '지도' })).toBeAttached();
  const button = page.locator('.maplibregl-ctrl-attrib-button');
  await expect(button).toHaveAttribute('aria-label', '지도 출처');
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page.getByRole('region', { name: 'Map' })).toBeAttached();
  await expect(button).toHaveAttribute('aria-label', 'Sources of the map');
  await expect(button).toHaveAttribute('title', 'Sources of the map');
});
