// The seam to Amazon IVS: what the page loads, when, and what it calls. Amazon's SDK and a channel of Amazon's are not
// here; a script of ours and an answer of the server that was added to stand in for them.
import type { Page } from '@playwright/test';
import { Elsewhere } from './elsewhere.ts';
import { expect, KOREA, SEOUL, test } from './fixtures.ts';

const CHANNEL = { ingestEndpoint: 'a1b2c3.global-contribute.live-video.net', streamKey: 'sk_test_secret' };

/** Notes its calls and says that it is connected, as the SDK would. */
const SDK = `
  globalThis.calls = [];
  globalThis.IVSBroadcastClient = {
    isSupported: () => true,
    create(config) {
      const heard = new Set();
      let state = 'new';
      const note = (name) => (...given) => { globalThis.calls.push([name, ...given.filter((one) => !(one instanceof MediaStream))]); };
      note('create')(config);
      const become = (next) => { state = next; heard.forEach((tell) => tell()); };
      return {
        on: (name, tell) => name === 'connectionStateChange' && heard.add(tell),
        off: (name, tell) => heard.delete(tell),
        getConnectionState: () => state,
        addVideoInputDevice: async (...given) => note('addVideoInputDevice')(...given),
        addAudioInputDevice: async (...given) => note('addAudioInputDevice')(...given),
        removeVideoInputDevice: note('removeVideoInputDevice'),
        removeAudioInputDevice: note('removeAudioInputDevice'),
        startBroadcast: async (key) => { note('startBroadcast')(key); setTimeout(() => become('connected')); },
        stopBroadcast: note('stopBroadcast'),
        delete: note('delete'),
      };
    },
  };`;

/** Has the server offer a channel of Amazon IVS and nothing else. */
async function offerChannel(page: Page): Promise<void> {
  await page.route('**/graphql', async (route) => {
    if (!route.request().postData()?.includes('startStream')) {
      return route.continue();
    }
    const answer = await route.fetch();
    const json = (await answer.json()) as { data: { startStream: { ingest: object } } };
    const rtmp = { rtmpUrl: `rtmps://${CHANNEL.ingestEndpoint}:443/app/`, streamKey: CHANNEL.streamKey };
    json.data.startStream.ingest = { whipUrl: null, ...rtmp, ivs: CHANNEL };
    return route.fulfill({ response: answer, json });
  });
}

async function goLive(page: Page): Promise<void> {
  await page.context().grantPermissions(['camera', 'microphone', 'geolocation']);
  await page.context().setGeolocation({ ...SEOUL, accuracy: 12 });
  await page.getByRole('button', { name: 'Go live' }).click();
  await page.getByRole('button', { name: 'Turn on camera' }).click();
  await page.getByRole('textbox', { name: 'What is happening?' }).fill('Over IVS');
  await page.getByRole('button', { name: 'Start broadcast' }).click();
}

test.describe('with the address of the SDK', () => {
  let site: Elsewhere;
  test.use({
    settings: async ({}, use) => {
      site = await Elsewhere.start({ '/1.0/sdk.js': { type: 'text/javascript', body: SDK } });
      await use({ IVS_BROADCAST_SDK_URL: `${site.url}/1.0/sdk.js` });
      await site.stop();
    },
    admitted: async ({ settings }, use) => use([new URL(settings['IVS_BROADCAST_SDK_URL'] ?? '').origin]),
  });

  test('it is loaded when somebody goes live, and told what to send where', async ({ page, open }) => {
    await offerChannel(page);
    await open(KOREA);
    expect(site.asked).toEqual([]);
    await goLive(page);
    await expect(page.getByText('You are live')).toBeVisible();
    expect(site.asked).toEqual(['/1.0/sdk.js']);
    const calls = (): Promise<unknown[][]> => page.evaluate(() => (globalThis as unknown as { calls: unknown[][] }).calls);
    const streamConfig = { maxResolution: { width: 1280, height: 720 }, maxFramerate: 30, maxBitrate: 2500 };
    const begun = [
      ['create', { streamConfig, ingestEndpoint: CHANNEL.ingestEndpoint }],
      ['addAudioInputDevice', 'microphone'],
      ['addVideoInputDevice', 'camera', { index: 0 }],
      ['startBroadcast', CHANNEL.streamKey],
    ];
    expect(await calls()).toEqual(begun);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'End broadcast' }).click();
    await expect(page.getByText('Your broadcast has ended')).toBeVisible();
    expect(await calls()).toEqual([...begun, ['stopBroadcast'], ['delete']]);
  });
});

test('without it, the page shows what an app needs', async ({ page, open }) => {
  await offerChannel(page);
  await open(KOREA);
  await goLive(page);
  await expect(page.getByText('This server takes broadcasts over Amazon IVS.')).toBeVisible();
  await expect(page.getByText(`rtmps://${CHANNEL.ingestEndpoint}:443/app/`)).toBeVisible();
});
