/** A text or boolean series as a strip of states over the same time as the charts. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useReducer, useRef } from "react";
import { rowsQuery } from "../api/queries";
import type { Value } from "../api/types";
import { formatClock, formatDuration, formatKey, formatValue } from "../lib/format";
import { useDeviceLive, useNow } from "../live/hooks";
import { store } from "../live/live";
import { type Range, windowOf } from "./range";
import classes from "./StateStrip.module.css";
import { clipSegments, type Moment, segmentsOf } from "./segments";

interface Props {
  id: string;
  name: string;
  oldest: number | null;
  range: Range;
}

const MOST_ROWS = 1000;
const TONES = 5;
const QUIET_TONE = 3;

/** History and what has come since; unchanged live values are not worth keeping. */
function useMoments(id: string, name: string, range: Range): Moment[] {
  const history = useQuery(rowsQuery(id, name, range, MOST_ROWS)).data;
  const live = useRef<Moment[]>([]);
  const [version, bump] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    live.current = [];
    if (!range.live) return;
    return store.onFrames(id, (at, values) => {
      const value = values[name];
      if (value === undefined || live.current.at(-1)?.value === textOf(value)) return;
      live.current.push({ at, value: textOf(value) });
      bump();
    });
  }, [id, name, range.live]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the mutable live moments
  return useMemo(() => {
    const past = (history ?? []).map(({ timestamp, value }) => ({
      at: Date.parse(timestamp),
      value: textOf(value),
    }));
    return [...past, ...live.current];
  }, [history, version]);
}

function textOf(value: Value): string {
  return formatValue(value);
}

/** False is the quiet state and stays grey; other values take tones in alphabetical order. */
function toneOf(value: string, values: string[]): number {
  return value === "false" ? QUIET_TONE : values.indexOf(value) % TONES;
}

export function StateStrip({ id, name, oldest, range }: Props) {
  const now = useNow();
  const moments = useMoments(id, name, range);
  const [from, end] = windowOf(range, now, oldest);
  const segments = clipSegments(segmentsOf(moments, end), from, end);
  const values = useMemo(() => [...new Set(moments.map(({ value }) => value))].sort(), [moments]);
  const live = useDeviceLive(id);
  return (
    <div className={classes.strip}>
      <div className={classes.head}>
        <h2>{formatKey(name)}</h2>
        <strong className="clip">{formatValue(live.values.get(name)?.value)}</strong>
      </div>
      <svg
        className={classes.bar}
        viewBox="0 0 1000 20"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${formatKey(name)} over time`}
      >
        {segments.map((segment) => (
          <rect
            key={segment.from}
            data-tone={toneOf(segment.value, values)}
            x={((segment.from - from) / (end - from)) * 1000}
            width={Math.max(1, ((segment.to - segment.from) / (end - from)) * 1000)}
            height={20}
          >
            <title>{`${segment.value} · ${formatClock(segment.from)} · ${formatDuration(segment.to - segment.from)}`}</title>
          </rect>
        ))}
      </svg>
      <p className={classes.legend}>
        {values.slice(0, 8).map((value) => (
          <span key={value} data-tone={toneOf(value, values)}>
            {value}
          </span>
        ))}
      </p>
    </div>
  );
}
