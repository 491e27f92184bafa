/** The five numbers at the top: calm while all is well, coloured when not. */
import { useMemo } from "react";
import { Link } from "wouter";
import type { Device, Overview } from "../../api/types";
import { Spark } from "../../charts/Spark";
import { formatBytes, formatCount, formatRate } from "../../lib/format";
import { useNow, usePresenceVersion } from "../../live/hooks";
import { store } from "../../live/live";
import { tally } from "../devices/rows";
import classes from "./Figures.module.css";

interface Props {
  devices: Device[];
  overview: Overview | undefined;
}

export function Figures({ devices, overview }: Props) {
  const presence = usePresenceVersion();
  // biome-ignore lint/correctness/useExhaustiveDependencies: presence stands for the mutable live store
  const counts = useMemo(() => tally(devices), [devices, presence]);
  return (
    <section className={classes.figures} aria-label="key figures">
      <Link href="/devices?status=online" className={classes.figure}>
        <span className={classes.label}>Online</span>
        <span className={classes.number}>
          {formatCount(counts.online)} <small>of {formatCount(counts.all)}</small>
        </span>
        <Share part={counts.online} whole={counts.all} />
      </Link>
      <Link
        href="/devices?status=offline"
        className={classes.figure}
        data-tone={counts.offline > 0 ? "bad" : undefined}
      >
        <span className={classes.label}>Offline</span>
        <span className={classes.number}>{formatCount(counts.offline)}</span>
        <span className={classes.note}>
          {counts.offline > 0 ? "were here, now silent" : "nobody is missing"}
        </span>
      </Link>
      <Link href="/devices?status=never" className={classes.figure}>
        <span className={classes.label}>Never heard</span>
        <span className={classes.number}>{formatCount(counts.never)}</span>
        <span className={classes.note}>
          {counts.never > 0 ? "waiting for a first message" : "all have spoken"}
        </span>
      </Link>
      <Rate overview={overview} />
      <div className={classes.figure}>
        <span className={classes.label}>Stored readings</span>
        <span className={classes.number}>{overview ? formatCount(overview.readings.total) : "–"}</span>
        <span className={classes.note}>
          {overview ? `${formatCount(overview.series)} series, ${formatBytes(overview.storage.bytes)}` : " "}
        </span>
      </div>
    </section>
  );
}

function Share({ part, whole }: { part: number; whole: number }) {
  return (
    <span className={classes.share} aria-hidden>
      <span style={{ width: `${whole === 0 ? 0 : (part / whole) * 100}%` }} />
    </span>
  );
}

function Rate({ overview }: { overview: Overview | undefined }) {
  const now = useNow();
  const history = store.meter.history(now);
  const rate = history.length > 2 ? store.meter.rate(now, 5) : (overview?.readings.per_second ?? 0);
  return (
    <div className={classes.figure}>
      <span className={classes.label}>Readings per second</span>
      <span className={classes.number}>{formatRate(rate)}</span>
      <span className={classes.spark}>
        <Spark points={history.length > 2 ? history : []} width={160} height={26} filled fromZero />
      </span>
    </div>
  );
}
