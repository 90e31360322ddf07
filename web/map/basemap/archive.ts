// Writes a PMTiles archive: tiles in one file, read in parts.
//
// Tiles of one content are stored once. Source: PMTiles version 3, https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
import { gzipSync } from 'node:zlib';
import { zxyToTileId } from 'pmtiles';

/** One tile, its bytes a Mapbox vector tile. */
export interface Tile {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
  readonly bytes: Uint8Array;
}

interface Entry {
  readonly id: number;
  readonly offset: number;
  readonly length: number;
  run: number;
}

const HEADER_BYTES = 127;
/** Header and root directory must fit in here. */
const FIRST_BYTES = 16_384;
/** Entries of one leaf directory. */
const LEAF_ENTRIES = 2_048;
const GZIP = 2;
const VECTOR_TILES = 1;

/** The archive of these tiles, which cover the world from zoom 0 to `maxZoom`. */
export function archive(tiles: readonly Tile[], maxZoom: number, metadata: object): Buffer {
  const { entries, data } = store(tiles);
  const { root, leaves } = directories(entries);
  const meta = gzipSync(JSON.stringify(metadata));
  const unique = new Set(entries.map((entry) => entry.offset)).size;
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('PMTiles', 'latin1');
  header[7] = 3;
  const parts = [root, meta, leaves, data];
  let offset = HEADER_BYTES;
  parts.forEach((part, index) => {
    header.writeBigUInt64LE(BigInt(offset), 8 + 16 * index);
    header.writeBigUInt64LE(BigInt(part.length), 16 + 16 * index);
    offset += part.length;
  });
  [tiles.length, entries.length, unique].forEach((count, index) => {
    header.writeBigUInt64LE(BigInt(count), 72 + 8 * index);
  });
  header.set([1, GZIP, GZIP, VECTOR_TILES, 0, maxZoom], 96);
  [-180, -85, 180, 85].forEach((degrees, index) => {
    header.writeInt32LE(degrees * 1e7, 102 + 4 * index);
  });
  return Buffer.concat([header, ...parts]);
}

/** Puts the tiles in the order of their numbers, those of one content once. */
function store(tiles: readonly Tile[]): { entries: Entry[]; data: Buffer } {
  const sorted = tiles.map((tile) => ({ id: zxyToTileId(tile.zoom, tile.x, tile.y), bytes: tile.bytes }));
  sorted.sort((a, b) => a.id - b.id);
  const seen = new Map<string, { offset: number; length: number }>();
  const blobs: Buffer[] = [];
  const entries: Entry[] = [];
  let offset = 0;
  for (const tile of sorted) {
    const content = Buffer.from(tile.bytes).toString('latin1');
    let place = seen.get(content);
    if (!place) {
      const blob = gzipSync(tile.bytes, { level: 9 });
      place = { offset, length: blob.length };
      seen.set(content, place);
      blobs.push(blob);
      offset += blob.length;
    }
    const last = entries.at(-1);
    if (last && last.offset === place.offset && last.id + last.run === tile.id) {
      last.run += 1;
    } else {
      entries.push({ id: tile.id, ...place, run: 1 });
    }
  }
  return { entries, data: Buffer.concat(blobs) };
}

function directories(entries: readonly Entry[]): { root: Buffer; leaves: Buffer } {
  const whole = directory(entries);
  if (HEADER_BYTES + whole.length <= FIRST_BYTES) {
    return { root: whole, leaves: Buffer.alloc(0) };
  }
  const pointers: Entry[] = [];
  const leaves: Buffer[] = [];
  let offset = 0;
  for (let start = 0; start < entries.length; start += LEAF_ENTRIES) {
    const part = entries.slice(start, start + LEAF_ENTRIES);
    const leaf = directory(part);
    // A run of nothing is what tells a leaf from a tile.
    pointers.push({ id: part[0]?.id ?? 0, offset, length: leaf.length, run: 0 });
    leaves.push(leaf);
    offset += leaf.length;
  }
  return { root: directory(pointers), leaves: Buffer.concat(leaves) };
}

function directory(entries: readonly Entry[]): Buffer {
  const bytes: number[] = [];
  varint(bytes, entries.length);
  entries.forEach((entry, index) => varint(bytes, entry.id - (entries[index - 1]?.id ?? 0)));
  entries.forEach((entry) => varint(bytes, entry.run));
  entries.forEach((entry) => varint(bytes, entry.length));
  entries.forEach((entry, index) => {
    const before = entries[index - 1];
    const follows = before !== undefined && entry.offset === before.offset + before.length;
    varint(bytes, follows ? 0 : entry.offset + 1);
  });
  return gzipSync(Buffer.from(bytes));
}

function varint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}
