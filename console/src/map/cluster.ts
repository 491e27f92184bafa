/** Joins markers that would overlap: first on a grid fixed to the world, so panning never re-deals them, then disc by disc. */
import { type Point, scaleOf, type View } from "./projection";

export interface Marker extends Point {
  id: string;
  status: "online" | "offline" | "never";
}

export interface Cluster extends Point {
  members: Marker[];
}

const CELL_PX = 44;
const MARKER_PX = 9;

export function clusterRadius(count: number): number {
  return count === 1 ? MARKER_PX : Math.min(26, 13 + 3.2 * Math.log2(count));
}

/** Every marker is in exactly one cluster; a cluster stands at the mean of its members; no two discs overlap much. */
export function clusterMarkers(markers: Marker[], view: View): Cluster[] {
  const scale = scaleOf({ ...view, zoom: Math.round(view.zoom * 2) / 2 });
  const cell = CELL_PX / scale;
  const cells = new Map<string, Marker[]>();
  for (const marker of markers) {
    const key = `${Math.floor(marker.x / cell)}:${Math.floor(marker.y / cell)}`;
    const members = cells.get(key);
    if (members) members.push(marker);
    else cells.set(key, [marker]);
  }
  return joinTouching([...cells.values()].map(clusterOf), scale);
}

/** Largest first, each takes in the smaller ones its disc would touch. */
function joinTouching(clusters: Cluster[], scale: number): Cluster[] {
  const waiting = clusters.sort((one, other) => other.members.length - one.members.length);
  const joined: Cluster[] = [];
  for (const cluster of waiting) {
    const host = joined.findIndex((other) => touches(cluster, other, scale));
    const found = joined[host];
    if (found) joined[host] = clusterOf([...found.members, ...cluster.members]);
    else joined.push(cluster);
  }
  return joined;
}

function touches(one: Cluster, other: Cluster, scale: number): boolean {
  const apart = Math.hypot(one.x - other.x, one.y - other.y) * scale;
  return apart < clusterRadius(one.members.length) + clusterRadius(other.members.length);
}

function clusterOf(members: Marker[]): Cluster {
  const sum = members.reduce((total, { x, y }) => ({ x: total.x + x, y: total.y + y }), { x: 0, y: 0 });
  return { x: sum.x / members.length, y: sum.y / members.length, members };
}
