/** Where a device is, and the path it took in the time looked at. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { bucketsQuery } from "../../api/queries";
import type { BucketRow, Device, Series } from "../../api/types";
import { intervalFor } from "../../charts/interval";
import type { Range } from "../../charts/range";
import { formatPosition, type Position, positionKeys } from "../../lib/position";
import { useDeviceLive } from "../../live/hooks";
import { fleetItemOf } from "../../map/engine";
import { FleetMap } from "../../map/FleetMap";
import { Card } from "../../shell/Card";

interface Props {
  device: Device;
  series: Series[];
  range: Range;
}

/** Two columns of averages to positions; moments that only one of them has are left out. */
export function pathOf(lats: BucketRow[], lons: BucketRow[]): Position[] {
  const byMoment = new Map(lons.map(({ timestamp, avg }) => [timestamp, avg]));
  return lats.flatMap(({ timestamp, avg: lat }) => {
    const lon = byMoment.get(timestamp);
    return lat === null || lon === null || lon === undefined ? [] : [{ lat, lon }];
  });
}

function usePath(id: string, series: Series[], range: Range): Position[] {
  const keys = positionKeys(series.map(({ sensor_type }) => sensor_type));
  const interval = intervalFor(range.to - range.from).name;
  const [latKey, lonKey] = keys ?? ["", ""];
  const lats = useQuery({ ...bucketsQuery(id, latKey, range, interval), enabled: keys !== null }).data;
  const lons = useQuery({ ...bucketsQuery(id, lonKey, range, interval), enabled: keys !== null }).data;
  return useMemo(() => pathOf(lats ?? [], lons ?? []), [lats, lons]);
}

export function Whereabouts({ device, series, range }: Props) {
  const { position } = useDeviceLive(device.id);
  const path = usePath(device.id, series, range);
  const items = useMemo(() => [fleetItemOf(device)], [device]);
  if (!position) return null;
  return (
    <Card title="Position" note={formatPosition(position)} flush>
      <FleetMap items={items} path={path} label={`map with ${device.name}`} opens={false} />
    </Card>
  );
}
