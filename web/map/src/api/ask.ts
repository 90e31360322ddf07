// Queries and mutations over HTTP.
import { print } from '@0no-co/graphql.web';
import type { TadaDocumentNode } from 'gql.tada';
import { either } from './either.ts';
import { type GraphQLFault, Refused, Unreachable } from './fault.ts';

interface Answer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly GraphQLFault[];
}

/** Longer than the server takes at most. */
const PATIENCE_MS = 20_000;

/**
 * Asks the server. Throws `Refused` for an answer with errors and `Unreachable` without one; an aborted signal is thrown
 * as it is.
 */
export async function ask<Data, Variables>(
  document: TadaDocumentNode<Data, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Data> {
  const answer = await post<Data>({ query: print(document as never), variables }, signal);
  if (answer.errors?.length) {
    throw new Refused(answer.errors);
  }
  if (!answer.data) {
    throw new Unreachable('an answer without data');
  }
  return answer.data;
}

async function post<Data>(body: unknown, signal?: AbortSignal): Promise<Answer<Data>> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const send = async (until: AbortSignal): Promise<Answer<Data>> => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      signal: until,
    });
    return (await response.json()) as Answer<Data>;
  };
  try {
    return await (signal ? either(signal, patience, send) : send(patience));
  } catch (fault) {
    signal?.throwIfAborted();
    throw new Unreachable('the server was not reached', { cause: fault });
  }
}
