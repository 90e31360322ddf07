// The map itself: MapLibre, loaded when it is needed, and what the pages want of it.
import 'maplibre-gl/dist/maplibre-gl.css';
import { AttributionControl, addProtocol, type LngLatBoundsLike, Map as MapLibre, prewarm, ScaleControl, setWorkerUrl } from 'maplibre-gl';
import worker from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import { PMTiles, Protocol } from 'pmtiles';
import { ARCHIVE, type Style } from './basemap.ts';
import { type Box, type Point, wrapped } from './geo.ts';
import { BOX_MARGIN, type Camera, HOME, MAX_ZOOM } from './mercator.ts';

setWorkerUrl(worker);
// The worker reads its code while the page makes the map.
prewarm();
const tiles = new Protocol();
addProtocol('pmtiles', tiles.tile);

/** How near a single thing or a place is looked at. */
const NEAR_ZOOM = 12;
const WAIT_MS = 120;

/** What lies over the map and hides part of it, in pixels. */
export interface Cover {
  readonly left: number;
  readonly bottom: number;
}

export class Canvas {
  readonly map: MapLibre;
  cover: Cover = { left: 0, bottom: 0 };
  #settled: ReturnType<typeof setTimeout> | undefined;

  /** Throws where WebGL2 is missing. */
  constructor(container: HTMLElement, style: Style, camera: Camera | null, box: Box | null) {
    const { longitude, latitude, zoom } = camera ?? HOME;
    this.map = new MapLibre({
      container,
      style,
      center: [longitude, latitude],
      zoom,
      maxZoom: MAX_ZOOM,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 200,
      ...(box && !camera ? { bounds: bounds(box), fitBoundsOptions: { padding: BOX_MARGIN } } : {}),
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new AttributionControl({ compact: true }), 'bottom-right');
    this.map.addControl(new ScaleControl({ maxWidth: 90 }), 'bottom-right');
  }

  /** Tells what is seen: now, and whenever the map has come to rest. */
  onView(tell: (view: Box, camera: Camera) => void): void {
    const now = (): void => {
      const seen = this.map.getBounds();
      const { lng, lat } = this.map.getCenter();
      const camera = { longitude: wrapped(lng), latitude: lat, zoom: this.map.getZoom() };
      tell({ west: seen.getWest(), south: seen.getSouth(), east: seen.getEast(), north: seen.getNorth() }, camera);
    };
    this.map.on('moveend', () => {
      clearTimeout(this.#settled);
      this.#settled = setTimeout(now, WAIT_MS);
    });
    now();
  }

  /** Draws with another style; the pins stay as they are. */
  readonly draw = (style: Style): void => {
    this.map.setStyle(style, { diff: false });
  };

  /** Draws anew what could not be loaded. Throws where it still cannot, and then what is seen stays as it is. */
  async redraw(style: Style): Promise<void> {
    if (typeof style === 'string') {
      await reached(style);
    } else {
      // The archive that failed remembers that it did.
      const archive = new PMTiles(ARCHIVE);
      await archive.getHeader();
      tiles.add(archive);
    }
    this.draw(style);
  }

  /** Says what the map and its button are, to those who do not see them; MapLibre itself does it once, in English. */
  speak(map: string, attribution: string): void {
    this.map.getCanvas().setAttribute('aria-label', map);
    const button = this.map.getContainer().querySelector('.maplibregl-ctrl-attrib-button');
    button?.setAttribute('aria-label', attribution);
    button?.setAttribute('title', attribution);
  }

  fit(box: Box): void {
    this.map.fitBounds(bounds(box), { padding: this.#padding(48), maxZoom: MAX_ZOOM - 2, duration: 600 });
  }

  fly(point: Point, zoom = NEAR_ZOOM): void {
    const padding = this.#padding(0);
    const target = { center: [point.longitude, point.latitude] as [number, number], zoom: Math.max(zoom, this.map.getZoom()) };
    // Not a permanent padding: the box that is asked for is the whole map's.
    this.map.easeTo({ ...target, offset: [padding.left / 2, -padding.bottom / 2], duration: 700 });
  }

  /** Brings a point into what is not covered, if it is not there. */
  reveal(point: Point): void {
    const { x, y } = this.map.project([point.longitude, point.latitude]);
    const { clientWidth, clientHeight } = this.map.getContainer();
    const inside = x > this.cover.left + 40 && x < clientWidth - 40 && y > 60 && y < clientHeight - this.cover.bottom - 40;
    if (!inside) {
      this.fly(point, this.map.getZoom());
    }
  }

  /** The middle of what is not covered. */
  middle(): Point {
    const { clientWidth, clientHeight } = this.map.getContainer();
    const { lng, lat } = this.map.unproject([(clientWidth + this.cover.left) / 2, (clientHeight - this.cover.bottom) / 2]);
    return { longitude: wrapped(lng), latitude: lat };
  }

  remove(): void {
    clearTimeout(this.#settled);
    this.map.remove();
  }

  #padding(least: number): { left: number; bottom: number; top: number; right: number } {
    return { left: this.cover.left + least, bottom: this.cover.bottom + least, top: least, right: least };
  }
}

async function reached(url: string): Promise<void> {
  const { ok, status } = await fetch(url);
  if (!ok) {
    throw new Error(`the style was answered with ${status}`);
  }
}

function bounds(box: Box): LngLatBoundsLike {
  return [box.west, box.south, box.east < box.west ? box.east + 360 : box.east, box.north];
}
