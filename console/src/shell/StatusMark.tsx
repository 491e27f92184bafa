/** Online, offline or never heard, told by shape as well as colour. */
import type { DeviceStatus } from "../api/types";
import classes from "./StatusMark.module.css";

const WORDS: Record<DeviceStatus, string> = { online: "online", offline: "offline", never: "never heard" };

export function StatusMark({ status, word = false }: { status: DeviceStatus; word?: boolean }) {
  return (
    <span className={classes.status} data-status={status}>
      <span className={classes.mark} aria-hidden />
      {word ? (
        <span className={classes.word}>{WORDS[status]}</span>
      ) : (
        <span className="hush">{WORDS[status]}</span>
      )}
    </span>
  );
}
