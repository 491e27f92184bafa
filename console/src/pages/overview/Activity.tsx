/** Events and state changes as they happen. */
import { Waves } from "lucide-react";
import { useActivity } from "../../live/hooks";
import { Empty } from "../../shell/Empty";
import { EventList } from "../../shell/EventList";
import classes from "./Lists.module.css";

const MOST_SHOWN = 60;

export function Activity({ names }: { names: ReadonlyMap<string, string> }) {
  const events = useActivity(MOST_SHOWN);
  if (events.length === 0) return <Empty icon={Waves} title="All quiet" />;
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label="recent activity">
      <EventList events={events} names={names} />
    </div>
  );
}
