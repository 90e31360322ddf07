// Everything the client asks the server.
import { graphql, type ResultOf, type VariablesOf } from './graphql.ts';

const item = graphql(`
  fragment Item on MapItem {
    __typename
    id
    title
    position { longitude latitude }
    thumbnailUrl
    ... on Stream { streamStatus: status category startedAt createdAt viewerCount }
    ... on Vod { vodStatus: status category createdAt durationMs progress }
    ... on Cctv { cctvStatus: status kind source observedAt }
  }
`);

export const mapQuery = graphql(
  `
    query Map(
      $bbox: BoundingBoxInput!
      $zoom: Float!
      $kinds: [MapItemKind!]
      $categories: [Category!]
      $since: DateTime
      $first: Int
    ) {
      map(bbox: $bbox, zoom: $zoom, kinds: $kinds, categories: $categories, since: $since, first: $first) {
        cursor
        items { ...Item }
        clusters {
          id
          count
          position { longitude latitude }
          counts { streams vods cctvs }
          bbox { west south east north }
        }
      }
    }
  `,
  [item],
);

export const mapEvents = graphql(
  `
    subscription MapEvents($bbox: BoundingBoxInput!, $kinds: [MapItemKind!], $after: Cursor) {
      mapEvents(bbox: $bbox, kinds: $kinds, after: $after) {
        __typename
        cursor
        itemId
        item { ...Item }
      }
    }
  `,
  [item],
);

const camera = graphql(`
  fragment Camera on Cctv {
    __typename
    id
    title
    position { longitude latitude }
    cctvStatus: status
    kind
    source
    attribution
    playbackUrl
    imageUrl
    observedAt
  }
`);

const replay = graphql(`
  fragment Replay on Vod {
    __typename
    id
    title
    position { longitude latitude }
    thumbnailUrl
    category
    createdAt
    vodStatus: status
    durationMs
    playbackUrl
    readyAt
    progress
    redaction { frames faceTracks facesBlurred gaps model }
  }
`);

const broadcast = graphql(`
  fragment Broadcast on Stream {
    __typename
    id
    title
    description
    position { longitude latitude }
    accuracy
    thumbnailUrl
    category
    createdAt
    streamStatus: status
    startedAt
    endedAt
    playbackUrl
    viewerCount
    address { name(language: $language) }
    nearbyCctvs(first: 4) { id title cctvStatus: status kind }
  }
`);

/** One item with all that its sheet shows. A replay comes with its broadcast, a broadcast with its replay. */
export const itemQuery = graphql(
  `
    query Item($id: ID!, $language: Language!) {
      node(id: $id) {
        __typename
        ... on Stream { ...Broadcast vod { ...Replay } }
        ... on Vod { ...Replay stream { ...Broadcast } }
        ... on Cctv { ...Camera }
      }
    }
  `,
  [broadcast, replay, camera],
);

/** How many watch a broadcast, at every change of it. */
export const viewersOf = graphql(`
  subscription ViewersOf($id: ID!) {
    stream(id: $id) { id viewerCount streamStatus: status }
  }
`);

/** Where the log stands now, to follow what happens in a box from here on. */
export const cursorQuery = graphql(`
  query CursorOf($bbox: BoundingBoxInput!, $kinds: [MapItemKind!]) {
    map(bbox: $bbox, zoom: 22, kinds: $kinds, first: 1) { cursor }
  }
`);

/** What is on air in a box, page by page. */
export const liveQuery = graphql(
  `
    query Live($bbox: BoundingBoxInput!, $categories: [Category!], $after: Cursor) {
      streams(bbox: $bbox, statuses: [LIVE, INTERRUPTED], categories: $categories, first: 200, after: $after) {
        nodes { ...Item }
        pageInfo { hasNextPage endCursor }
      }
    }
  `,
  [item],
);

export const placesQuery = graphql(`
  query Places($text: String!, $near: PositionInput, $language: Language!) {
    places(text: $text, near: $near, first: 6) { name(language: $language) position { longitude latitude } }
  }
`);

export const addressQuery = graphql(`
  query Address($position: PositionInput!, $language: Language!) {
    address(position: $position) { name(language: $language) }
  }
`);

export const startStream = graphql(`
  mutation Start($input: StartStreamInput!) {
    startStream(input: $input) {
      stream { id }
      publishToken
      ingest { whipUrl rtmpUrl streamKey ivs { ingestEndpoint streamKey } }
      error { code message field }
    }
  }
`);

export const moveStream = graphql(`
  mutation Move($input: MoveStreamInput!) {
    moveStream(input: $input) { error { code message } }
  }
`);

export const stopStream = graphql(`
  mutation Stop($input: StopStreamInput!) {
    stopStream(input: $input) { error { code message } }
  }
`);

export type MapAnswer = ResultOf<typeof mapQuery>['map'];
export type Item = MapAnswer['items'][number];
export type Cluster = MapAnswer['clusters'][number];
export type MapEvent = NonNullable<ResultOf<typeof mapEvents>['mapEvents']>;
export type MapVariables = VariablesOf<typeof mapQuery>;
export type Broadcast = ResultOf<typeof broadcast>;
export type Replay = ResultOf<typeof replay>;
export type Camera = ResultOf<typeof camera>;
export type Place = ResultOf<typeof placesQuery>['places'][number];
export type Ingest = NonNullable<ResultOf<typeof startStream>['startStream']['ingest']>;
export type Category = ReturnType<typeof graphql.scalar<'Category'>>;
export type MapItemKind = ReturnType<typeof graphql.scalar<'MapItemKind'>>;
