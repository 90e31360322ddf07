// What this server says about itself.

/** What the map is drawn from. */
export type Basemap =
  | { readonly kind: 'offline' }
  | { readonly kind: 'protomaps' }
  | { readonly kind: 'style'; readonly url: string };

export interface Config {
  readonly basemap: Basemap;
  /** Sites that pictures and films may come from besides the server itself, as in a content security policy. */
  readonly sources: readonly string[];
  readonly placesAttribution: string;
  /** The script that a browser goes live with over Amazon IVS, where there is one. */
  readonly broadcastSdk: string | null;
}

/** What holds while the server has not answered. */
const DEFAULT: Config = {
  basemap: { kind: 'offline' },
  sources: [],
  placesAttribution: 'GeoNames (CC BY 4.0)',
  broadcastSdk: null,
};

let asked: Promise<Config> | undefined;

/** The settings, asked for once. */
export function config(): Promise<Config> {
  asked ??= fetch('/config.json')
    .then((answer) => (answer.ok ? (answer.json() as Promise<Config>) : DEFAULT))
    .catch(() => {
      asked = undefined;
      return DEFAULT;
    });
  return asked;
}

/** Whether the server's policy lets the page load this address. */
export function isAllowed(address: string, sources: readonly string[], page: string): boolean {
  const url = new URL(address, page);
  return url.origin === new URL(page).origin || sources.some((source) => matches(url, source));
}

function matches(url: URL, source: string): boolean {
  const [scheme = '', place = ''] = source.split('://');
  const [host = '', port = ''] = place.split(':');
  const upgraded = scheme === 'http' && url.protocol === 'https:';
  const samePort = (port || standardPort(scheme)) === (url.port || standardPort(url.protocol.slice(0, -1)));
  const sameHost = host.startsWith('*.') ? url.hostname.endsWith(host.slice(1)) : url.hostname === host;
  return sameHost && (url.protocol === `${scheme}:` || upgraded) && (samePort || upgraded);
}

function standardPort(scheme: string): string {
  return scheme === 'https' || scheme === 'wss' ? '443' : '80';
}
