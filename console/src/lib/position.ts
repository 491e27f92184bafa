/** Where a device is, from whatever it calls its coordinates. */
import type { Value } from "../api/types";

export interface Position {
  lat: number;
  lon: number;
}

type Lookup = (key: string) => Value | undefined;

const PAIRS: [string, string][] = [
  ["latitude", "longitude"],
  ["lat", "lon"],
  ["lat", "lng"],
];

function checked(lat: unknown, lon: unknown): Position | null {
  if (typeof lat !== "number" || typeof lon !== "number") return null;
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : null;
}

/** Latitude and longitude as two readings, or a `location` reading holding `[lat, lon]`. */
export function positionOf(read: Lookup): Position | null {
  for (const [lat, lon] of PAIRS) {
    const found = checked(read(lat), read(lon));
    if (found) return found;
  }
  const pair = read("location");
  return Array.isArray(pair) ? checked(pair[0], pair[1]) : null;
}

/** The latitude and longitude keys among `keys`, or null. */
export function positionKeys(keys: string[]): [string, string] | null {
  return PAIRS.find(([lat, lon]) => keys.includes(lat) && keys.includes(lon)) ?? null;
}

export function isPositionKey(key: string): boolean {
  return key === "location" || PAIRS.some(([lat, lon]) => key === lat || key === lon);
}

/** A polygon of `[lat, lon]` pairs, as devices carry it in their configuration; null when it is none. */
export function areaOf(value: unknown): Position[] | null {
  if (!Array.isArray(value)) return null;
  const corners = value.flatMap((pair) => (Array.isArray(pair) ? (checked(pair[0], pair[1]) ?? []) : []));
  return corners.length >= 3 && corners.length === value.length ? corners : null;
}

/** "53.5461° N, 9.9661° E" */
export function formatPosition({ lat, lon }: Position): string {
  const side = (value: number, positive: string, negative: string) =>
    `${Math.abs(value).toFixed(4)}° ${value < 0 ? negative : positive}`;
  return `${side(lat, "N", "S")}, ${side(lon, "E", "W")}`;
}
