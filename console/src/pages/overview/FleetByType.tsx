/** The fleet's health by type of device. */
import { useMemo } from "react";
import { Link } from "wouter";
import type { Device } from "../../api/types";
import { formatCount, formatKey } from "../../lib/format";
import { useNow, usePresenceVersion } from "../../live/hooks";
import { batteryOf, readerOf, type Tally, tally } from "../devices/rows";
import classes from "./Lists.module.css";

const RECOUNT_MS = 3_000;

interface Group {
  type: string;
  counts: Tally;
  battery: number | null;
}

function groupsOf(devices: Device[]): Group[] {
  const types = Map.groupBy(devices, ({ device_type }) => device_type);
  const groups = [...types].map(([type, members]) => {
    const levels = members.flatMap(({ id }) => batteryOf(readerOf(id)) ?? []);
    const battery =
      levels.length === 0 ? null : levels.reduce((sum, level) => sum + level, 0) / levels.length;
    return { type, counts: tally(members), battery };
  });
  return groups.sort((one, other) => other.counts.all - one.counts.all);
}

export function FleetByType({ devices }: { devices: Device[] }) {
  const presence = usePresenceVersion();
  const beat = Math.floor(useNow() / RECOUNT_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: presence and beat stand for the mutable live store
  const groups = useMemo(() => groupsOf(devices), [devices, presence, beat]);
  return (
    <table className={classes.types}>
      <thead>
        <tr>
          <th>Type</th>
          <th>Online</th>
          <th className={classes.number}>Devices</th>
          <th className={`${classes.number} ${classes.wide}`}>Offline</th>
          <th className={`${classes.number} ${classes.wide}`}>Mean battery</th>
        </tr>
      </thead>
      <tbody>
        {groups.map(({ type, counts, battery }) => (
          <tr key={type}>
            <td>
              <Link href={`/devices?type=${encodeURIComponent(type)}`}>{formatKey(type)}</Link>
            </td>
            <td>
              <div className={classes.bar} title={`${counts.online} of ${counts.all} online`}>
                <span style={{ width: `${(counts.online / counts.all) * 100}%` }} />
                <span style={{ width: `${(counts.offline / counts.all) * 100}%` }} />
              </div>
            </td>
            <td className={classes.number}>{formatCount(counts.all)}</td>
            <td className={`${classes.number} ${classes.wide}`}>{formatCount(counts.offline)}</td>
            <td className={`${classes.number} ${classes.wide}`}>
              {battery === null ? "–" : `${Math.round(battery)} %`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
