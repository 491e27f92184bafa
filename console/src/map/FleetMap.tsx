/** The map as a component: canvases, controls, scale bar, a hover card, and a list for those who do not see it. */
import { Maximize2, Minus, Plus } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { formatAgo } from "../lib/format";
import type { Position } from "../lib/position";
import { useDeviceLive, useNow } from "../live/hooks";
import { StatusMark } from "../shell/StatusMark";
import { type FleetItem, MapEngine } from "./engine";
import classes from "./FleetMap.module.css";
import { attachGestures } from "./gestures";
import { type Point, scaleBar, type View } from "./projection";

interface Props {
  items: FleetItem[];
  label: string;
  /** Opening a marker leads to its device page; off where that page is the one shown. */
  opens?: boolean;
  /** Where a single device has been. */
  path?: Position[];
}

const NO_PATH: Position[] = [];

interface Hover {
  id: string;
  at: Point;
}

function useEngine(opens: boolean) {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<HTMLCanvasElement>(null);
  const fleet = useRef<HTMLCanvasElement>(null);
  const [engine, setEngine] = useState<MapEngine | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const [view, setView] = useState<View | null>(null);
  const [, navigate] = useLocation();
  useEffect(() => {
    if (!frame.current || !chart.current || !fleet.current) return;
    const made = new MapEngine(chart.current, fleet.current, {
      hover: (id, at) => setHover(id ? { id, at } : null),
      open: (id) => opens && navigate(`/devices/${encodeURIComponent(id)}`),
      moved: setView,
    });
    const stopGestures = attachGestures(frame.current, made);
    const observer = new ResizeObserver(([entry]) => {
      if (entry) made.resize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(frame.current);
    setEngine(made);
    return () => {
      observer.disconnect();
      stopGestures();
      made.destroy();
    };
  }, [opens, navigate]);
  return { frame, chart, fleet, engine, hover, view };
}

export function FleetMap({ items, label, opens = true, path = NO_PATH }: Props) {
  const { frame, chart, fleet, engine, hover, view } = useEngine(opens);
  useEffect(() => engine?.show(items), [engine, items]);
  useEffect(() => engine?.showPath(path), [engine, path]);
  const hovered = hover && items.find(({ id }) => id === hover.id);
  const bar = view && scaleBar(view, 90);
  return (
    <div className={classes.map}>
      <div ref={frame} className={classes.frame} tabIndex={0} role="application" aria-label={label}>
        <canvas ref={chart} />
        <canvas ref={fleet} />
      </div>
      {bar && (
        <div className={classes.scale} aria-hidden>
          <span style={{ width: bar.width }} />
          {bar.label}
        </div>
      )}
      <div className={classes.controls}>
        <button type="button" aria-label="zoom in" onClick={() => engine?.zoom(1, undefined, true)}>
          <Plus size={16} />
        </button>
        <button type="button" aria-label="zoom out" onClick={() => engine?.zoom(-1, undefined, true)}>
          <Minus size={16} />
        </button>
        <button type="button" aria-label="show everything" onClick={() => engine?.fit()}>
          <Maximize2 size={14} />
        </button>
      </div>
      {hover && hovered && <HoverCard item={hovered} at={hover.at} />}
    </div>
  );
}

function HoverCard({ item, at }: { item: FleetItem; at: Point }) {
  const live = useDeviceLive(item.id);
  const now = useNow();
  return (
    <div className={classes.card} style={{ left: at.x, top: at.y }} data-below={at.y < 90 || undefined}>
      <StatusMark status={live.status} />
      <strong>{item.name}</strong>
      <span className="muted">{formatAgo(live.seenAt, now)}</span>
    </div>
  );
}
