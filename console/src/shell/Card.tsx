/** A titled surface. */
import type { ReactNode } from "react";
import classes from "./Card.module.css";

interface Props {
  title?: string;
  note?: ReactNode;
  flush?: boolean;
  className?: string;
  children: ReactNode;
}

export function Card({ title, note, flush = false, className, children }: Props) {
  return (
    <section className={`${classes.card} ${className ?? ""}`} aria-label={title}>
      {title && (
        <div className={classes.head}>
          <h2>{title}</h2>
          {note && <div className={classes.note}>{note}</div>}
        </div>
      )}
      <div className={flush ? classes.flush : classes.body}>{children}</div>
    </section>
  );
}
