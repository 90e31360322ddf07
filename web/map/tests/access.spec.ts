import axe from 'axe-core';
import type { Page } from '@playwright/test';
import { expect, KOREA, SEOUL, test } from './fixtures.ts';

/** Every rule of WCAG 2.2 A and AA that axe knows, on the page as it stands. */
async function violations(page: Page): Promise<string[]> {
  // The page's own policy forbids foreign scripts; a script of the tests is evaluated, not loaded.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const here = (globalThis as unknown as { axe: typeof axe }).axe;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations: found } = await here.run(document, { runOnly: { type: 'tag', values: tags } });
    return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
  });
}

for (const scheme of ['light', 'dark'] as const) {
  for (const [device, viewport] of Object.entries({
    phone: { width: 390, height: 844 },
    desktop: { width: 1280, height: 800 },
  })) {
    test(`axe finds nothing on map, list, filters, sheet and going live: ${device}, ${scheme}`, async ({ page, context, server, open }) => {
      await context.grantPermissions(['camera', 'microphone', 'geolocation']);
      await context.setGeolocation({ ...SEOUL, accuracy: 12 });
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.setViewportSize(viewport);
      const live = await server.goLive('Smoke over the market', SEOUL);
      server.cameras([{ longitude: 128, latitude: 36 }], 'camera');
      await open(KOREA);
      await expect(page.locator('.pin')).toHaveCount(2);
      expect(await violations(page), 'map and list').toEqual([]);
      await page.getByRole('button', { name: 'Filters', exact: true }).click();
      expect(await violations(page), 'filters').toEqual([]);
      await page.getByRole('button', { name: 'Filters', exact: true }).click();
      await page.locator(`.pin[data-item="${live.id}"]`).click();
      await expect(page.getByText('Seoul', { exact: false }).first()).toBeVisible();
      expect(await violations(page), 'sheet').toEqual([]);
      await page.getByRole('button', { name: 'Back' }).click();
      await page.getByRole('button', { name: 'Go live' }).click();
      expect(await violations(page), 'permission').toEqual([]);
      await page.getByRole('button', { name: 'Turn on camera' }).click();
      await expect(page.getByRole('textbox', { name: 'What is happening?' })).toBeVisible();
      expect(await violations(page), 'preview').toEqual([]);
    });
  }
}

test('all of it is reached by the keyboard', async ({ page, server, open }) => {
  await server.goLive('Smoke over the market', SEOUL);
  await open(KOREA);
  await expect(page.locator('.pin')).toHaveCount(1);
  const focused = (): Promise<string> =>
    page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim() ?? '');
  const reached: string[] = [];
  for (let step = 0; step < 24 && !reached.some((name) => name.includes('Go live')); step += 1) {
    await page.keyboard.press('Tab');
    reached.push(await focused());
  }
  for (const name of ['Skip to the list', 'Map', 'Live broadcast, Fire, Smoke over the market', 'Search for a place', 'Live', 'Filters']) {
    expect(reached).toContain(name);
  }
  await page.locator('#list button').first().focus();
  await page.keyboard.press('Enter');
  const heading = page.getByRole('heading', { name: 'Smoke over the market' });
  await expect(heading).toBeFocused();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.locator('#list')).toBeVisible();
});
