import { BUSAN, expect, KOREA, SEOUL, settled, test } from './fixtures.ts';

test('a broadcast appears on the map and in the list, moves, and leaves at its end', async ({ page, server, open }) => {
  await open(KOREA);
  await expect(page.getByText('Nothing here right now')).toBeVisible();
  const live = await server.goLive('Smoke over the market', SEOUL);
  const pin = page.locator(`.pin[data-item="${live.id}"]`);
  await expect(pin).toBeVisible();
  await expect(pin).toHaveAccessibleName('Live broadcast, Fire, Smoke over the market');
  await expect(page.getByRole('list', { name: 'What is in view' }).getByRole('button')).toHaveCount(1);
  const before = await pin.boundingBox();
  await server.move(live, BUSAN);
  await expect.poll(async () => ((await pin.boundingBox())?.y ?? 0) - (before?.y ?? 0)).toBeGreaterThan(100);
  await server.tell(live, 'Stream End');
  await expect(pin).toHaveCount(0);
});

test('moving the map changes what is listed, and the address remembers where it is', async ({ page, server, open }) => {
  await server.goLive('In Seoul', SEOUL);
  await server.goLive('In Busan', BUSAN);
  await open('/?at=37.56,126.97,10.00');
  await expect(page.locator('#list').getByText('In Seoul')).toBeVisible();
  await expect(page.locator('#list').getByText('In Busan')).toHaveCount(0);
  const search = page.getByRole('combobox', { name: 'Search for a place' });
  await search.fill('부산');
  await page.getByRole('option', { name: 'Busan', exact: true }).click();
  await expect(page.locator('#list').getByText('In Busan')).toBeVisible();
  await expect(page.locator('#list').getByText('In Seoul')).toHaveCount(0);
  await expect(page).toHaveURL(/at=35\.\d+,12[89]\.\d+,1[01]\.\d+/);
  await page.reload();
  await settled(page);
  await expect(page.locator('#list').getByText('In Busan')).toBeVisible();
});

test('ten thousand cameras are few buttons, and a click on a cluster zooms in', async ({ page, server, open }) => {
  // A grid over Korea: the same places at every run.
  const points = Array.from({ length: 10_000 }, (_, index) => ({
    longitude: 126.4 + (index % 100) * 0.028,
    latitude: 34.8 + Math.floor(index / 100) * 0.032,
  }));
  server.cameras(points, 'grid');
  await open(KOREA);
  const buttons = page.locator('.pins button');
  await expect(page.locator('.pins [data-cluster]').first()).toBeVisible();
  expect(await buttons.count()).toBeLessThanOrEqual(200);
  await expect(page.getByRole('heading', { name: '10,000 in view' })).toBeVisible();
  const zoom = (): number => Number(new URL(page.url()).searchParams.get('at')?.split(',')[2]);
  const wide = zoom();
  const middle = page.locator('.pins [data-cluster]').nth(Math.floor((await buttons.count()) / 2));
  await middle.click();
  await expect.poll(zoom).toBeGreaterThan(wide + 1);
  await settled(page);
  await expect(page.getByRole('heading', { name: '10,000 in view' })).toHaveCount(0);
  expect(await buttons.count()).toBeLessThanOrEqual(200);
});

test('who walks about within a cluster is counted once, and nothing is read again for it', async ({ page, server, open }) => {
  const COUNT = 165;
  // More than are shown one by one, in two corners of a town; the first walks between them.
  const corners = [SEOUL, { longitude: SEOUL.longitude + 0.02, latitude: SEOUL.latitude + 0.02 }] as const;
  const walker = await server.goLive('On foot', SEOUL);
  for (let number = 1; number < COUNT; number += 1) {
    await server.goLive(`Broadcast ${number}`, corners[number % 2] ?? SEOUL);
  }
  await open(KOREA);
  const heading = page.getByRole('heading', { name: `${COUNT} in view` });
  await expect(heading).toBeVisible();
  await expect(page.locator('.pins [data-cluster]')).toHaveCount(1);
  let questions = 0;
  page.on('request', (request) => (questions += request.url().endsWith('/graphql') ? 1 : 0));
  for (let step = 1; step <= 5; step += 1) {
    await server.move(walker, { longitude: SEOUL.longitude + step * 0.003, latitude: SEOUL.latitude + step * 0.003 });
  }
  // Events come in order: with this one, the steps have been told.
  await server.goLive('Far from all of them', BUSAN);
  await expect(page.getByRole('heading', { name: `${COUNT + 1} in view` })).toBeVisible();
  await expect(page.locator('.pins .pin')).toHaveCount(1);
  expect(questions).toBe(0);
});

test('offline and back, nothing is missed and nothing told twice', async ({ page, context, server, open }) => {
  const cursors: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      const cursor = /"mapEvents":\{[^}]*"cursor":"([^"]+)"/.exec(String(payload))?.[1];
      if (cursor) {
        cursors.push(cursor);
      }
    }),
  );
  const before = await server.goLive('Before', SEOUL);
  await open(KOREA);
  const list = page.locator('#list');
  await expect(list.getByText('Before')).toBeVisible();
  const seen = await server.goLive('Seen', BUSAN);
  await expect(list.getByText('Seen')).toBeVisible();
  await context.setOffline(true);
  await expect(page.locator('[data-link=broken]')).toBeAttached();
  await expect(page.getByText('No connection. Trying again')).toBeVisible();
  const missed = await server.goLive('Missed', { longitude: 128.6, latitude: 35.87 });
  await server.tell(before, 'Stream End');
  await server.move(seen, { longitude: 127.38, latitude: 36.35 });
  await context.setOffline(false);
  await expect(list.getByText('Missed')).toBeVisible();
  await expect(list.getByText('Before')).toHaveCount(0);
  await expect(page.locator('.pin')).toHaveCount(2);
  await expect(page.locator(`.pin[data-item="${missed.id}"]`)).toHaveCount(1);
  expect(new Set(cursors).size, 'each event once').toBe(cursors.length);
});

test('filters narrow the map and stay in the address', async ({ page, server, open }) => {
  await server.goLive('A fire', SEOUL, 'FIRE');
  await server.goLive('A flood', BUSAN, 'FLOOD');
  server.cameras([{ longitude: 128, latitude: 36 }], 'camera');
  await open(KOREA);
  await expect(page.locator('.pin')).toHaveCount(3);
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  await expect(page.locator('.pin')).toHaveCount(2);
  await page.getByRole('button', { name: 'Filters', exact: true }).click();
  await page.getByRole('button', { name: 'Flood', exact: true }).click();
  await expect(page.locator('.pin')).toHaveCount(1);
  await expect(page.locator('.pin')).toHaveAccessibleName(/A flood/);
  await expect(page).toHaveURL(/show=stream&hazards=flood/);
  await page.reload();
  await settled(page);
  await expect(page.locator('.pin')).toHaveCount(1);
});

test('without WebGL2 the list goes on without the map', async ({ page, server, open }) => {
  await server.goLive('Still listed', SEOUL);
  await page.addInitScript(() => {
    const original = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, kind: string, ...rest: unknown[]) {
      return kind.startsWith('webgl') ? null : (original.call(this, kind as '2d', ...(rest as [])) as never);
    } as typeof original;
  });
  await expect(open(KOREA).catch(() => 'no map')).resolves.toBe('no map');
  await expect(page.getByText('This device cannot draw the map.')).toBeVisible();
  await page.getByRole('button', { name: /Still listed/ }).click();
  await expect(page.getByRole('heading', { name: 'Still listed' })).toBeVisible();
});
