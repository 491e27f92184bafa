/** One series: its name and value now, its low, mean and high, and the line itself. */
import "uplot/dist/uPlot.min.css";
import { Skeleton } from "@mantine/core";
import { useCallback, useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import { formatClock, formatKey, formatMoment, formatValue } from "../lib/format";
import { onInkChange, readInk } from "../lib/ink";
import { useDeviceLive, useLink, useNow } from "../live/hooks";
import { Trouble } from "../shell/Trouble";
import { type SeriesBuffer, summarise } from "./buffer";
import { type PlotHooks, plotOptions } from "./plot";
import { type Range, windowOf } from "./range";
import classes from "./SeriesChart.module.css";
import { useLiveSeries } from "./useLiveSeries";

interface Props {
  id: string;
  name: string;
  unit: string | null;
  /** The oldest reading of the device in this range. */
  oldest: number | null;
  range: Range;
  onZoom(from: number, to: number): void;
  onReset(): void;
}

const HEIGHT = 168;
const DAY = 86_400_000;

interface Crosshair {
  at: number;
  value: number | null;
}

function usePlot(hooks: PlotHooks) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(hooks);
  latest.current = hooks;
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const stable: PlotHooks = {
      zoom: (from, to) => latest.current.zoom(from, to),
      reset: () => latest.current.reset(),
      cursor: (at, value) => latest.current.cursor(at, value),
    };
    const build = () => {
      const data = plot.current?.data ?? [[], [], [], []];
      const scale = plot.current?.scales.x;
      plot.current?.destroy();
      const made = new uPlot(
        plotOptions(readInk(), { width: element.clientWidth, height: HEIGHT }, stable),
        data,
        element,
      );
      if (scale?.min != null && scale.max != null) made.setScale("x", { min: scale.min, max: scale.max });
      plot.current = made;
    };
    build();
    const stopInk = onInkChange(build);
    const observer = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      stopInk();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  return { box, plot };
}

/** Draw at most once a frame, however many readings arrive. */
function useDraw(draw: () => void): () => void {
  const latest = useRef(draw);
  latest.current = draw;
  const frame = useRef(0);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  return useCallback(() => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      latest.current();
    });
  }, []);
}

export function SeriesChart({ id, name, unit, oldest, range, onZoom, onReset }: Props) {
  const [crosshair, setCrosshair] = useState<Crosshair | null>(null);
  const { box, plot } = usePlot({
    zoom: onZoom,
    reset: onReset,
    cursor: (at, value) => setCrosshair(at === null ? null : { at, value }),
  });
  const paused = useLink() === "paused";
  const now = useNow();
  const moving = range.live && !paused;
  const held = useRef(now);
  if (moving) held.current = now;
  const [from, to] = windowOf(range, held.current, oldest);
  const draw = useDraw(() => {
    if (range.live) buffer.trim(from);
    plot.current?.setData(buffer.columns(), false);
    plot.current?.setScale("x", { min: from / 1000, max: to / 1000 });
  });
  const { buffer, pending, error } = useLiveSeries(id, name, range, draw);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the window moved, so the picture must
  useEffect(draw, [draw, from, to]);
  return (
    <section className={classes.chart} aria-label={`${formatKey(name)} over time`}>
      <div className={classes.head}>
        <h2>{formatKey(name)}</h2>
        <Figure id={id} name={name} unit={unit} crosshair={crosshair} span={to - from} />
      </div>
      <div className={classes.plot} ref={box}>
        {pending && <Skeleton className={classes.wait} height={HEIGHT - 34} />}
      </div>
      {error ? <Trouble error={error} /> : <Extent buffer={buffer} from={from} to={to} name={name} />}
    </section>
  );
}

interface FigureProps {
  id: string;
  name: string;
  unit: string | null;
  crosshair: Crosshair | null;
  span: number;
}

function Figure({ id, name, unit, crosshair, span }: FigureProps) {
  const live = useDeviceLive(id);
  const value = crosshair ? crosshair.value : live.values.get(name)?.value;
  const moment = crosshair && (span > DAY ? formatMoment(crosshair.at) : formatClock(crosshair.at));
  return (
    <p className={classes.figure}>
      {moment && <span className={classes.moment}>{moment}</span>}
      <strong>{formatValue(value, name)}</strong>
      <span className="muted">{unit}</span>
    </p>
  );
}

function Extent({
  buffer,
  from,
  to,
  name,
}: {
  buffer: SeriesBuffer;
  from: number;
  to: number;
  name: string;
}) {
  const summary = summarise(buffer.buckets, from, to);
  return (
    <p className={classes.extent}>
      {summary ? (
        <>
          <span>low {formatValue(summary.min, name)}</span>
          <span>mean {formatValue(summary.avg, name)}</span>
          <span>high {formatValue(summary.max, name)}</span>
        </>
      ) : (
        <span>nothing in this time</span>
      )}
    </p>
  );
}
