// The GraphQL playground: GraphiQL with an explorer, live subscriptions and examples, all from our own files, so
// that it works without a network and under a content security policy that allows no other origin.
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './style.css';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';

import { examples, openingTab } from './tabs';

const http = new URL('/graphql', location.href);
const ws = new URL('/graphql/ws', location.href);
ws.protocol = http.protocol === 'https:' ? 'wss:' : 'ws:';

// Lazy: the socket opens with the first subscription and closes after the last one.
const wsClient = createClient({ url: ws.href, lazy: true, shouldRetry: () => true });
const fetcher = createGraphiQLFetcher({ url: http.href, wsClient });

const opening = openingTab();

const root = document.getElementById('graphiql');
if (!root) {
  throw new Error('index.html has no element #graphiql');
}
createRoot(root).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={[HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })]}
    defaultTabs={examples}
    initialQuery={opening?.query ?? ''}
    initialVariables={opening?.variables ?? ''}
    defaultEditorToolsVisibility="variables"
  >
    <GraphiQL.Logo>Emergency Time</GraphiQL.Logo>
  </GraphiQL>,
);
