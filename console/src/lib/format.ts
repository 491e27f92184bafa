/** Numbers, durations and values as people read them; pure, so every view says the same thing the same way. */
import type { Value } from "../api/types";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const grouped = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const dayAndTime = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const timeOnly = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** "4 s ago", "3 min ago", "2 d ago"; "just now" below two seconds and for clocks slightly ahead. */
export function formatAgo(at: number | null, now: number): string {
  if (at === null) return "never";
  const age = now - at;
  if (age < 2 * SECOND) return "just now";
  return `${formatDuration(age)} ago`;
}

/** The largest whole unit of a span in milliseconds. */
export function formatDuration(span: number): string {
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min`;
  if (span < 2 * DAY) return `${Math.floor(span / HOUR)} h`;
  return `${Math.floor(span / DAY)} d`;
}

/** 1,234 below a million, then 1.2 M, 3.4 G. */
export function formatCount(count: number): string {
  if (Math.abs(count) < 1e6) return grouped.format(count);
  if (Math.abs(count) < 1e9) return `${(count / 1e6).toFixed(count < 1e7 ? 2 : 1)} M`;
  return `${(count / 1e9).toFixed(2)} G`;
}

/** A rate per second: one decimal while small, whole when large. */
export function formatRate(rate: number): string {
  return rate > 0 && rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate));
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size >= 100 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** At most four significant digits after trimming; whole numbers stay whole. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) return grouped.format(value);
  if (size >= 1e7 || (size > 0 && size < 1e-3)) return value.toExponential(2);
  const decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
  return value.toFixed(decimals).replace(/\.?0+$/, "");
}

/** Any reading as one line of text; coordinates keep the digits that mean metres. */
export function formatValue(value: Value | null | undefined, key = ""): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return isCoordinate(key) ? value.toFixed(5) : formatNumber(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}

export function isCoordinate(key: string): boolean {
  return /^(lat|lon|lng|latitude|longitude)$/.test(key);
}

/** A key as a heading: "cell_temp" becomes "Cell temp", short forms become capitals. */
export function formatKey(key: string): string {
  if (/^(cpu|ram|rssi|gps|soc|voc|co2|pm25|pm10)$/i.test(key)) return key.toUpperCase();
  const words = key.replace(/[_.-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function formatMoment(at: number): string {
  return dayAndTime.format(at);
}

export function formatClock(at: number): string {
  return timeOnly.format(at);
}

/** Milliseconds since 1970 of an ISO text or null; null when it cannot be read. */
export function momentOf(text: string | null | undefined): number | null {
  if (!text) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
