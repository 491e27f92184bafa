/** uPlot in the console's ink: one line with its band, a synced crosshair, drag to zoom. */
import type uPlot from "uplot";
import { formatNumber } from "../lib/format";
import type { Ink } from "../lib/ink";

export interface PlotHooks {
  zoom(from: number, to: number): void;
  reset(): void;
  /** The crosshair is at this moment with this value, or gone. */
  cursor(at: number | null, value: number | null): void;
}

const FONT = '11px "Inter", "Inter Fallback", sans-serif';
const SMALLEST_DRAG_PX = 6;
const DAY_S = 86_400;

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const fineClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

function timeLabels(splits: number[], step: number): string[] {
  return splits.map((second) => {
    const at = new Date(second * 1000);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;
    if (step >= DAY_S || midnight) return day.format(at);
    return step < 60 ? fineClock.format(at) : clock.format(at);
  });
}

/** Room above and below the line, and never a range of nothing. */
function paddedRange(_: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null) return [0, 1];
  const spread = high - low || Math.abs(high) * 0.1 || 1;
  const floor = low >= 0 && low - spread * 0.15 < 0 ? 0 : low - spread * 0.15;
  return [floor, high + spread * 0.15];
}

function axesOf(ink: Ink): uPlot.Axis[] {
  const shared = {
    stroke: ink.faint,
    font: FONT,
    grid: { stroke: ink.line, width: 1 },
    ticks: { show: false },
  };
  return [
    {
      ...shared,
      grid: { show: false },
      space: 80,
      size: 26,
      gap: 6,
      values: (_u, splits, _a, _s, step) => timeLabels(splits, step),
    },
    {
      ...shared,
      space: 34,
      size: 52,
      gap: 8,
      values: (_u, splits) => splits.map((value) => formatNumber(value)),
    },
  ];
}

function seriesOf(ink: Ink): uPlot.Series[] {
  const edge: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
  return [{}, { stroke: ink.accent, width: 1.6, points: { size: 5, fill: ink.accent } }, edge, edge];
}

function onSelect(plot: uPlot, hooks: PlotHooks): void {
  const { left, width } = plot.select;
  if (width < SMALLEST_DRAG_PX) return;
  hooks.zoom(plot.posToVal(left, "x") * 1000, plot.posToVal(left + width, "x") * 1000);
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

function onCursor(plot: uPlot, hooks: PlotHooks): void {
  const index = plot.cursor.idx;
  const off = index === null || index === undefined || (plot.cursor.left ?? -1) < 0;
  const second = off ? undefined : plot.data[0]?.[index];
  hooks.cursor(second === undefined ? null : second * 1000, off ? null : (plot.data[1]?.[index] ?? null));
}

function onDoubleClick(hooks: PlotHooks): () => null {
  return () => {
    hooks.reset();
    return null;
  };
}

export function plotOptions(
  ink: Ink,
  size: { width: number; height: number },
  hooks: PlotHooks,
): uPlot.Options {
  return {
    ...size,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    scales: { x: { time: true }, y: { range: paddedRange } },
    axes: axesOf(ink),
    series: seriesOf(ink),
    bands: [{ series: [3, 2], fill: `color-mix(in srgb, ${ink.accent} 16%, transparent)` }],
    cursor: {
      y: false,
      points: { size: 8 },
      drag: { x: true, y: false, setScale: false },
      sync: { key: "device", filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
      bind: { dblclick: () => onDoubleClick(hooks) },
    },
    hooks: { setSelect: [(plot) => onSelect(plot, hooks)], setCursor: [(plot) => onCursor(plot, hooks)] },
  };
}
