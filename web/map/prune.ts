// Leaves out of MapLibre's style sheet what this map never shows: most of it are pictures of controls.
import type { Plugin } from 'vite';

const SHEET = /maplibre-gl\.css$/;
const UNUSED = /\.maplibregl-(ctrl-(group|compass|zoom|fullscreen|shrink|globe|terrain|geolocate|logo)|popup|user-location|crosshair|boxzoom|cooperative)/;
const UNUSED_MOTION = /^@keyframes/;

/** Takes unused rules out of `maplibre-gl.css`. */
export function prune(): Plugin {
  return {
    name: 'prune-maplibre-css',
    apply: 'build',
    enforce: 'pre',
    transform: (code, id) => (SHEET.test(id) ? { code: pruned(code), map: null } : undefined),
  };
}

/** The rules that are left. Pictures in the sheet are escaped, so a brace is a brace. */
export function pruned(css: string): string {
  let left = '';
  for (let at = 0; at < css.length; ) {
    const open = css.indexOf('{', at);
    if (open < 0) {
      return left + css.slice(at);
    }
    const close = closing(css, open);
    const head = css.slice(at, open).trim();
    const body = css.slice(open + 1, close);
    at = close + 1;
    if (head.startsWith('@media')) {
      const inside = pruned(body).trim();
      left += inside ? `${head}{${inside}}` : '';
    } else if (!UNUSED_MOTION.test(head)) {
      const selectors = head.split(',').filter((selector) => !UNUSED.test(selector));
      left += selectors.length > 0 ? `${selectors.join(',')}{${body}}` : '';
    }
  }
  return left;
}

/** Where the block ends that begins at `open`. */
function closing(css: string, open: number): number {
  for (let at = open, depth = 0; at < css.length; at += 1) {
    depth += css[at] === '{' ? 1 : css[at] === '}' ? -1 : 0;
    if (depth === 0) {
      return at;
    }
  }
  throw new Error('a block of the style sheet does not end');
}
