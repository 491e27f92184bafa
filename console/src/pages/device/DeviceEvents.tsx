/** What happened to a device, newest first, and going on live. */
import { useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useMemo } from "react";
import { deviceEventsQuery } from "../../api/queries";
import type { DeviceEvent } from "../../api/types";
import { useEvents } from "../../live/hooks";
import { Card } from "../../shell/Card";
import { Empty } from "../../shell/Empty";
import { EventList } from "../../shell/EventList";
import { PageSkeleton } from "../../shell/PageSkeleton";
import { Trouble } from "../../shell/Trouble";

function merge(past: DeviceEvent[], live: DeviceEvent[], id: string): DeviceEvent[] {
  const known = new Set(past.map((event) => event.id));
  return [...live.filter((event) => event.device_id === id && !known.has(event.id)), ...past];
}

export function DeviceEvents({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(deviceEventsQuery(id));
  const live = useEvents();
  const events = useMemo(() => merge(data ?? [], live, id), [data, live, id]);
  if (error) return <Trouble error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  if (events.length === 0) return <Empty icon={History} title="Nothing has happened yet" />;
  return (
    <Card title="Events" flush>
      <EventList events={events} />
    </Card>
  );
}
