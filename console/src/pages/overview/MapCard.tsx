/** The fleet on the map, or the same as a list. */
import { SegmentedControl } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import type { Device } from "../../api/types";
import { formatAgo } from "../../lib/format";
import { formatPosition } from "../../lib/position";
import { useDeviceLive, useNow, usePresenceVersion } from "../../live/hooks";
import { store } from "../../live/live";
import { fleetItemOf } from "../../map/engine";
import { FleetMap } from "../../map/FleetMap";
import { StatusMark } from "../../shell/StatusMark";
import classes from "./MapCard.module.css";

const LOOKS = [
  { value: "map", label: "Map" },
  { value: "list", label: "List" },
];
const RECOUNT_MS = 2_000;

export function MapCard({ devices }: { devices: Device[] }) {
  const [look, setLook] = useState("map");
  const items = useMemo(() => devices.map(fleetItemOf), [devices]);
  const presence = usePresenceVersion();
  const beat = Math.floor(useNow() / RECOUNT_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: presence and beat stand for the mutable live store
  const placed = useMemo(
    () => items.filter(({ id }) => store.devices.get(id)?.position),
    [items, presence, beat],
  );
  return (
    <section className={classes.card} aria-label="whereabouts">
      {look === "map" ? (
        <FleetMap
          items={items}
          label={`map of ${placed.length} devices; arrows pan, plus and minus zoom, 0 shows all`}
        />
      ) : (
        <ul className={classes.list}>
          {placed.map((item) => (
            <Place key={item.id} {...item} />
          ))}
        </ul>
      )}
      <div className={classes.over}>
        <SegmentedControl
          role="radiogroup"
          size="xs"
          value={look}
          onChange={setLook}
          data={LOOKS}
          aria-label="look"
        />
      </div>
    </section>
  );
}

function Place({ id, name }: { id: string; name: string }) {
  const live = useDeviceLive(id);
  const now = useNow();
  return (
    <li>
      <StatusMark status={live.status} />
      <Link href={`/devices/${encodeURIComponent(id)}`} className={classes.name}>
        {name}
      </Link>
      <span className="muted">{live.position && formatPosition(live.position)}</span>
      <span className="faint">{formatAgo(live.seenAt, now)}</span>
    </li>
  );
}
