/** Coast lines and borders, as `scripts/outlines.mjs` wrote them. */

import fineUrl from "./outlines/50m.bin?url";
import coarseUrl from "./outlines/110m.bin?url";

/** One ring or line: x, y pairs in 65,535ths of the world, and the box around them. */
export interface Line {
  points: Uint16Array;
  box: [left: number, top: number, right: number, bottom: number];
}

export interface Outlines {
  land: Line[];
  borders: Line[];
}

export const WORLD_UNITS = 65535;
export type Detail = "coarse" | "fine";
const URLS: Record<Detail, string> = { coarse: coarseUrl, fine: fineUrl };
const loading = new Map<Detail, Promise<Outlines>>();

export function decodeOutlines(buffer: ArrayBuffer): Outlines {
  const [landCount = 0, borderCount = 0] = new Uint32Array(buffer, 0, 2);
  const lengths = new Uint32Array(buffer, 8, landCount + borderCount);
  let offset = 8 + 4 * lengths.length;
  const lines = [...lengths].map((length) => {
    const points = sumSteps(new Uint16Array(buffer, offset, 2 * length));
    offset += 4 * length;
    return { points, box: boxOf(points) };
  });
  return { land: lines.slice(0, landCount), borders: lines.slice(landCount) };
}

/** Points are written as steps modulo 65,536, which is how this array adds. */
function sumSteps(steps: Uint16Array): Uint16Array {
  const points = new Uint16Array(steps.length);
  for (let index = 0; index < steps.length; index += 1) {
    points[index] = (steps[index] ?? 0) + (index < 2 ? 0 : (points[index - 2] ?? 0));
  }
  return points;
}

function boxOf(points: Uint16Array): Line["box"] {
  const box: Line["box"] = [WORLD_UNITS, WORLD_UNITS, 0, 0];
  for (let index = 0; index < points.length; index += 2) {
    const x = points[index] ?? 0;
    const y = points[index + 1] ?? 0;
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x > box[2]) box[2] = x;
    if (y > box[3]) box[3] = y;
  }
  return box;
}

/** Fetch outlines once per level of detail. */
export function loadOutlines(detail: Detail): Promise<Outlines> {
  const known = loading.get(detail);
  if (known) return known;
  const fresh = fetch(URLS[detail])
    .then((response) => response.arrayBuffer())
    .then(decodeOutlines);
  fresh.catch(() => loading.delete(detail));
  loading.set(detail, fresh);
  return fresh;
}
