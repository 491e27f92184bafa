/** One row of the device table. Plain elements only: this is the hottest part of the page. */
import { memo } from "react";
import { Link } from "wouter";
import type { Device } from "../../api/types";
import { Spark } from "../../charts/Spark";
import { formatAgo, formatKey, formatValue } from "../../lib/format";
import { isPositionKey } from "../../lib/position";
import { useDeviceLive, useNow } from "../../live/hooks";
import type { DeviceLive } from "../../live/store";
import { Battery } from "../../shell/Battery";
import { StatusMark } from "../../shell/StatusMark";
import classes from "./DeviceTable.module.css";
import { batteryOf, readerOf } from "./rows";
import { useSpark } from "./sparks";

interface Props {
  device: Device;
  index: number;
  top: number;
  series: string;
  active: boolean;
}

const MOST_VALUES = 6;
const HIDDEN = /^(battery|battery_percentage|battery_level|soc)$/;

export const DeviceRow = memo(function DeviceRow({ device, index, top, series, active }: Props) {
  const live = useDeviceLive(device.id);
  const battery = batteryOf(readerOf(device.id));
  return (
    <div
      className={classes.row}
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 2}
      data-active={active || undefined}
      style={{ transform: `translateY(${top}px)` }}
    >
      <div role="cell" className={classes.name}>
        <StatusMark status={live.status} />
        <Link href={`/devices/${encodeURIComponent(device.id)}`} data-row={index} className={classes.link}>
          <span className="clip">{device.name}</span>
          <span className={`${classes.sub} clip`}>{device.device_type}</span>
        </Link>
      </div>
      <div role="cell" className={`${classes.type} clip`}>
        {device.device_type}
      </div>
      <div role="cell" className={classes.seen}>
        <Seen at={live.seenAt} />
      </div>
      <div role="cell" className={classes.spark}>
        <SparkCell id={device.id} series={series} live={live} />
      </div>
      <div role="cell" className={classes.battery}>
        {battery !== null && <Battery level={battery} />}
      </div>
      <div role="cell" className={classes.values}>
        <Values live={live} without={series} />
      </div>
    </div>
  );
});

function Seen({ at }: { at: number | null }) {
  const now = useNow();
  return <>{formatAgo(at, now)}</>;
}

function SparkCell({ id, series, live }: { id: string; series: string; live: DeviceLive }) {
  const spark = useSpark(id, series);
  const key = spark.key || series;
  const reading = live.values.get(key);
  if (spark.points.length === 0 && !reading) return null;
  return (
    <>
      <span className={classes.line}>
        <Spark points={spark.points} width={96} height={22} />
      </span>
      <span className={classes.figure}>
        <span>
          {formatValue(reading?.value, key)} <span className="faint">{reading?.unit ?? ""}</span>
        </span>
        <span className={classes.key}>{formatKey(key)}</span>
      </span>
    </>
  );
}

function Values({ live, without }: { live: DeviceLive; without: string }) {
  const shown = [...live.values]
    .filter(([key]) => key !== without && !isPositionKey(key) && !HIDDEN.test(key))
    .slice(0, MOST_VALUES);
  return shown.map(([key, { value, unit }]) => (
    <span key={key} className={classes.value}>
      <span className={classes.key}>{formatKey(key)}</span>
      <span className="clip">
        {formatValue(value, key)} {unit && <span className="faint">{unit}</span>}
      </span>
    </span>
  ));
}
