// Makes the offline basemap part of the build.
import type { Plugin } from 'vite';

/** Adds `basemap.pmtiles` to what is built. */
export function basemap(): Plugin {
  return {
    name: 'offline-basemap',
    apply: 'build',
    async generateBundle() {
      const { basemap: tiles } = await import('./tiles.ts');
      this.emitFile({ type: 'asset', fileName: 'basemap.pmtiles', source: tiles() });
    },
  };
}
