// What every browser test has: a server of its own, and eyes on what the page must never do.
import { test as base, type BrowserContext, expect, type Page } from '@playwright/test';
import { Server } from './server.ts';

interface Stage {
  /** Settings of the server besides the usual ones, as variables of its environment. */
  settings: Readonly<Record<string, string>>;
  /** Other sites that pages may ask. */
  admitted: readonly string[];
  server: Server;
  /** Fails a test whose pages asked another site, broke the policy, or threw what nobody caught. */
  guarded: void;
  /** Opens a page of the server and waits until the map is drawn and up to date. */
  open(path?: string): Promise<void>;
}

/** Notes every request to another site, every violation of the policy and every error nobody caught. */
export async function guard(context: BrowserContext, home: string, admitted: readonly string[] = []): Promise<string[]> {
  const wrong: string[] = [];
  await context.exposeFunction('tellViolation', (text: string) => wrong.push(`policy: ${text}`));
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      const tell = (globalThis as unknown as { tellViolation(text: string): void }).tellViolation;
      tell(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (!['blob:', 'data:'].includes(url.protocol) && url.origin !== home && !admitted.includes(url.origin)) {
      wrong.push(`request to ${url.href}`);
    }
  });
  context.on('weberror', (fault) => wrong.push(`error: ${fault.error().message}`));
  return wrong;
}

export const test = base.extend<Stage>({
  settings: async ({}, use) => use({}),
  admitted: async ({}, use) => use([]),
  server: async ({ settings }, use) => {
    const server = await Server.start(settings);
    await use(server);
    await server.stop();
  },
  guarded: [
    async ({ context, server, admitted }, use) => {
      const wrong = await guard(context, server.url, admitted);
      await use();
      expect(wrong).toEqual([]);
    },
    { auto: true },
  ],
  open: async ({ page, server }, use) => {
    await use(async (path = '/') => {
      await page.goto(server.url + path);
      await settled(page);
    });
  },
});

/** Until the map is drawn and follows the server. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator('[data-link=following]')).toBeAttached();
  await expect(page.locator('[data-idle]')).toBeAttached();
}

export { expect };

export const SEOUL = { longitude: 126.9784, latitude: 37.5667 };
export const BUSAN = { longitude: 129.0403, latitude: 35.1151 };
export const KOREA = '/?at=36.2,127.8,6.10';
