/** Waits for a device's next message, and turns green when it is here. */
import { CircleCheck, Radio } from "lucide-react";
import { useEffect, useState } from "react";
import type { Value } from "../api/types";
import { formatClock, formatKey, formatValue } from "../lib/format";
import { store } from "../live/live";
import classes from "./FirstMessage.module.css";

interface Heard {
  at: number;
  values: Record<string, Value>;
}

const MOST_SHOWN = 4;

export function FirstMessage({ id }: { id: string }) {
  const [heard, setHeard] = useState<Heard | null>(null);
  useEffect(() => {
    const stop = store.onFrames(id, (at, values) => {
      setHeard({ at, values });
      stop();
    });
    return stop;
  }, [id]);
  return (
    <div className={classes.box} data-heard={heard !== null || undefined} role="status">
      {heard ? (
        <CircleCheck size={20} aria-hidden />
      ) : (
        <Radio size={20} aria-hidden className={classes.waiting} />
      )}
      {heard ? <Said heard={heard} /> : <p>Waiting for a message from this device…</p>}
    </div>
  );
}

function Said({ heard }: { heard: Heard }) {
  const shown = Object.entries(heard.values).slice(0, MOST_SHOWN);
  return (
    <div>
      <p className={classes.title}>It works: a message arrived at {formatClock(heard.at)}</p>
      <p className={classes.values}>
        {shown.map(([key, value]) => `${formatKey(key)} ${formatValue(value, key)}`).join(" · ")}
      </p>
    </div>
  );
}
