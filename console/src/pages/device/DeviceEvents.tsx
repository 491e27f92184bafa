/** What happened to a device, newest first, and going on live. */
import { useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useMemo } from "react";
import { deviceEventsQuery } from "../../api/queries";
import type { DeviceEvent } from "../../api/types";
import { useActivity } from "../../live/hooks";
import { Card } from "../../shell/Card";
import { Empty } from "../../shell/Empty";
import { EventList } from "../../shell/EventList";
import { PageSkeleton } from "../../shell/PageSkeleton";
import { Trouble } from "../../shell/Trouble";

const MOST_LIVE = 400;

/** The server's list, and what came since it was read; newest first. */
function merge(past: DeviceEvent[], live: DeviceEvent[], id: string): DeviceEvent[] {
  const known = new Set(past.map((event) => event.id));
  const since = live.filter((event) => event.device_id === id && !known.has(event.id));
  return [...since, ...past].sort((one, other) => Date.parse(other.timestamp) - Date.parse(one.timestamp));
}

export function DeviceEvents({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(deviceEventsQuery(id));
  const live = useActivity(MOST_LIVE);
  const events = useMemo(() => merge(data ?? [], live, id), [data, live, id]);
  if (error) return <Trouble error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  if (events.length === 0) return <Empty icon={History} title="Nothing has happened yet" />;
  return (
    <Card title="Events" flush>
      <EventList events={events} moments />
    </Card>
  );
}
