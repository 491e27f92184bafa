/** One numeric series as a buffer that starts with history and goes on live. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { bucketsQuery } from "../api/queries";
import { store } from "../live/live";
import { SeriesBuffer } from "./buffer";
import { intervalFor } from "./interval";
import type { Range } from "./range";

/** `changed` is called whenever the buffer has something new to draw. */
export function useLiveSeries(id: string, key: string, range: Range, changed: () => void) {
  const interval = intervalFor(range.to - range.from);
  const buffer = useMemo(() => new SeriesBuffer(interval.ms), [interval.ms]);
  const notify = useRef(changed);
  notify.current = changed;
  const history = useQuery(bucketsQuery(id, key, range, interval.name));
  useEffect(() => {
    if (!history.data) return;
    buffer.load(history.data);
    notify.current();
  }, [history.data, buffer]);
  useEffect(() => {
    if (!range.live) return;
    return store.onFrames(id, (at, values) => {
      const value = values[key];
      if (typeof value !== "number") return;
      buffer.push(at, value);
      notify.current();
    });
  }, [id, key, range.live, buffer]);
  return { buffer, pending: history.isPending, error: history.error };
}
