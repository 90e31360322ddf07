// Ten thousand cameras in view: when the map is painted, and what a step of it costs in JavaScript.
import type { Browser, CDPSession, Page } from '@playwright/test';
import { test } from '@playwright/test';
import { Server } from '../tests/server.ts';

const CAMERAS = 10_000;
const VISITS = 5;
const STEPS = 12;
const KOREA = '/?at=36.2,127.8,6.10';

/** Moments of a visit, in ms since its navigation began. */
interface Visit {
  /** The page's first letters. */
  readonly paint: number;
  /** Pins and clusters stand on the map and were painted. */
  readonly pins: number;
  /** The basemap is drawn with all that belongs to it. */
  readonly map: number;
}

/** What one step cost the page's thread, in ms. */
interface Step {
  /** JavaScript, all of it. */
  readonly script: number;
  /** The longest time the page answered nothing. */
  readonly longest: number;
}

test('ten thousand cameras in view', async ({ browser }) => {
  const server = await Server.start();
  server.cameras(grid(), 'grid');
  const visits: Visit[] = [];
  let steps: Step[] = [];
  let buttons = 0;
  for (let visit = 0; visit < VISITS; visit += 1) {
    const page = await open(browser);
    await page.goto(server.url + KOREA);
    await atRest(page);
    visits.push(await page.evaluate(() => (globalThis as unknown as { seen: Visit }).seen));
    if (visit === VISITS - 1) {
      buttons = await page.locator('.pins button').count();
      steps = await pan(page);
    }
    await page.context().close();
  }
  await server.stop();
  const column = <T>(rows: readonly T[], of: (row: T) => number): string => {
    const sorted = rows.map(of).sort((a, b) => a - b);
    const [median = 0, most = 0] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    return `median ${median.toFixed(0)} ms, most ${most.toFixed(0)} ms`;
  };
  console.log(
    [
      '',
      `${CAMERAS} cameras in view, ${buttons} buttons in the page; ${VISITS} first visits, ${STEPS} steps`,
      `first letters           ${column(visits, ({ paint }) => paint)}`,
      `pins painted            ${column(visits, ({ pins }) => pins)}`,
      `map painted             ${column(visits, ({ map }) => map)}`,
      `JavaScript of a step    ${column(steps, ({ script }) => script)}`,
      `longest task of a step  ${column(steps, ({ longest }) => longest)}`,
    ].join('\n'),
  );
});

/** A grid over Korea: the same places at every run. */
function grid(): { longitude: number; latitude: number }[] {
  return Array.from({ length: CAMERAS }, (_, index) => ({
    longitude: 126.4 + (index % 100) * 0.028,
    latitude: 34.8 + Math.floor(index / 100) * 0.032,
  }));
}

/** A page without a cache that notes its moments. */
async function open(browser: Browser): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await page.addInitScript(() => {
    const seen = { paint: 0, pins: 0, map: 0 };
    const painted = (name: 'pins' | 'map'): void => {
      if (seen[name] === 0) {
        seen[name] = -1;
        requestAnimationFrame(() => setTimeout(() => (seen[name] = performance.now())));
      }
    };
    new MutationObserver(() => {
      if (document.querySelector('.pins button')) {
        painted('pins');
      }
      if (document.querySelector('[data-drawn]')) {
        painted('map');
      }
    }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ['data-drawn'] });
    new PerformanceObserver((list) => {
      seen.paint = list.getEntriesByName('first-contentful-paint')[0]?.startTime ?? seen.paint;
    }).observe({ type: 'paint', buffered: true });
    const tasks: number[] = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
    Object.assign(globalThis, { seen, tasks });
  });
  return page;
}

async function atRest(page: Page): Promise<void> {
  await page.locator('[data-link=following]').waitFor({ state: 'attached' });
  await page.locator('[data-idle]').waitFor({ state: 'attached' });
  await page.waitForFunction(() => (globalThis as unknown as { seen: Visit }).seen.map > 0);
}

/** Drags the map to and fro, each step followed by what it makes the page ask and draw. */
async function pan(page: Page): Promise<Step[]> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const steps: Step[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    await page.evaluate(() => (globalThis as unknown as { tasks: number[] }).tasks.splice(0));
    const before = await script(devtools);
    const answered = page.waitForResponse((answer) => answer.url().endsWith('/graphql'));
    const [x, y, way] = [860, 400, step % 2 === 0 ? 1 : -1];
    await page.mouse.move(x, y);
    await page.mouse.down();
    for (let part = 1; part <= 10; part += 1) {
      await page.mouse.move(x + way * part * 15, y + way * part * 6);
    }
    await page.mouse.up();
    await answered;
    await atRest(page);
    const longest = await page.evaluate(() => Math.max(0, ...(globalThis as unknown as { tasks: number[] }).tasks));
    steps.push({ script: (await script(devtools)) - before, longest });
  }
  return steps;
}

/** How long the page's thread has run JavaScript so far, in ms. */
async function script(devtools: CDPSession): Promise<number> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return 1000 * (metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? NaN);
}
