/** Sparklines of the rows on screen: fetched in one request per scroll pause, kept, and refreshed while looked at. */
import { useEffect, useSyncExternalStore } from "react";
import { call, withQuery } from "../../api/client";
import type { Page, Sparkline } from "../../api/types";

const PAUSE_MS = 120;
const FRESH_MS = 25_000;
const MOST_IDS = 200;
const NONE: Sparkline = { device_id: "", key: "", points: [] };

interface Held {
  spark: Sparkline;
  readAt: number;
}

const held = new Map<string, Held>();
const listeners = new Set<() => void>();
const keyOf = (id: string, series: string) => `${series}\n${id}`;

async function read(ids: string[], series: string): Promise<void> {
  const now = Date.now();
  const due = ids
    .filter((id) => now - (held.get(keyOf(id, series))?.readAt ?? 0) > FRESH_MS)
    .slice(0, MOST_IDS);
  if (due.length === 0) return;
  for (const id of due)
    held.set(keyOf(id, series), { spark: held.get(keyOf(id, series))?.spark ?? NONE, readAt: now });
  const query = { device_id: due, key: series || undefined, minutes: 60, points: 40 };
  try {
    const { items } = await call<Page<Sparkline>>(withQuery("/api/sparklines", query));
    for (const spark of items) held.set(keyOf(spark.device_id, series), { spark, readAt: now });
    for (const listener of listeners) listener();
  } catch {
    for (const id of due) held.delete(keyOf(id, series));
  }
}

/** Keep the sparklines of `ids` read and fresh while the caller is mounted. */
export function useSparkReader(ids: string[], series: string): void {
  const joined = ids.join("\n");
  useEffect(() => {
    const wanted = joined ? joined.split("\n") : [];
    const soon = setTimeout(() => void read(wanted, series), PAUSE_MS);
    const again = setInterval(() => void read(wanted, series), FRESH_MS / 4);
    return () => {
      clearTimeout(soon);
      clearInterval(again);
    };
  }, [joined, series]);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSpark(id: string, series: string): Sparkline {
  return useSyncExternalStore(subscribe, () => held.get(keyOf(id, series))?.spark ?? NONE);
}
