/** Every numeric series as a chart, every state as a strip, one time range over all, and the map if it moves. */
import { Button, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Activity, ZoomOut } from "lucide-react";
import { useEffect } from "react";
import { oldestQuery, seriesQuery } from "../../api/queries";
import type { Device, Series } from "../../api/types";
import { LIVE_SPANS, type Range, useRange } from "../../charts/range";
import { SeriesChart } from "../../charts/SeriesChart";
import { StateStrip } from "../../charts/StateStrip";
import { formatMoment } from "../../lib/format";
import { isPositionKey } from "../../lib/position";
import { useDeviceLive } from "../../live/hooks";
import { Empty } from "../../shell/Empty";
import { PageSkeleton } from "../../shell/PageSkeleton";
import { Trouble } from "../../shell/Trouble";
import { CustomRange } from "./CustomRange";
import classes from "./DeviceCharts.module.css";
import { Whereabouts } from "./Whereabouts";

const MOST_CHARTS = 24;

/** The device's series; asked again when a key turns up live that the list does not have. */
function useSeries(id: string) {
  const query = useQuery(seriesQuery(id));
  const live = useDeviceLive(id);
  const known = query.data?.length ?? 0;
  const { refetch, isFetching } = query;
  const unknown = query.data !== undefined && !isFetching && live.values.size > known;
  useEffect(() => {
    if (!unknown) return;
    const timer = setTimeout(() => void refetch(), 1000);
    return () => clearTimeout(timer);
  }, [unknown, refetch]);
  return query;
}

export function DeviceCharts({ device, onConnect }: { device: Device; onConnect(): void }) {
  const { data: series, error, refetch } = useSeries(device.id);
  const view = useRange();
  const oldest = useQuery(oldestQuery(device.id, view.range));
  if (error) return <Trouble error={error} retry={refetch} />;
  if (!series || oldest.isPending) return <PageSkeleton />;
  if (series.length === 0) {
    return (
      <Empty icon={Activity} title="Nothing heard yet">
        <p>Charts appear with the first reading.</p>
        <Button size="xs" onClick={onConnect}>
          How to connect
        </Button>
      </Empty>
    );
  }
  return (
    <div className={classes.charts}>
      <RangeBar view={view} />
      <Strips id={device.id} series={series} range={view.range} oldest={oldest.data ?? null} />
      <div className={classes.grid}>
        <Whereabouts device={device} series={series} range={view.range} />
        <Charts id={device.id} series={series} view={view} oldest={oldest.data ?? null} />
      </div>
    </div>
  );
}

interface StripsProps {
  id: string;
  series: Series[];
  range: Range;
  oldest: number | null;
}

function Strips({ series, ...shared }: StripsProps) {
  const states = series.filter(({ kind }) => kind === "text" || kind === "boolean");
  if (states.length === 0) return null;
  return (
    <div className={classes.grid}>
      {states.map(({ sensor_type }) => (
        <StateStrip key={sensor_type} name={sensor_type} {...shared} />
      ))}
    </div>
  );
}

type View = ReturnType<typeof useRange>;

interface ChartsProps {
  id: string;
  series: Series[];
  view: View;
  oldest: number | null;
}

function isNumeric({ kind, sensor_type }: Series): boolean {
  return (kind === "number" || kind === "integer") && !isPositionKey(sensor_type);
}

function Charts({ id, series, view, oldest }: ChartsProps) {
  return series
    .filter(isNumeric)
    .slice(0, MOST_CHARTS)
    .map(({ sensor_type, unit }) => (
      <SeriesChart
        key={sensor_type}
        id={id}
        name={sensor_type}
        unit={unit}
        oldest={oldest}
        range={view.range}
        onZoom={view.zoom}
        onReset={view.reset}
      />
    ));
}

function RangeBar({ view }: { view: View }) {
  const { range, goLive, reset, zoom } = view;
  return (
    <div className={classes.bar}>
      <SegmentedControl
        role="radiogroup"
        aria-label="time range"
        value={range.live ? range.name : ""}
        onChange={goLive}
        data={Object.keys(LIVE_SPANS).map((name) => ({ value: name, label: name }))}
      />
      <CustomRange range={range} onChoose={zoom} />
      {range.live ? (
        <span className="muted small">drag across a chart to zoom into it</span>
      ) : (
        <>
          <span className={classes.span}>
            {formatMoment(range.from)} – {formatMoment(range.to)}
          </span>
          <Button variant="default" size="compact-sm" leftSection={<ZoomOut size={14} />} onClick={reset}>
            Back to live
          </Button>
        </>
      )}
    </div>
  );
}
