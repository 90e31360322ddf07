// GraphQL documents whose answers have the types of schema.graphql.
import { initGraphQLTada } from 'gql.tada';
// Made from schema.graphql by `npm run schema`; it is types alone and in no build.
import type { introspection } from '#schema';

export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { DateTime: string; Cursor: string; Longitude: number; Latitude: number };
}>();

export type { ResultOf, VariablesOf } from 'gql.tada';
