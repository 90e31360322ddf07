// The labels of the basemap: the bundled places of the server, countries among them.
//
// `zoom` says from which zoom on a label is worth its room; the map leaves out those that do not fit.
import { readFileSync } from 'node:fs';
import type { Feature, FeatureCollection, MultiPolygon, Point, Polygon, Position } from 'geojson';

const FOLDER = new URL('../../../places/data/', import.meta.url);

/** What a label knows. */
export interface Label {
  readonly name: string;
  readonly ko: string;
  readonly kind: 'country' | 'province' | 'city' | 'district';
  readonly zoom: number;
  /** Larger is more important. */
  readonly weight: number;
}

const KOREA_ZOOM: Readonly<Record<string, number>> = { province: 5, city: 7, county: 8, district: 9.5 };
/** Below how many inhabitants a city is shown from which zoom on only. */
const CITY_ZOOM: readonly (readonly [number, number])[] = [
  [30_000, 9.5],
  [80_000, 8.5],
  [200_000, 7.5],
  [500_000, 6.2],
  [1_000_000, 5.2],
  [3_000_000, 4.2],
  [Infinity, 3],
];

/** Names that Natural Earth shortens, as CLDR has them. */
const FULL_NAME: Readonly<Record<string, string>> = {
  'Bosnia and Herz.': 'Bosnia & Herzegovina',
  'Cabo Verde': 'Cape Verde',
  'Central African Rep.': 'Central African Republic',
  Congo: 'Congo - Brazzaville',
  "Côte d'Ivoire": 'Côte d’Ivoire',
  'Dem. Rep. Congo': 'Congo - Kinshasa',
  'Dominican Rep.': 'Dominican Republic',
  'Eq. Guinea': 'Equatorial Guinea',
  eSwatini: 'Eswatini',
  'Falkland Is.': 'Falkland Islands',
  Macedonia: 'North Macedonia',
  'Marshall Is.': 'Marshall Islands',
  Palestine: 'Palestinian Territories',
  'S. Sudan': 'South Sudan',
  'Solomon Is.': 'Solomon Islands',
  'São Tomé and Principe': 'São Tomé & Príncipe',
  'Trinidad and Tobago': 'Trinidad & Tobago',
  Turkey: 'Türkiye',
  'United States of America': 'United States',
  Vatican: 'Vatican City',
  'W. Sahara': 'Western Sahara',
};

function rows(file: string): string[][] {
  const lines = readFileSync(new URL(file, FOLDER), 'utf8').trimEnd().split('\n');
  return lines.slice(1).map((line) => line.split('\t'));
}

function label(longitude: number, latitude: number, properties: Label): Feature<Point, Label> {
  return { type: 'Feature', geometry: { type: 'Point', coordinates: [longitude, latitude] }, properties };
}

function korea(): Feature<Point, Label>[] {
  return rows('korea.tsv').map(([level = '', name = '', ko = '', , longitude, latitude]) => {
    const kind = level === 'province' ? 'province' : level === 'district' ? 'district' : 'city';
    const zoom = KOREA_ZOOM[level] ?? 10;
    return label(Number(longitude), Number(latitude), { name, ko, kind, zoom, weight: 12 - zoom });
  });
}

function cities(): Feature<Point, Label>[] {
  return rows('cities.tsv').map(([name = '', ko = '', , people, longitude, latitude]) => {
    const population = Number(people);
    const zoom = CITY_ZOOM.find(([below]) => population < below)?.[1] ?? 10;
    // To a tenth: tiles write each value once, however many labels have it.
    const weight = Math.round(10 * Math.log10(Math.max(population, 1)) - 30) / 10;
    return label(Number(longitude), Number(latitude), { name, ko, kind: 'city', zoom, weight });
  });
}

/** The labels of countries, each in the middle of its largest piece of land. */
function countries(land: FeatureCollection<Polygon | MultiPolygon, { name: string }>): Feature<Point, Label>[] {
  const korean = new Map(rows('countries.tsv').map(([, name = '', ko = '']) => [name, ko]));
  return land.features.flatMap((country) => {
    const rings = country.geometry.type === 'Polygon' ? [country.geometry.coordinates] : country.geometry.coordinates;
    const outer = rings.flatMap((polygon) => polygon.slice(0, 1));
    const largest = outer.reduce((a, b) => (Math.abs(area(b)) > Math.abs(area(a)) ? b : a));
    const size = Math.abs(area(largest));
    const zoom = size > 150 ? 1.5 : size > 20 ? 2.5 : size > 4 ? 3.5 : 4.5;
    const name = FULL_NAME[country.properties.name] ?? country.properties.name;
    const ko = korean.get(name) ?? '';
    const [longitude = 0, latitude = 0] = middle(largest);
    return label(longitude, latitude, { name, ko, kind: 'country', zoom, weight: 10 + zoom });
  });
}

/** The signed area of a ring, in square degrees (the shoelace formula). */
function area(ring: Position[]): number {
  return ring.reduce((sum, [x = 0, y = 0], index) => {
    const [nextX = 0, nextY = 0] = ring[(index + 1) % ring.length] ?? [];
    return sum + (x * nextY - nextX * y) / 2;
  }, 0);
}

/** The centroid of a ring. */
function middle(ring: Position[]): Position {
  const sum = ring.reduce<[number, number]>(
    ([sumX, sumY], [x = 0, y = 0], index) => {
      const [nextX = 0, nextY = 0] = ring[(index + 1) % ring.length] ?? [];
      const cross = x * nextY - nextX * y;
      return [sumX + (x + nextX) * cross, sumY + (y + nextY) * cross];
    },
    [0, 0],
  );
  return sum.map((value) => value / (6 * area(ring)));
}

/** Every label there is. */
export function labels(
  land: FeatureCollection<Polygon | MultiPolygon, { name: string }>,
): FeatureCollection<Point, Label> {
  return { type: 'FeatureCollection', features: [...countries(land), ...korea(), ...cities()] };
}
