/** The time range a page looks at, kept in the address: a live window that ends now, or a fixed span. */
import { useMemo } from "react";
import { useSearchParams } from "wouter";

const MINUTE = 60_000;
export const LIVE_SPANS: Record<string, number> = {
  "15m": 15 * MINUTE,
  "1h": 60 * MINUTE,
  "24h": 24 * 60 * MINUTE,
  "7d": 7 * 24 * 60 * MINUTE,
};
const USUAL = "15m";
const SHORTEST = 5_000;
const SHORTEST_WINDOW = 60_000;

export interface Range {
  /** "15m", "1h", … while live; "custom" when fixed. */
  name: string;
  live: boolean;
  from: number;
  to: number;
}

/** What the address says; a live range is anchored at `now`, which the caller holds still. */
export function rangeOf(params: URLSearchParams, now: number): Range {
  const from = Number(params.get("from"));
  const to = Number(params.get("to"));
  if (from > 0 && to > from) return { name: "custom", live: false, from, to };
  const named = params.get("range") ?? USUAL;
  const name = named in LIVE_SPANS ? named : USUAL;
  return { name, live: true, from: now - (LIVE_SPANS[name] ?? 0), to: now };
}

/**
 * The stretch of time to draw at `now`: a live range slides with the clock, and starts no earlier than the `oldest`
 * reading in it, so that a young device fills its charts.
 */
export function windowOf(range: Range, now: number, oldest: number | null): [number, number] {
  if (!range.live) return [range.from, range.to];
  const from = now - (range.to - range.from);
  const begin = oldest === null ? from : Math.min(oldest, now - SHORTEST_WINDOW);
  return [Math.max(from, begin), now];
}

export function useRange() {
  const [params, setParams] = useSearchParams();
  const key = `${params.get("range")} ${params.get("from")} ${params.get("to")}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: "now" is taken anew only when the range itself changes
  const range = useMemo(() => rangeOf(params, Date.now()), [key]);
  const set = (change: Record<string, string | null>) =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      for (const [name, value] of Object.entries(change)) {
        if (value === null) after.delete(name);
        else after.set(name, value);
      }
      return after;
    });
  return {
    range,
    goLive: (name: string) => set({ range: name === USUAL ? null : name, from: null, to: null }),
    zoom: (from: number, to: number) =>
      set({ from: String(Math.round(from)), to: String(Math.round(Math.max(to, from + SHORTEST))) }),
    reset: () => set({ from: null, to: null }),
  };
}
