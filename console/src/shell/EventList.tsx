/** A list of events; colour only where something is wrong. */
import { Link } from "wouter";
import type { DeviceEvent } from "../api/types";
import { formatAgo, formatMoment } from "../lib/format";
import { useNow } from "../live/hooks";
import classes from "./EventList.module.css";

interface Props {
  events: DeviceEvent[];
  /** Names by device id; given where the list is about more than one device. */
  names?: ReadonlyMap<string, string>;
  /** Say when, not only how long ago. */
  moments?: boolean;
}

/** Kinds whose message says everything; the others are named before theirs. */
const SELF_EXPLAINING = new Set(["status_changed", "change"]);

function wordsOf({ event_type, message }: DeviceEvent): string {
  const kind = event_type.replace(/_/g, " ");
  if (!message || message === event_type) return kind;
  return SELF_EXPLAINING.has(event_type) || message.startsWith(kind) ? message : `${kind}: ${message}`;
}

export function EventList({ events, names, moments = false }: Props) {
  const now = useNow();
  return (
    <ul className={classes.list}>
      {events.map((event) => {
        const at = Date.parse(event.timestamp);
        return (
          <li key={event.id} data-severity={event.severity} data-type={event.event_type}>
            <span className={classes.mark} aria-hidden />
            <span className={classes.words}>
              {names && (
                <Link href={`/devices/${encodeURIComponent(event.device_id)}`} className={classes.name}>
                  {names.get(event.device_id) ?? (event.device_name || event.device_id)}
                </Link>
              )}
              <span className={classes.message}>{wordsOf(event)}</span>
            </span>
            <time dateTime={event.timestamp} title={formatMoment(at)}>
              {moments && <span className={classes.moment}>{formatMoment(at)}</span>}
              {formatAgo(at, now)}
            </time>
          </li>
        );
      })}
    </ul>
  );
}
