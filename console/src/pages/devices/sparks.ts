/** Sparklines of the rows on screen: fetched in one request per scroll pause, kept, and refreshed while looked at. */
import { useEffect, useSyncExternalStore } from "react";
import { call, withQuery } from "../../api/client";
import type { Page, Sparkline } from "../../api/types";
import { tellingKey } from "./rows";

const PAUSE_MS = 120;
const FRESH_MS = 25_000;
const MOST_IDS = 200;
const POINTS = 40;
const NONE: Sparkline = { device_id: "", key: "", points: [] };

interface Held {
  spark: Sparkline;
  readAt: number;
}

const held = new Map<string, Held>();
const listeners = new Set<() => void>();
const keyOf = (id: string, series: string) => `${series}\n${id}`;

async function read(ids: string[], series: string, minutes: number): Promise<void> {
  const now = Date.now();
  const due = ids
    .filter((id) => now - (held.get(keyOf(id, series))?.readAt ?? 0) > FRESH_MS)
    .slice(0, MOST_IDS);
  if (due.length === 0) return;
  for (const id of due)
    held.set(keyOf(id, series), { spark: held.get(keyOf(id, series))?.spark ?? NONE, readAt: now });
  const groups = Map.groupBy(due, (id) => series || tellingKey(id));
  await Promise.all([...groups].map(([key, group]) => readGroup(group, key, { series, minutes, now })));
  for (const listener of listeners) listener();
}

interface Reading {
  series: string;
  minutes: number;
  now: number;
}

async function readGroup(ids: string[], key: string, { series, minutes, now }: Reading): Promise<void> {
  const query = { device_id: ids, key: key || undefined, minutes, points: POINTS };
  try {
    const { items } = await call<Page<Sparkline>>(withQuery("/api/sparklines", query));
    for (const spark of items) held.set(keyOf(spark.device_id, series), { spark, readAt: now });
  } catch {
    for (const id of ids) held.delete(keyOf(id, series));
  }
}

/** Keep the sparklines of `ids` read and fresh while the caller is mounted. */
export function useSparkReader(ids: string[], series: string, minutes: number): void {
  const joined = ids.join("\n");
  useEffect(() => {
    const wanted = joined ? joined.split("\n") : [];
    const soon = setTimeout(() => void read(wanted, series, minutes), PAUSE_MS);
    const again = setInterval(() => void read(wanted, series, minutes), FRESH_MS / 4);
    return () => {
      clearTimeout(soon);
      clearInterval(again);
    };
  }, [joined, series, minutes]);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSpark(id: string, series: string): Sparkline {
  return useSyncExternalStore(subscribe, () => held.get(keyOf(id, series))?.spark ?? NONE);
}
