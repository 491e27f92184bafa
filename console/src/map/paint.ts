/** Draws the map: the chart below, the fleet above. Knows canvas and ink, nothing of the page. */
import type { Ink } from "../lib/ink";
import type { Position } from "../lib/position";
import { type Cluster, clusterRadius, type Marker } from "./cluster";
import { type Line, type Outlines, WORLD_UNITS } from "./outlines";
import {
  graticuleStep,
  type Point,
  project,
  type Size,
  scaleOf,
  toScreen,
  toWorld,
  unproject,
  type View,
} from "./projection";

/** Outlines are drawn up to here; nearer in they would claim a precision they do not have. */
const OUTLINES_FADE_FROM = 9;
const OUTLINES_GONE_AT = 10.5;
const FONT = '11px "Inter", "Inter Fallback", sans-serif';

/** The upper right corner belongs to the page's own controls. */
const CORNER_PX = 130;

type Pen = CanvasRenderingContext2D;

export function paintChart(pen: Pen, view: View, size: Size, outlines: Outlines | null, ink: Ink): void {
  pen.fillStyle = ink.sea;
  pen.fillRect(0, 0, size.width, size.height);
  const shown = Math.max(
    0,
    Math.min(1, (OUTLINES_GONE_AT - view.zoom) / (OUTLINES_GONE_AT - OUTLINES_FADE_FROM)),
  );
  if (outlines && shown > 0) {
    pen.globalAlpha = shown;
    paintLines(pen, outlines.land, view, size);
    pen.fillStyle = ink.land;
    pen.strokeStyle = ink.coast;
    pen.lineWidth = 0.8;
    pen.fill();
    pen.stroke();
    paintLines(pen, outlines.borders, view, size);
    pen.strokeStyle = ink["border-line"];
    pen.stroke();
    pen.globalAlpha = 1;
  }
  paintGraticule(pen, view, size, ink);
}

function paintLines(pen: Pen, lines: Line[], view: View, size: Size): void {
  const scale = scaleOf(view) / WORLD_UNITS;
  const left = size.width / 2 - view.x * scaleOf(view);
  const top = size.height / 2 - view.y * scaleOf(view);
  pen.beginPath();
  for (const { points, box } of lines) {
    const outside =
      box[2] * scale + left < 0 ||
      box[0] * scale + left > size.width ||
      box[3] * scale + top < 0 ||
      box[1] * scale + top > size.height;
    if (outside) continue;
    for (let index = 0; index < points.length; index += 2) {
      const x = (points[index] ?? 0) * scale + left;
      const y = (points[index + 1] ?? 0) * scale + top;
      if (index === 0) pen.moveTo(x, y);
      else pen.lineTo(x, y);
    }
  }
}

function paintGraticule(pen: Pen, view: View, size: Size, ink: Ink): void {
  const step = graticuleStep(view);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const topLeft = unproject(toWorld({ x: 0, y: 0 }, view, size));
  const bottomRight = unproject(toWorld({ x: size.width, y: size.height }, view, size));
  const labels: [text: string, x: number, y: number][] = [];
  pen.strokeStyle = ink.graticule;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let lon = Math.ceil(topLeft.lon / step) * step; lon <= Math.min(bottomRight.lon, 180); lon += step) {
    const x = Math.round(toScreen(project({ lat: 0, lon }), view, size).x) + 0.5;
    pen.moveTo(x, 0);
    pen.lineTo(x, size.height);
    if (x > 70 && x < size.width - CORNER_PX) labels.push([degrees(lon, digits, "E", "W"), x + 5, 16]);
  }
  for (let lat = Math.ceil(bottomRight.lat / step) * step; lat <= Math.min(topLeft.lat, 85); lat += step) {
    const y = Math.round(toScreen(project({ lat, lon: 0 }), view, size).y) + 0.5;
    pen.moveTo(0, y);
    pen.lineTo(size.width, y);
    if (y > 34 && y < size.height - 44) labels.push([degrees(lat, digits, "N", "S"), 10, y - 5]);
  }
  pen.stroke();
  for (const [text, x, y] of labels) paintText(pen, { x, y }, text, { ink: ink.faint, halo: ink.sea });
}

function paintText(pen: Pen, at: Point, text: string, { ink, halo }: { ink: string; halo: string }): void {
  pen.font = FONT;
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeStyle = halo;
  pen.strokeText(text, at.x, at.y);
  pen.fillStyle = ink;
  pen.fillText(text, at.x, at.y);
}

function degrees(value: number, digits: number, positive: string, negative: string): string {
  const rounded = Math.abs(value) < 1e-9 ? 0 : value;
  const side = rounded === 0 ? "" : rounded > 0 ? positive : negative;
  return `${Math.abs(rounded).toFixed(digits)}°${side}`;
}

