// Subscriptions over one WebSocket, which never comes back by itself: whoever follows something knows from where to go
// on, and this does not.
import { print } from '@0no-co/graphql.web';
import type { TadaDocumentNode } from 'gql.tada';
import { type Client, createClient } from 'graphql-ws';
import { type GraphQLFault, Refused, Unreachable } from './fault.ts';

const PING_MS = 10_000;
const PONG_MS = 5_000;
/** How long a socket without a subscription is kept, for the next one. */
const IDLE_MS = 5_000;

let client: Client | undefined;
/** Whether the server has taken the socket. */
let taken = false;

function connect(): Client {
  let pong: ReturnType<typeof setTimeout> | undefined;
  const made = createClient({
    url: new URL('/graphql/ws', location.href.replace(/^http/, 'ws')).href,
    retryAttempts: 0,
    lazyCloseTimeout: IDLE_MS,
    keepAlive: PING_MS,
    connectionAckWaitTimeout: PING_MS,
    on: {
      // A network that is gone says nothing: only a missing answer tells.
      ping: (received) => {
        if (!received) {
          pong = setTimeout(() => made.terminate(), PONG_MS);
        }
      },
      pong: (received) => {
        if (received) {
          clearTimeout(pong);
        }
      },
      connected: () => (taken = true),
      closed: () => {
        taken = false;
        clearTimeout(pong);
      },
    },
  });
  addEventListener('offline', () => made.terminate());
  return made;
}

/**
 * The answers of a subscription, until the signal is aborted; `opened` is called once there is a socket for it. Throws
 * `Refused` or `Unreachable` when it breaks off.
 */
export async function* subscribe<Data, Variables>(
  document: TadaDocumentNode<Data, Variables>,
  variables: Variables,
  signal: AbortSignal,
  opened: () => void = () => undefined,
): AsyncGenerator<Data, void> {
  client ??= connect();
  const unheard = client.on('connected', opened);
  if (taken) {
    opened();
  }
  const query = print(document as never);
  const answers = client.iterate<Data>({ query, variables: variables as Record<string, unknown> });
  const stop = (): void => void answers.return?.();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const { data, errors } of answers) {
      signal.throwIfAborted();
      if (errors?.length) {
        throw new Refused(errors as readonly GraphQLFault[]);
      }
      if (data) {
        yield data;
      }
    }
  } catch (fault) {
    signal.throwIfAborted();
    throw asFault(fault);
  } finally {
    signal.removeEventListener('abort', stop);
    unheard();
    stop();
  }
  signal.throwIfAborted();
  throw new Unreachable('the server ended the subscription');
}

function asFault(fault: unknown): Error {
  if (fault instanceof Refused) {
    return fault;
  }
  return Array.isArray(fault) ? new Refused(fault as GraphQLFault[]) : new Unreachable('the socket closed', { cause: fault });
}
