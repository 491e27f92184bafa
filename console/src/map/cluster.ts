/** Joins markers that would overlap, on a grid fixed to the world so that panning never re-deals them. */
import { type Point, scaleOf, type View } from "./projection";

export interface Marker extends Point {
  id: string;
  status: "online" | "offline" | "never";
}

export interface Cluster extends Point {
  members: Marker[];
}

const CELL_PX = 44;

/** Every marker is in exactly one cluster; a cluster stands at the mean of its members. */
export function clusterMarkers(markers: Marker[], view: View): Cluster[] {
  const cell = CELL_PX / scaleOf({ ...view, zoom: Math.round(view.zoom * 2) / 2 });
  const cells = new Map<string, Marker[]>();
  for (const marker of markers) {
    const key = `${Math.floor(marker.x / cell)}:${Math.floor(marker.y / cell)}`;
    const members = cells.get(key);
    if (members) members.push(marker);
    else cells.set(key, [marker]);
  }
  return [...cells.values()].map(clusterOf);
}

function clusterOf(members: Marker[]): Cluster {
  const sum = members.reduce((total, { x, y }) => ({ x: total.x + x, y: total.y + y }), { x: 0, y: 0 });
  return { x: sum.x / members.length, y: sum.y / members.length, members };
}
