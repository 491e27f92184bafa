/**
 * Runs one map: two stacked canvases (chart, fleet), pointer and wheel, and a flight between views.
 *
 * The chart is repainted only when the view moves; the fleet whenever the store says something moved.
 */
import type { Device } from "../api/types";
import { type Ink, onInkChange, readInk } from "../lib/ink";
import { areaOf, type Position } from "../lib/position";
import { store } from "../live/live";
import { type Cluster, clusterMarkers, clusterRadius, type Marker } from "./cluster";
import { type Detail, loadOutlines, type Outlines } from "./outlines";
import { paintArea, paintChart, paintCluster, paintMarker, paintPath, paintTrail } from "./paint";
import {
  clampView,
  fitView,
  type Point,
  panBy,
  project,
  type Size,
  toScreen,
  type View,
  zoomAround,
} from "./projection";

export interface FleetItem {
  id: string;
  name: string;
  /** The ground it is meant to stay on, if that is known. */
  area: Position[] | null;
}

export function fleetItemOf({ id, name, configuration }: Device): FleetItem {
  return { id, name, area: areaOf(configuration.area) };
}

export interface MapHooks {
  /** The pointer is over this device, or over nothing. */
  hover(id: string | null, at: Point): void;
  open(id: string): void;
  moved(view: View): void;
}

const FINE_FROM_ZOOM = 3.6;
const AREAS_FROM_ZOOM = 9;
const TRAILS_FROM_ZOOM = 10;
const NAMES_FROM_ZOOM = 12.5;
const FLIGHT_MS = 260;
const HIT_PX = 14;

export class MapEngine {
  view: View = { x: 0.5, y: 0.42, zoom: 1 };
  size: Size = { width: 1, height: 1 };
  readonly #chart: HTMLCanvasElement;
  readonly #fleet: HTMLCanvasElement;
  readonly #hooks: MapHooks;
  readonly #stops: (() => void)[] = [];
  #ink: Ink = readInk();
  #outlines: Outlines | null = null;
  #detail: Detail | null = null;
  #items: FleetItem[] = [];
  #path: Position[] = [];
  #clusters: Cluster[] = [];
  #hovered: string | null = null;
  #frame = 0;
  #chartDirty = true;
  #touched = false;
  #fitted = false;

  constructor(chart: HTMLCanvasElement, fleet: HTMLCanvasElement, hooks: MapHooks) {
    this.#chart = chart;
    this.#fleet = fleet;
    this.#hooks = hooks;
    this.#stops.push(store.subscribe("fleet", () => this.#request(false)));
    this.#stops.push(store.subscribe("presence", () => this.#request(false)));
    this.#stops.push(
      onInkChange(() => {
        this.#ink = readInk();
        this.#request(true);
      }),
    );
    void document.fonts?.ready.then(() => this.#request(true));
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    for (const stop of this.#stops) stop();
  }

  resize(size: Size): void {
    this.size = size;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.#chart, this.#fleet]) {
      canvas.width = Math.round(size.width * ratio);
      canvas.height = Math.round(size.height * ratio);
      canvas.getContext("2d")?.setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.view = clampView(this.view, size);
    if (!this.#touched) this.#fitted = false;
    this.#request(true);
  }

  show(items: FleetItem[]): void {
    this.#items = items;
    this.#request(false);
  }

  /** Where the devices have been, drawn under where they are; the view makes room for it. */
  showPath(path: Position[]): void {
    this.#path = path;
    if (!this.#touched) this.#fitted = false;
    this.#request(false);
  }

  /** Show the whole fleet again, and keep showing it until a person moves the map. */
  fit(): void {
    this.#touched = false;
    this.#flyTo(fitView(this.#points(), this.size));
  }

  pan(dx: number, dy: number): void {
    this.#move(panBy(this.view, dx, dy, this.size));
  }

  zoom(delta: number, at: Point = { x: this.size.width / 2, y: this.size.height / 2 }, fly = false): void {
    const to = zoomAround(this.view, delta, at, this.size);
    this.#touched = true;
    if (fly) this.#flyTo(to);
    else this.#move(to);
  }

  hover(at: Point | null): void {
    const hit = at ? this.#hit(at) : null;
    const only = hit?.members.length === 1 ? hit.members[0] : undefined;
    this.#fleet.style.cursor = hit ? "pointer" : "grab";
    if (this.#hovered !== (only?.id ?? null)) {
      this.#hovered = only?.id ?? null;
      this.#request(false);
    }
    this.#hooks.hover(this.#hovered, only ? toScreen(only, this.view, this.size) : { x: 0, y: 0 });
  }

  click(at: Point): void {
    const hit = this.#hit(at);
    if (!hit) return;
    const [only, ...more] = hit.members;
    if (only && more.length === 0) {
      this.#hooks.open(only.id);
      return;
    }
    this.#touched = true;
    const closer = fitView(hit.members, this.size, 70, 16);
    this.#flyTo(closer.zoom > this.view.zoom + 0.3 ? closer : zoomAround(this.view, 1.5, at, this.size));
  }

  #points(): Point[] {
    const now = this.#items.flatMap(({ id }) => store.devices.get(id)?.position ?? []);
    const area = this.#items.length === 1 ? (this.#items[0]?.area ?? []) : [];
    return [...this.#path, ...area, ...now].map(project);
  }

  #hit(at: Point): Cluster | null {
    let best: Cluster | null = null;
    let nearest = Number.POSITIVE_INFINITY;
    for (const cluster of this.#clusters) {
      const screen = toScreen(cluster, this.view, this.size);
      const distance = Math.hypot(screen.x - at.x, screen.y - at.y);
      const reach = cluster.members.length > 1 ? clusterRadius(cluster.members.length) : HIT_PX;
      if (distance <= reach && distance < nearest) [best, nearest] = [cluster, distance];
    }
    return best;
  }

  #move(view: View): void {
    this.#touched = true;
    this.#set(view);
  }

  #set(view: View): void {
    this.view = view;
    this.#hooks.moved(view);
    this.#request(true);
  }

