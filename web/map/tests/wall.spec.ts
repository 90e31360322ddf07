import { expect, SEOUL, test } from './fixtures.ts';

test('a wall shows each broadcast of the largest disaster, and none of what is just outside its box', async ({ page, server }) => {
  test.slow();
  // More than a map shows one by one, all at the same place.
  const MANY = 210;
  for (let number = 1; number <= MANY; number += 1) {
    await server.goLive(`Broadcast ${number}`, SEOUL);
  }
  // A little past the eastern edge.
  await server.goLive('Next door', { longitude: 132.3, latitude: 36 });
  await page.goto(`${server.url}/wall?bbox=124,33,132,39`);
  await expect(page.locator('header b')).toHaveText(String(MANY));
  await expect(page.getByText('Broadcast 210', { exact: true })).toBeVisible();
  await expect(page.getByText(`1 of ${Math.ceil(MANY / 9)}`)).toBeVisible();
  await server.goLive('One more', SEOUL);
  await expect(page.locator('header b')).toHaveText(String(MANY + 1));
  await expect(page.getByText('Next door')).toHaveCount(0);
});

test('a wall across the antimeridian shows what is on both sides of it', async ({ page, server }) => {
  await server.goLive('East of it', { longitude: -179, latitude: 0 });
  await server.goLive('West of it', { longitude: 179, latitude: 0 });
  await server.goLive('Far away', { longitude: 160, latitude: 0 });
  await page.goto(`${server.url}/wall?bbox=170,-10,-170,10`);
  await expect(page.getByText('East of it')).toBeVisible();
  await expect(page.getByText('West of it')).toBeVisible();
  await expect(page.locator('header b')).toHaveText('2');
});
