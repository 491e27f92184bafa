/** What a person should look at: the silent, and those about to be for want of charge. */
import { CircleCheck } from "lucide-react";
import { useMemo } from "react";
import { Link } from "wouter";
import type { Device } from "../../api/types";
import { formatAgo } from "../../lib/format";
import { useNow, usePresenceVersion } from "../../live/hooks";
import { store } from "../../live/live";
import { Battery } from "../../shell/Battery";
import { StatusMark } from "../../shell/StatusMark";
import { batteryOf, readerOf, statusOf } from "../devices/rows";
import classes from "./Lists.module.css";

const LOW_BATTERY = 20;
const MOST_SHOWN = 6;
const RECOUNT_MS = 5_000;

interface Worry {
  device: Device;
  battery: number | null;
  seenAt: number;
}

function worriesOf(devices: Device[]): Worry[] {
  const worries = devices.flatMap((device): Worry[] => {
    const seenAt = store.devices.get(device.id)?.seenAt ?? 0;
    if (statusOf(device) === "offline") return [{ device, battery: null, seenAt }];
    const battery = batteryOf(readerOf(device.id));
    return statusOf(device) === "online" && battery !== null && battery < LOW_BATTERY
      ? [{ device, battery, seenAt }]
      : [];
  });
  return worries.sort(
    (one, other) => (one.battery ?? -1) - (other.battery ?? -1) || other.seenAt - one.seenAt,
  );
}

export function Attention({ devices }: { devices: Device[] }) {
  const presence = usePresenceVersion();
  const now = useNow();
  const beat = Math.floor(now / RECOUNT_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: presence and beat stand for the mutable live store
  const worries = useMemo(() => worriesOf(devices), [devices, presence, beat]);
  if (worries.length === 0) {
    return (
      <p className={classes.well}>
        <CircleCheck size={17} aria-hidden /> Everyone is here and charged.
      </p>
    );
  }
  return (
    <ul className={classes.rows}>
      {worries.slice(0, MOST_SHOWN).map(({ device, battery, seenAt }) => (
        <li key={device.id}>
          <StatusMark status={statusOf(device)} />
          <Link href={`/devices/${encodeURIComponent(device.id)}`} className="clip">
            {device.name}
          </Link>
          <span className={classes.end}>
            {battery === null ? `silent, ${formatAgo(seenAt || null, now)}` : <Battery level={battery} />}
          </span>
        </li>
      ))}
      {worries.length > MOST_SHOWN && (
        <li>
          <Link href="/devices?status=offline" className="link">
            and {worries.length - MOST_SHOWN} more
          </Link>
        </li>
      )}
    </ul>
  );
}
