import type { Page } from '@playwright/test';
import { expect, SEOUL, settled, test } from './fixtures.ts';

/** Opens going live; a camera is there, and `prepared` in the page before anything else runs. */
async function goLive(page: Page, url: string, prepare?: () => void): Promise<void> {
  await page.context().grantPermissions(['camera', 'microphone', 'geolocation']);
  await page.context().setGeolocation({ ...SEOUL, accuracy: 12 });
  if (prepare) {
    await page.addInitScript(prepare);
  }
  await page.goto(url);
  await settled(page);
  await page.getByRole('button', { name: 'Go live' }).click();
  await expect(page.locator('#go-title')).toBeFocused();
  await page.getByRole('button', { name: 'Turn on camera' }).click();
}

async function start(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'What is happening?' }).fill('Smoke over the market');
  await page.getByRole('button', { name: 'Start broadcast' }).click();
  await expect(page.getByText('You are live')).toBeVisible();
}

/** The state of the camera that the preview shows. */
function camera(page: Page): Promise<string | undefined> {
  return page.locator('.preview video').evaluate((video: HTMLVideoElement) => (video.srcObject as MediaStream).getVideoTracks()[0]?.readyState);
}

test('a camera that is taken away is asked for again, and until it is there the broadcaster is not told to be live', async ({ page, server }) => {
  await goLive(page, server.url);
  await start(page);
  await page.evaluate(() => {
    const { mediaDevices } = navigator;
    const real = mediaDevices.getUserMedia.bind(mediaDevices);
    const taken = () => Promise.reject(new DOMException('in a call', 'NotReadableError'));
    Object.assign(mediaDevices, { getUserMedia: taken });
    Object.assign(globalThis, { giveBack: () => Object.assign(mediaDevices, { getUserMedia: real }) });
    const [track] = (document.querySelector<HTMLVideoElement>('.preview video')?.srcObject as MediaStream).getVideoTracks();
    track?.stop();
    track?.dispatchEvent(new Event('ended'));
  });
  await expect(page.getByText('No picture reaches the server')).toBeVisible();
  await expect(page.getByText('The camera is in use by another app.')).toBeVisible();
  await page.evaluate(() => (globalThis as unknown as { giveBack(): void }).giveBack());
  await page.getByRole('button', { name: 'Turn on camera' }).click();
  await expect.poll(() => camera(page)).toBe('live');
  await expect(page.getByText('You are live')).toBeVisible();
});

test('without a microphone one goes live without sound, and is told so', async ({ page, server }) => {
  await goLive(page, server.url, () => {
    const { mediaDevices } = navigator;
    const real = mediaDevices.getUserMedia.bind(mediaDevices);
    const deaf = (wanted: MediaStreamConstraints) =>
      wanted.audio ? Promise.reject(new DOMException('none', 'NotFoundError')) : real(wanted);
    Object.assign(mediaDevices, { getUserMedia: deaf });
  });
  await expect(page.getByText('There is no microphone')).toBeVisible();
  await start(page);
});

test('who goes back while the camera is asked for is not filmed when it comes', async ({ page, server }) => {
  await goLive(page, server.url, () => {
    const { mediaDevices } = navigator;
    const real = mediaDevices.getUserMedia.bind(mediaDevices);
    const slow = async (wanted: MediaStreamConstraints) => {
      await new Promise((resolve) => Object.assign(globalThis, { allow: resolve }));
      const given = await real(wanted);
      Object.assign(globalThis, { given });
      return given;
    };
    Object.assign(mediaDevices, { getUserMedia: slow });
  });
  await expect(page.getByRole('button', { name: 'Waiting for permission' })).toBeDisabled();
  await page.getByRole('button', { name: 'Back' }).click();
  await page.evaluate(() => (globalThis as unknown as { allow(): void }).allow());
  const states = () =>
    page.evaluate(() => (globalThis as unknown as { given?: MediaStream }).given?.getTracks().map(({ readyState }) => readyState));
  await expect.poll(states).toEqual(['ended', 'ended']);
  await expect(page.locator('[data-stage]')).toHaveCount(0);
});

test('whoever stops is asked, and goes on with Escape', async ({ page, server }) => {
  await goLive(page, server.url);
  await start(page);
  const stop = page.getByRole('button', { name: 'Stop' });
  await stop.press('Enter');
  await expect(page.getByRole('button', { name: 'Keep going' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('alertdialog')).toHaveCount(0);
  await expect(stop).toBeFocused();
  await page.goBack();
  await expect(page.getByText('You are live')).toBeVisible();
  await stop.click();
  await page.getByRole('button', { name: 'End broadcast' }).click();
  await expect(page.getByText('Your broadcast has ended')).toBeVisible();
});
