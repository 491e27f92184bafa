/** Title, one line about it, and what can be done here. Also names the browser tab. */
import { type ReactNode, useEffect } from "react";
import classes from "./PageHeader.module.css";

interface Props {
  title: string;
  about?: ReactNode;
  children?: ReactNode;
}

export function PageHeader({ title, about, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Mooring`;
  }, [title]);
  return (
    <div className={classes.header}>
      <div className={classes.words}>
        <h1 className="clip">{title}</h1>
        {about && <div className={classes.about}>{about}</div>}
      </div>
      {children && <div className={classes.actions}>{children}</div>}
    </div>
  );
}
