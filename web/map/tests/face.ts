// A face before the fake camera, and the judge of whether it can be seen: by pixels alone.
//
// What a face is known by is its fine structure: what is left of a picture when a blur is taken from it. Where that
// correlates with the source and is as strong, the face is there; where a blur was laid over it, it is not.
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Locator } from '@playwright/test';

const PORTRAIT = resolve(import.meta.dirname, '../../../tests/fixtures/astronaut.png');
const [WIDTH, HEIGHT] = [1280, 720];
/** The portrait fills the height and stands in the middle. */
const SCENE = `scale=${HEIGHT}:${HEIGHT},pad=${WIDTH}:${HEIGHT}:(ow-iw)/2:0:gray`;
/** How much of a face is fine structure: what is smaller than this, in pixels. */
const FINE = 8;

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Eyes to mouth, in the scene. */
export const FACE: Area = { x: 538, y: 112, width: 118, height: 112 };
/** The badge on the suit: sharp, and no face. */
export const BADGE: Area = { x: 474, y: 494, width: 98, height: 98 };

/** How an area compares to its source: 1 and 1 where it is the same. */
export interface Likeness {
  readonly correlation: number;
  readonly strength: number;
}

/** A film of the portrait for `--use-file-for-fake-video-capture`. */
export function camera(folder: string): string {
  const file = join(folder, 'camera.mjpeg');
  const film = ['-loop', '1', '-t', '1', '-r', '30', '-i', PORTRAIT, '-vf', SCENE, '-pix_fmt', 'yuvj420p', '-q:v', '3'];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...film, '-f', 'mjpeg', file]);
  return file;
}

/** How an area of what the element shows now compares to what was before the camera. */
export async function likeness(video: Locator, area: Area): Promise<Likeness> {
  const shown = await video.evaluate(grey, { area, size: [WIDTH, HEIGHT] as const });
  const [was, is] = [fine(source(area), area), fine(shown, area)];
  const product = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  const [inWas, inIs] = [Math.sqrt(product(was, was)), Math.sqrt(product(is, is))];
  return { correlation: product(was, is) / Math.max(inWas * inIs, 1e-9), strength: inIs / inWas };
}

/** Whether what is there could be known. The bounds are those of the engine's own judge. */
export function canBeKnown({ correlation, strength }: Likeness): boolean {
  return correlation > 0.5 && strength > 0.3;
}

/** In the page: the grey values of an area. */
function grey(element: SVGElement | HTMLElement, { area, size }: { area: Area; size: readonly [number, number] }): number[] {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = size;
  const context = canvas.getContext('2d');
  context?.drawImage(element as HTMLVideoElement, 0, 0, ...size);
  const pixels = context?.getImageData(area.x, area.y, area.width, area.height).data ?? new Uint8ClampedArray();
  const at = (index: number): number => pixels[index] ?? 0;
  return Array.from({ length: pixels.length / 4 }, (_, i) => 0.299 * at(4 * i) + 0.587 * at(4 * i + 1) + 0.114 * at(4 * i + 2));
}

function source({ x, y, width, height }: Area): number[] {
  const filter = `${SCENE},crop=${width}:${height}:${x}:${y}:exact=1,format=gray`;
  const raw = ['-v', 'error', '-nostdin', '-i', PORTRAIT, '-vf', filter, '-f', 'rawvideo', '-'];
  return [...execFileSync('ffmpeg', raw)];
}

/** What a blur of `FINE` pixels to each side takes from the area. */
function fine(pixels: readonly number[], { width, height }: Area): number[] {
  const across = smooth(pixels, width, height, 1, width);
  const smoothed = smooth(across, height, width, width, 1);
  return pixels.map((value, index) => value - (smoothed[index] ?? 0));
}

/** Means along lines of `length` pixels that lie `step` apart; lines lie `next` apart. */
function smooth(pixels: readonly number[], length: number, lines: number, step: number, next: number): number[] {
  const out = new Array<number>(pixels.length).fill(0);
  for (let line = 0; line < lines; line += 1) {
    for (let place = 0; place < length; place += 1) {
      const [from, to] = [Math.max(place - FINE, 0), Math.min(place + FINE, length - 1)];
      let sum = 0;
      for (let near = from; near <= to; near += 1) {
        sum += pixels[line * next + near * step] ?? 0;
      }
      out[line * next + place * step] = sum / (to - from + 1);
    }
  }
  return out;
}
