// What a page looks like, by its pixels.
import { execFileSync } from 'node:child_process';
import type { Page } from '@playwright/test';

/** The colour of the page at a point, as `#rrggbb`. */
export async function colourAt(page: Page, { x, y }: { x: number; y: number }): Promise<string> {
  const input = await page.screenshot({ clip: { x, y, width: 1, height: 1 } });
  const raw = ['-v', 'error', '-i', '-', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  return `#${execFileSync('ffmpeg', raw, { input }).toString('hex')}`;
}