export function markerInk(status: Marker["status"], ink: Ink): string {
  if (status === "offline") return ink["bad-mark"];
  return status === "online" ? ink.accent : ink["idle-mark"];
}

export function paintArea(pen: Pen, area: Position[], view: View, size: Size, ink: Ink): void {
  pen.beginPath();
  for (const position of area) {
    const { x, y } = toScreen(project(position), view, size);
    pen.lineTo(x, y);
  }
  pen.closePath();
  pen.fillStyle = ink.land;
  pen.strokeStyle = ink.coast;
  pen.lineWidth = 1;
  pen.fill();
  pen.stroke();
}

/** A past path as one thin line. */
export function paintPath(pen: Pen, path: Position[], view: View, size: Size, ink: Ink): void {
  pen.beginPath();
  path.forEach((position, index) => {
    const { x, y } = toScreen(project(position), view, size);
    if (index === 0) pen.moveTo(x, y);
    else pen.lineTo(x, y);
  });
  pen.strokeStyle = ink.accent;
  pen.lineWidth = 1.5;
  pen.lineJoin = "round";
  pen.globalAlpha = 0.4;
  pen.stroke();
  pen.globalAlpha = 1;
}

/** The last live positions, fading into the past. */
export function paintTrail(pen: Pen, trail: Position[], view: View, size: Size, ink: Ink): void {
  if (trail.length < 2) return;
  const points = trail.map((position) => toScreen(project(position), view, size));
  pen.strokeStyle = ink.accent;
  pen.lineWidth = 2;
  pen.lineCap = "round";
  for (let index = 1; index < points.length; index += 1) {
    const [from, to] = [points[index - 1], points[index]];
    if (!from || !to) continue;
    pen.globalAlpha = 0.05 + 0.5 * (index / points.length);
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x, to.y);
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

interface MarkerLook {
  heading: number | null;
  marked: boolean;
  name: string | null;
}

/** An arrow where the device tells its heading, else a dot; a square for the silent, a ring for the never heard. */
export function paintMarker(pen: Pen, at: Point, status: Marker["status"], look: MarkerLook, ink: Ink): void {
  const colour = markerInk(status, ink);
  pen.save();
  pen.translate(at.x, at.y);
  pen.beginPath();
  if (status === "offline") pen.roundRect(-5, -5, 10, 10, 2);
  else if (status === "online" && look.heading !== null) traceArrow(pen, look.heading);
  else pen.arc(0, 0, 5.5, 0, 2 * Math.PI);
  pen.fillStyle = status === "never" ? ink.surface : colour;
  pen.strokeStyle = status === "never" ? colour : ink.surface;
  pen.lineWidth = 2;
  pen.lineJoin = "round";
  pen.stroke();
  pen.fill();
  pen.restore();
  if (look.marked) paintRing(pen, at, colour);
  if (look.name) paintLabel(pen, { x: at.x, y: at.y + 22 }, look.name, ink);
}

/** Clockwise degrees from north, as on a compass. */
function traceArrow(pen: Pen, heading: number): void {
  pen.rotate((heading * Math.PI) / 180);
  pen.moveTo(0, -10);
  pen.lineTo(7, 8);
  pen.lineTo(0, 4);
  pen.lineTo(-7, 8);
  pen.closePath();
}

function paintRing(pen: Pen, at: Point, colour: string): void {
  pen.beginPath();
  pen.arc(at.x, at.y, 16, 0, 2 * Math.PI);
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.45;
  pen.stroke();
  pen.globalAlpha = 1;
}

function paintLabel(pen: Pen, at: Point, text: string, ink: Ink): void {
  pen.textAlign = "center";
  paintText(pen, at, text, { ink: ink.muted, halo: ink.sea });
  pen.textAlign = "start";
}

/** A disc with the count, and a rim whose red part is the share that is offline. */
export function paintCluster(pen: Pen, at: Point, cluster: Cluster, ink: Ink): void {
  const radius = clusterRadius(cluster.members.length);
  const offline =
    cluster.members.filter(({ status }) => status === "offline").length / cluster.members.length;
  const start = -Math.PI / 2;
  pen.beginPath();
  pen.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  pen.fillStyle = ink.surface;
  pen.fill();
  pen.lineWidth = 3;
  arc(pen, at, radius, [start, start + 2 * Math.PI], ink.accent);
  if (offline > 0) arc(pen, at, radius, [start, start + 2 * Math.PI * offline], ink["bad-mark"]);
  pen.font = `600 12.5px "Inter", "Inter Fallback", sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = ink.text;
  pen.fillText(String(cluster.members.length), at.x, at.y + 0.5);
  pen.textAlign = "start";
  pen.textBaseline = "alphabetic";
}

function arc(pen: Pen, at: Point, radius: number, [from, to]: [number, number], colour: string): void {
  pen.beginPath();
  pen.arc(at.x, at.y, radius, from, to);
  pen.strokeStyle = colour;
  pen.stroke();
}
