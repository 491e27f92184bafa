/** Web-Mercator on the unit square, and the view that looks at it. Pure arithmetic. */
import type { Position } from "../lib/position";

export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Centre in world units (0–1, y downwards) and zoom: the world is 256·2^zoom pixels wide. */
export interface View {
  x: number;
  y: number;
  zoom: number;
}

export const MIN_ZOOM = 0.5;
export const MAX_ZOOM = 18;
const TILE = 256;
const STEEPEST_LAT = 85.051129;
const EARTH_M = 40_075_016.686;

export function project({ lat, lon }: Position): Point {
  const clamped = Math.max(-STEEPEST_LAT, Math.min(STEEPEST_LAT, lat));
  const angle = (clamped * Math.PI) / 180;
  return {
    x: (lon + 180) / 360,
    y: (1 - Math.log(Math.tan(angle) + 1 / Math.cos(angle)) / Math.PI) / 2,
  };
}

export function unproject({ x, y }: Point): Position {
  const angle = Math.atan(Math.sinh(Math.PI * (1 - 2 * y)));
  return { lat: (angle * 180) / Math.PI, lon: x * 360 - 180 };
}

/** Pixels per world width. */
export function scaleOf(view: View): number {
  return TILE * 2 ** view.zoom;
}

export function toScreen(point: Point, view: View, size: Size): Point {
  const scale = scaleOf(view);
  return { x: (point.x - view.x) * scale + size.width / 2, y: (point.y - view.y) * scale + size.height / 2 };
}

export function toWorld(at: Point, view: View, size: Size): Point {
  const scale = scaleOf(view);
  return { x: view.x + (at.x - size.width / 2) / scale, y: view.y + (at.y - size.height / 2) / scale };
}

/** Never narrower than the canvas and never centred outside the world. */
export function clampView(view: View, size: Size): View {
  const widest = Math.log2(Math.max(size.width, 1) / TILE / 1.4);
  const zoom = Math.max(Math.max(MIN_ZOOM, widest), Math.min(MAX_ZOOM, view.zoom));
  return { zoom, x: Math.max(0, Math.min(1, view.x)), y: Math.max(0.03, Math.min(0.97, view.y)) };
}

/** Zoom by `delta` while the world point under `at` stays under it. */
export function zoomAround(view: View, delta: number, at: Point, size: Size): View {
  const held = toWorld(at, view, size);
  const zoom = clampView({ ...view, zoom: view.zoom + delta }, size).zoom;
  const scale = TILE * 2 ** zoom;
  return clampView(
    { zoom, x: held.x - (at.x - size.width / 2) / scale, y: held.y - (at.y - size.height / 2) / scale },
    size,
  );
}

export function panBy(view: View, dx: number, dy: number, size: Size): View {
  const scale = scaleOf(view);
  return clampView({ ...view, x: view.x - dx / scale, y: view.y - dy / scale }, size);
}

/** The view that shows all `points` with `margin` pixels around them; the whole world when there are none. */
export function fitView(points: Point[], size: Size, margin = 56, closest = 15): View {
  if (points.length === 0) return clampView({ x: 0.5, y: 0.42, zoom: 0 }, size);
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const roomX = Math.max(size.width - 2 * margin, 60);
  const roomY = Math.max(size.height - 2 * margin, 60);
  const scale = Math.min(roomX / Math.max(right - left, 1e-9), roomY / Math.max(bottom - top, 1e-9));
  const zoom = Math.min(closest, Math.log2(scale / TILE));
  return clampView({ x: (left + right) / 2, y: (top + bottom) / 2, zoom }, size);
}

export function metresPerPixel(view: View): number {
  const { lat } = unproject(view);
  return (EARTH_M * Math.cos((lat * Math.PI) / 180)) / scaleOf(view);
}

export interface ScaleBar {
  label: string;
  width: number;
}

/** The longest 1-2-5 length that fits `room` pixels. */
export function scaleBar(view: View, room: number): ScaleBar {
  const metres = metresPerPixel(view);
  const most = metres * room;
  const power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].map((step) => step * power).find((step) => step <= most) ?? power;
  const label = length >= 1000 ? `${length / 1000} km` : `${length} m`;
  return { label, width: length / metres };
}

const GRATICULE_STEPS = [
  90, 60, 30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001,
];

/** Degrees between meridians so that they stand at least `apart` pixels from each other. */
export function graticuleStep(view: View, apart = 120): number {
  const perDegree = scaleOf(view) / 360;
  const fitting = GRATICULE_STEPS.filter((step) => step * perDegree >= apart);
  return fitting.at(-1) ?? 90;
}
