/** One row of the device table. Plain elements only: this is the hottest part of the page. */
import { memo } from "react";
import { Link } from "wouter";
import type { Device, Sparkline } from "../../api/types";
import { Spark } from "../../charts/Spark";
import { formatAgo, formatKey, formatValue } from "../../lib/format";
import { useDeviceLive, useNow } from "../../live/hooks";
import type { DeviceLive } from "../../live/store";
import { Battery } from "../../shell/Battery";
import { StatusMark } from "../../shell/StatusMark";
import classes from "./DeviceTable.module.css";
import { batteryOf, hasOwnColumn, readerOf } from "./rows";
import { useSpark } from "./sparks";

interface Props {
  device: Device;
  index: number;
  top: number;
  series: string;
  active: boolean;
}

const MOST_VALUES = 6;
/** Kinds of value, the most telling first. */
const TELLING = ["string", "number", "boolean", "object"];

export const DeviceRow = memo(function DeviceRow({ device, index, top, series, active }: Props) {
  const live = useDeviceLive(device.id);
  const battery = batteryOf(readerOf(device.id));
  const spark = useSpark(device.id, series);
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
        <SparkCell spark={spark} live={live} />
      </div>
      <div role="cell" className={classes.battery}>
        {battery !== null && <Battery level={battery} />}
      </div>
      <div role="cell" className={classes.values}>
        <Values live={live} without={spark.key} />
      </div>
    </div>
  );
});

function Seen({ at }: { at: number | null }) {
  const now = useNow();
  return <>{formatAgo(at, now)}</>;
}

function SparkCell({ spark, live }: { spark: Sparkline; live: DeviceLive }) {
  const { key, points } = spark;
  if (!key) return null;
  const reading = live.values.get(key);
  return (
    <>
      <span className={classes.line}>
        <Spark points={points} width={96} height={22} />
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
    .filter(([key]) => key !== without && !hasOwnColumn(key))
    .sort(([, one], [, other]) => TELLING.indexOf(typeof one.value) - TELLING.indexOf(typeof other.value))
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
