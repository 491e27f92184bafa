/** Nothing here yet: says what would be, and how to get it. */
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import classes from "./Empty.module.css";

interface Props {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
}

export function Empty({ icon: Icon, title, children }: Props) {
  return (
    <div className={classes.empty}>
      <Icon size={26} strokeWidth={1.6} aria-hidden />
      <p className={classes.title}>{title}</p>
      {children}
    </div>
  );
}
