// Lays beside every built file that a page loads what it is when compressed, as well as can be: the server sends that,
// and compresses nothing of it again.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const TEXT = /\.(css|html|js|json|svg|webmanifest)$/;
/** Less than this fits into one packet with its headers either way. */
const LEAST_BYTES = 500;

/** Compresses what was built into the root of `folder` and into its `assets`. */
export function compress(): Plugin {
  let folder = '';
  return {
    name: 'compress',
    apply: 'build',
    configResolved: ({ root, build }) => void (folder = join(root, build.outDir)),
    closeBundle() {
      for (const place of [folder, join(folder, 'assets')]) {
        readdirSync(place)
          .map((name) => join(place, name))
          .filter((file) => TEXT.test(file) && statSync(file).size >= LEAST_BYTES)
          .forEach(write);
      }
    },
  };
}

function write(file: string): void {
  const bytes = readFileSync(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}
