import { mkdirSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { FLAGS } from '../playwright.config.ts';
import { BADGE, camera, canBeKnown, FACE, likeness } from './face.ts';
import { expect, guard, KOREA, SEOUL, settled, test } from './fixtures.ts';

const SHOTS = '../../target/screenshots';

/** Pictures of the replay that are judged. */
const JUDGED = 12;

/** How long a picture may take to come, in ms; where a piece of the recording is left out, none does. */
const PICTURE_MS = 8_000;

/** Stops the film at a part of its length; whether there is a picture. */
function seek(element: SVGElement | HTMLElement, { part, patience }: { part: number; patience: number }): Promise<boolean> {
  const film = element as HTMLVideoElement;
  film.pause();
  return new Promise((settle) => {
    film.requestVideoFrameCallback(() => settle(true));
    setTimeout(() => settle(false), patience);
    film.currentTime = part * film.duration;
  });
}

test('one browser goes live; another sees it appear, sees the face, and is shown the replay with the face blurred, without a reload', async ({ page, open, server }) => {
  test.setTimeout(240_000);
  mkdirSync(SHOTS, { recursive: true });
  await open(KOREA);

  const street = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [...FLAGS, `--use-file-for-fake-video-capture=${camera(server.folder)}`],
  });
  const phone = await street.newContext({
    viewport: { width: 390, height: 844 },
    locale: 'ko-KR',
    permissions: ['camera', 'microphone', 'geolocation'],
    geolocation: { ...SEOUL, accuracy: 12 },
  });
  const wrong = await guard(phone, server.url);
  const broadcaster = await phone.newPage();
  await broadcaster.goto(server.url + KOREA);
  await settled(broadcaster);
  await broadcaster.getByRole('button', { name: '라이브 시작' }).click();
  await broadcaster.getByRole('button', { name: '카메라 켜기' }).click();
  await broadcaster.getByRole('textbox', { name: '무슨 일이 일어나고 있나요?' }).fill('시장 골목에서 연기가 납니다');
  await broadcaster.screenshot({ path: `${SHOTS}/go-live-phone-ko.png` });
  await broadcaster.getByRole('button', { name: '방송 시작' }).click();
  await expect(broadcaster.getByText('방송 중입니다')).toBeVisible();
  await broadcaster.screenshot({ path: `${SHOTS}/on-air-phone-ko.png` });

  const pin = page.locator('.pin.Stream');
  await expect(pin).toHaveAccessibleName(/시장 골목에서 연기가 납니다/);
  await pin.click();
  const phase = page.locator('[data-phase]');
  await expect(phase).toHaveAttribute('data-phase', 'live');
  const video = page.locator('.sheet video');
  await expect(video).toHaveAttribute('data-state', 'playing');
  const film = await video.getAttribute('src');
  // Browsers begin with a small picture: it grows sharp within seconds.
  await expect.poll(async () => canBeKnown(await likeness(video, FACE)), { timeout: 60_000 }).toBe(true);
  // That a viewer was counted (this one) is told of the broadcast; the film plays on as the one it was.
  await expect(page.locator('.sheet .viewers')).toHaveText(/1/);
  expect(await video.getAttribute('src')).toBe(film);
  await page.screenshot({ path: `${SHOTS}/live-desktop-en.png` });
  await page.evaluate(() => Object.assign(globalThis, { stillHere: true }));

  // The street's network is gone for a moment: the broadcast comes back by itself, as the same one.
  await phone.setOffline(true);
  await expect(broadcaster.getByText('신호가 끊겼습니다')).toBeVisible();
  await phone.setOffline(false);
  await expect(broadcaster.getByText('방송 중입니다')).toBeVisible();
  await expect(page.locator('.pin.Stream')).toHaveCount(1);

  // The server is gone from the viewer, and then their network: the picture goes on by itself, and what is told of it.
  await page.route('**/live/**', (route) => route.abort());
  await expect(video).toHaveAttribute('data-state', 'away');
  await page.context().setOffline(true);
  await page.unroute('**/live/**');
  await page.context().setOffline(false);
  await expect(video).toHaveAttribute('data-state', 'playing', { timeout: 30_000 });
  const resumed = await video.evaluate((element: HTMLVideoElement) => element.currentTime);
  await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime)).toBeGreaterThan(resumed + 1);

  await broadcaster.getByRole('button', { name: '종료' }).click();
  await broadcaster.getByRole('button', { name: '방송 끝내기' }).click();
  await expect(broadcaster.getByText('방송이 끝났습니다')).toBeVisible();
  await expect(phase).toHaveAttribute('data-phase', 'replay', { timeout: 90_000 });
  await expect(video).toHaveAttribute('data-state', 'playing');
  const sharp = [];
  for (let index = 0; index < JUDGED; index += 1) {
    const there = await video.evaluate(seek, { part: (index + 0.5) / JUDGED, patience: PICTURE_MS });
    expect(canBeKnown(await likeness(video, FACE)), `the face at ${index} of ${JUDGED}`).toBe(false);
    sharp.push(there && canBeKnown(await likeness(video, BADGE)));
  }
  // Nothing but the face is hidden; the first pictures may be small ones.
  expect(sharp.filter(Boolean).length, 'frames whose badge can be read').toBeGreaterThan(JUDGED / 2);
  await expect(page.locator('.pin.Vod')).toBeVisible();
  expect(await page.evaluate(() => 'stillHere' in globalThis)).toBe(true);
  await page.screenshot({ path: `${SHOTS}/replay-desktop-en.png` });
  expect(wrong).toEqual([]);
  await street.close();
});
