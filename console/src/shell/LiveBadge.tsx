/** Says honestly how live the picture is; a click pauses it. */
import { Tooltip } from "@mantine/core";
import { Pause, Play } from "lucide-react";
import { formatRate } from "../lib/format";
import { useLink, useNow } from "../live/hooks";
import { store, togglePause } from "../live/live";
import type { LinkState } from "../live/socket";
import classes from "./LiveBadge.module.css";

const WORDS: Record<LinkState, string> = {
  connecting: "connecting…",
  live: "live",
  reconnecting: "reconnecting…",
  paused: "paused",
};

export function LiveBadge() {
  const link = useLink();
  const now = useNow();
  const canToggle = link === "live" || link === "paused";
  return (
    <Tooltip label={link === "paused" ? "let it run again" : "freeze the picture"} disabled={!canToggle}>
      <button
        type="button"
        className={classes.badge}
        data-state={link}
        onClick={togglePause}
        disabled={!canToggle}
      >
        <span className={classes.dot} aria-hidden />
        <span className="hush">live link:</span>
        <span className={classes.word}>{WORDS[link]}</span>
        {link === "live" && store.meter.history(now).length > 1 && (
          <span className={classes.rate}>{formatRate(store.meter.rate(now))}/s</span>
        )}
        {link === "paused" ? <Play size={13} aria-hidden /> : <Pause size={13} aria-hidden />}
      </button>
    </Tooltip>
  );
}
