/** Which devices the table shows, in which order. */
import type { Device, Value } from "../../api/types";
import { fits, parseFilter } from "../../lib/filter";
import { isPositionKey } from "../../lib/position";
import { store } from "../../live/live";

export type SortKey = "name" | "type" | "seen" | "battery" | "value";

export interface Wish {
  text: string;
  status: string;
  type: string;
  sort: SortKey;
  descending: boolean;
  /** The series the sparkline and the value sort look at; empty for the server's choice. */
  series: string;
}

const RANK = { online: 0, offline: 1, never: 2 } as const;

function numberOf(value: Value | undefined): number {
  return typeof value === "number" ? value : Number.NEGATIVE_INFINITY;
}

export function batteryOf(read: (key: string) => Value | undefined): number | null {
  const value = read("battery") ?? read("battery_percentage") ?? read("battery_level") ?? read("soc");
  return typeof value === "number" && value >= 0 && value <= 100 ? value : null;
}

const BATTERY = /^(battery|battery_percentage|battery_level|soc)$/;
const USUAL_TREND = ["speed", "temperature", "power", "load", "pressure", "value"];
const DULL_TREND = /^(heading|odometer|uptime)$/;

/** Shown elsewhere in the row already. */
export function hasOwnColumn(key: string): boolean {
  return BATTERY.test(key) || isPositionKey(key);
}

/** The series of a device whose course says most; empty when the server should choose. */
export function tellingKey(id: string): string {
  const numeric = [...(store.devices.get(id)?.values ?? [])].flatMap(([key, { value }]) =>
    typeof value === "number" && !hasOwnColumn(key) && !DULL_TREND.test(key) ? [key] : [],
  );
  return USUAL_TREND.find((key) => numeric.includes(key)) ?? numeric[0] ?? "";
}

export function readerOf(id: string): (key: string) => Value | undefined {
  return (key) => store.devices.get(id)?.values.get(key)?.value;
}

export function statusOf(device: Device) {
  return store.devices.get(device.id)?.status ?? device.status;
}

type Rank = (device: Device) => number | string;

function rankBy(sort: SortKey, series: string): Rank {
  if (sort === "type") return ({ device_type }) => device_type;
  if (sort === "seen") return ({ id }) => store.devices.get(id)?.seenAt ?? 0;
  if (sort === "battery") return ({ id }) => batteryOf(readerOf(id)) ?? Number.NEGATIVE_INFINITY;
  if (sort === "value") return ({ id }) => numberOf(readerOf(id)(series));
  return ({ name }) => name;
}

const byText = new Intl.Collator("en", { numeric: true });

function compareRanks(one: number | string, other: number | string): number {
  if (typeof one === "string" || typeof other === "string") return byText.compare(String(one), String(other));
  return one === other ? 0 : one < other ? -1 : 1;
}

/** Devices that fit the wish, sorted; equal ranks fall back to status and name so rows do not dance. */
export function chooseRows(devices: Device[], wish: Wish): Device[] {
  const terms = parseFilter(wish.text);
  const fitting = devices.filter((device) => {
    const status = statusOf(device);
    if (wish.status && status !== wish.status) return false;
    if (wish.type && device.device_type !== wish.type) return false;
    const { name, id, device_type: type } = device;
    return terms.length === 0 || fits(terms, { name, id, type, status, read: readerOf(id) });
  });
  const rank = rankBy(wish.sort, wish.series);
  const ranked = fitting.map((device) => ({ device, rank: rank(device) }));
  const sign = wish.descending ? -1 : 1;
  ranked.sort(
    (one, other) =>
      sign * compareRanks(one.rank, other.rank) ||
      RANK[statusOf(one.device)] - RANK[statusOf(other.device)] ||
      byText.compare(one.device.name, other.device.name),
  );
  return ranked.map(({ device }) => device);
}

export interface Tally {
  all: number;
  online: number;
  offline: number;
  never: number;
}

export function tally(devices: Device[]): Tally {
  const counts: Tally = { all: devices.length, online: 0, offline: 0, never: 0 };
  for (const device of devices) counts[statusOf(device)] += 1;
  return counts;
}

/** Numeric series the fleet reports, by name; positions are for the map, not for a sparkline. */
export function numericKeys(devices: Device[]): string[] {
  const keys = new Set<string>();
  for (const { id } of devices.slice(0, 500)) {
    for (const [key, { value }] of store.devices.get(id)?.values ?? [])
      if (typeof value === "number") keys.add(key);
  }
  return [...keys].sort(byText.compare);
}
