// Builds the map client into web/dist, from where the server hands it out under /. The playground builds into a folder
// of the same one, so that folder is never emptied here; scripts/web takes the old files away.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { basemap } from './basemap/plugin.ts';
import { compress } from './compress.ts';
import { prune } from './prune.ts';

export default defineConfig({
  plugins: [svelte(), basemap(), prune(), compress()],
  worker: { format: 'es' },
  build: {
    outDir: '../dist',
    emptyOutDir: false,
    target: 'es2022',
    // Small files as data: addresses would need a wider content security policy.
    assetsInlineLimit: 0,
    // MapLibre is one large module; there is nothing to gain from cutting it.
    chunkSizeWarningLimit: 1200,
    // Cutting the world into tiles is most of a build, and meant to be.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  // `npx vite` in this folder: the page from here, the API from a running server.
  server: {
    proxy: {
      '/graphql': { target: 'http://127.0.0.1:8080', ws: true },
      '/config.json': 'http://127.0.0.1:8080',
      '/live': 'http://127.0.0.1:8080',
      '/vod': 'http://127.0.0.1:8080',
      '/whip': 'http://127.0.0.1:8080',
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
