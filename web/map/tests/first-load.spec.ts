import { Counter } from './counter.ts';
import { BUSAN, expect, SEOUL, settled, test } from './fixtures.ts';

/** All that a first visit may transfer until the map is drawn and follows, in bytes. The player comes with what is played. */
const MOST = 600_000;

// Browsers take Brotli only from this machine and over HTTPS.
for (const encoding of ['gzip', 'br']) {
  test(`a first visit transfers no more than ${MOST / 1000} KB until the map is at rest: ${encoding}`, async ({ browser, server }) => {
    await server.goLive('Smoke over the market', SEOUL);
    server.cameras([BUSAN, { longitude: 128, latitude: 36 }], 'city');
    const counter = await Counter.start(server.url, encoding);
    const page = await browser.newPage();
    await page.goto(counter.url);
    await settled(page);
    await expect(page.locator('.pin')).toHaveCount(3);
    console.log(`${counter.total} bytes, ${encoding}\n${counter.list}`);
    expect(counter.total).toBeLessThanOrEqual(MOST);
    const code = [...counter.encodings].filter(([path]) => path.startsWith('/assets/') && /\.(js|css)$/.test(path));
    expect(code.length).toBeGreaterThan(5);
    expect(code.filter(([, how]) => how !== encoding)).toEqual([]);
    expect([...counter.bytes.keys()].filter((path) => path.includes('hls'))).toEqual([]);
    await page.close();
    await counter.stop();
  });
}
