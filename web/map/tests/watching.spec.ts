import { BUSAN, expect, KOREA, SEOUL, settled, test } from './fixtures.ts';

test('a broadcast that ends is being prepared, then plays as its replay, without a reload', async ({ page, server, open }) => {
  await open(KOREA);
  server.broadcast('Smoke over the market', SEOUL);
  await page.locator('.pin.Stream').click();
  await expect(page.getByRole('heading', { name: 'Smoke over the market' })).toBeVisible();
  await page.evaluate(() => Object.assign(globalThis, { stillHere: true }));
  const phase = page.locator('[data-phase]');
  await expect(phase).toHaveAttribute('data-phase', /^live/);
  await expect(phase).toHaveAttribute('data-phase', 'replay', { timeout: 90_000 });
  const video = page.locator('video');
  await expect(video).toHaveAttribute('data-state', 'playing');
  await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime)).toBeGreaterThan(0.5);
  await expect(page.locator('.pin.Vod')).toBeVisible();
  expect(await page.evaluate(() => 'stillHere' in globalThis)).toBe(true);
});

test('an item that is taken from its address is open from the start; one that is not there is said plainly', async ({ page, server, open }) => {
  const live = await server.goLive('Shared <b>"link"</b>', SEOUL);
  const text = await (await fetch(`${server.url}/s/${live.id}`)).text();
  expect(text).toContain('<meta property="og:title" content="Shared &lt;b&gt;&quot;link&quot;&lt;/b&gt;">');
  expect(text).toContain(`<meta property="og:url" content="${server.url}/s/${live.id}">`);
  await open(`/s/${live.id}`).catch(() => undefined);
  await expect(page.getByRole('heading', { name: 'Shared <b>"link"</b>' })).toBeVisible();
  await page.goto(`${server.url}/s/stream_00000000000070008000000000000000`);
  await expect(page.getByRole('heading', { name: 'Taken down' })).toBeVisible();
});

test('a camera shows its still, its source and that its age is not known', async ({ page, server, open }) => {
  server.cameras([SEOUL], 'city');
  await open(KOREA);
  await page.locator('.pin.Cctv').click();
  await expect(page.getByRole('img', { name: 'city 0' })).toBeVisible();
  await expect(page.getByText('Source: city')).toBeVisible();
  await expect(page.getByText('Age of the picture is not known')).toBeVisible();
});

test('an embedded map can be framed by another site and has nothing to go live with', async ({ page, server }) => {
  await server.goLive('Seen in a frame', SEOUL);
  const answer = await fetch(`${server.url}/embed?bbox=124,33,132,39`);
  expect(answer.headers.get('content-security-policy')).toContain('frame-ancestors *');
  expect(answer.headers.get('x-frame-options')).toBeNull();
  await page.goto(`${server.url}/embed?bbox=124,33,132,39`);
  await expect(page.locator('.pin.Stream')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Go live' })).toHaveCount(0);
  await page.locator('.pin.Stream').click();
  await expect(page.getByRole('heading', { name: 'Seen in a frame' })).toBeVisible();
});

test('a wall shows what is live in its box and nothing else', async ({ page, server }) => {
  await server.goLive('In the box', SEOUL);
  await server.goLive('Elsewhere', { longitude: 2.35, latitude: 48.85 });
  await page.goto(`${server.url}/wall?bbox=124,33,132,39`);
  await expect(page.getByText('In the box')).toBeVisible();
  await expect(page.getByText('Elsewhere')).toHaveCount(0);
  const late = await server.goLive('A moment later', { longitude: 127, latitude: 36 });
  await expect(page.getByText('A moment later')).toBeVisible();
  await server.tell(late, 'Stream End');
  await expect(page.getByText('A moment later')).toHaveCount(0);
});

test('what is told of a broadcast begins nothing again on the wall', async ({ page, server }) => {
  const live = await server.goLive('Still the same', SEOUL);
  await page.goto(`${server.url}/wall?bbox=124,33,132,39`);
  const picture = page.locator('[data-phase]');
  await expect(picture).toBeVisible();
  await picture.evaluate((element) => Object.assign(element.dataset, { first: 'yes' }));
  await server.move(live, BUSAN);
  await expect(page.getByText('Busan')).toBeVisible();
  await expect(picture).toHaveAttribute('data-first', 'yes');
});

test('both languages say everything, and the choice is kept', async ({ page, server, open }) => {
  await server.goLive('시장 화재', SEOUL);
  await open(`${KOREA}&lang=ko`);
  await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
  await expect(page.getByRole('button', { name: '라이브 시작' })).toBeVisible();
  await expect(page.getByText('화면에 1건')).toBeVisible();
  await page.getByRole('button', { name: 'English' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(page.getByRole('button', { name: 'Go live' })).toBeVisible();
  await page.goto(server.url + KOREA);
  await settled(page);
  await expect(page.getByRole('button', { name: 'Go live' })).toBeVisible();
});

test('back leads from whatever is open to the map as it is, and the keyboard goes on in the list', async ({ page, server, open }) => {
  const first = await server.goLive('The first', SEOUL);
  const second = await server.goLive('The second', BUSAN);
  await open(KOREA);
  const list = page.getByRole('list', { name: 'What is in view' });
  await list.getByRole('button', { name: 'The first' }).press('Enter');
  await expect(page).toHaveURL(new RegExp(`/s/${first.id}`));
  await page.locator(`.pin[data-item=${second.id}]`).click();
  await expect(page).toHaveURL(new RegExp(`/s/${second.id}`));
  await page.goBack();
  await expect(list).toBeVisible();
  await expect(page).not.toHaveURL(/\/s\//);
  await list.getByRole('button', { name: 'The second' }).press('Enter');
  await expect(page.getByRole('heading', { name: 'The second' })).toBeFocused();
  await page.getByRole('button', { name: 'Back' }).press('Enter');
  await expect(list.getByRole('button', { name: 'The second' })).toBeFocused();
  await page.getByRole('button', { name: 'Go live' }).click();
  await expect(list).toHaveCount(0);
  await page.goBack();
  await expect(list).toBeVisible();
  await expect(page.getByRole('button', { name: 'Go live' })).toBeFocused();
});
