// Builds the playground into web/dist/graphiql, from where the server hands it out under /graphiql/.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/graphiql/',
  plugins: [react()],
  // Monaco's language services run in module workers.
  worker: { format: 'es' },
  build: {
    outDir: '../dist/graphiql',
    emptyOutDir: true,
    // Monaco is one large module; there is nothing to gain from cutting it.
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      // React compiler hints of GraphiQL's own modules mean nothing to a bundle.
      onLog: (level, log, handle) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') {
          handle(level, log);
        }
      },
    },
  },
  // `npx vite` in this folder: the page from here, the API from a running server.
  server: { proxy: { '/graphql': { target: 'http://127.0.0.1:8080', ws: true } } },
});
