// GraphQL documents whose answers have the types of schema.graphql.
import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './schema.d.ts';

export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { DateTime: string; Cursor: string; Longitude: number; Latitude: number };
}>();

export type { ResultOf, VariablesOf } from 'gql.tada';
