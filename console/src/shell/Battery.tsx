/** A charge as a bar and a figure; coloured only when it is low. */
import classes from "./Battery.module.css";

function toneOf(level: number): string | undefined {
  if (level < 10) return "bad";
  return level < 20 ? "warn" : undefined;
}

export function Battery({ level }: { level: number }) {
  return (
    <span className={classes.battery} data-tone={toneOf(level)}>
      <span className={classes.track} aria-hidden>
        <span style={{ width: `${Math.max(3, level)}%` }} />
      </span>
      <span>{Math.round(level)} %</span>
    </span>
  );
}