  #flyTo(to: View): void {
    const from = this.view;
    const began = performance.now();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = () => {
      const progress = still ? 1 : Math.min(1, (performance.now() - began) / FLIGHT_MS);
      const eased = 1 - (1 - progress) ** 3;
      const between = (one: number, other: number) => one + (other - one) * eased;
      this.#set({ x: between(from.x, to.x), y: between(from.y, to.y), zoom: between(from.zoom, to.zoom) });
      if (progress < 1) requestAnimationFrame(step);
    };
    step();
  }

  #request(chart: boolean): void {
    this.#chartDirty ||= chart;
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint(): void {
    if (!this.#fitted) this.#fitOnce();
    if (this.#chartDirty) this.#paintChart();
    this.#paintFleet();
  }

  #fitOnce(): void {
    const points = this.#points();
    this.view = fitView(points, this.size);
    this.#hooks.moved(this.view);
    this.#fitted = points.length > 0;
    this.#chartDirty = true;
  }

  #paintChart(): void {
    this.#chartDirty = false;
    this.#load(this.view.zoom >= FINE_FROM_ZOOM ? "fine" : "coarse");
    const pen = this.#chart.getContext("2d");
    if (pen) paintChart(pen, this.view, this.size, this.#outlines, this.#ink);
  }

  #load(detail: Detail): void {
    if (this.#detail === detail) return;
    this.#detail = detail;
    const loaded = loadOutlines(detail).then((outlines) => {
      if (this.#detail !== detail) return;
      this.#outlines = outlines;
      this.#request(true);
    });
    loaded.catch(() => {
      if (this.#detail === detail) this.#detail = null;
    });
  }

  #paintFleet(): void {
    const pen = this.#fleet.getContext("2d");
    if (!pen) return;
    pen.clearRect(0, 0, this.size.width, this.size.height);
    const names = new Map(this.#items.map(({ id, name }) => [id, name]));
    this.#clusters = clusterMarkers(this.#markers(), this.view);
    this.#paintAreas(pen);
    paintPath(pen, this.#path, this.view, this.size, this.#ink);
    if (this.view.zoom >= TRAILS_FROM_ZOOM || this.#items.length === 1) this.#paintTrails(pen);
    for (const cluster of this.#clusters) {
      const at = toScreen(cluster, this.view, this.size);
      const [only, ...more] = cluster.members;
      if (!only || more.length > 0) paintCluster(pen, at, cluster, this.#ink);
      else this.#paintOne(pen, at, only, names.get(only.id) ?? null);
    }
  }

  /** Devices that share an area share one outline. */
  #paintAreas(pen: CanvasRenderingContext2D): void {
    if (this.view.zoom < AREAS_FROM_ZOOM) return;
    const areas = new Map(this.#items.flatMap(({ area }) => (area ? [[String(area[0]?.lat), area]] : [])));
    for (const area of areas.values()) paintArea(pen, area, this.view, this.size, this.#ink);
  }

  #paintOne(pen: CanvasRenderingContext2D, at: Point, marker: Marker, name: string | null): void {
    const heading = store.devices.get(marker.id)?.values.get("heading")?.value;
    const look = {
      heading: typeof heading === "number" ? heading : null,
      marked: marker.id === this.#hovered || this.#items.length === 1,
      name: this.view.zoom >= NAMES_FROM_ZOOM && this.#items.length > 1 ? name : null,
    };
    paintMarker(pen, at, marker.status, look, this.#ink);
  }

  #paintTrails(pen: CanvasRenderingContext2D): void {
    for (const { id } of this.#items) {
      const device = store.devices.get(id);
      if (device) paintTrail(pen, device.trail, this.view, this.size, this.#ink);
    }
  }

  #markers(): Marker[] {
    return this.#items.flatMap(({ id }) => {
      const device = store.devices.get(id);
      return device?.position ? [{ id, status: device.status, ...project(device.position) }] : [];
    });
  }
}
