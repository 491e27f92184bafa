/** A question the server did not answer: what it said, what to do, and a way to ask again. */
import { Button } from "@mantine/core";
import { CloudOff } from "lucide-react";
import { Problem } from "../api/client";
import classes from "./Empty.module.css";

interface Props {
  error: Error;
  retry?: () => void;
  standalone?: boolean;
}

export function Trouble({ error, retry, standalone = false }: Props) {
  const hint = error instanceof Problem ? error.hint : null;
  return (
    <div className={classes.empty} data-standalone={standalone || undefined} role="alert">
      <CloudOff size={26} strokeWidth={1.6} aria-hidden />
      <p className={classes.title}>{error.message}</p>
      {hint && <p className="muted">{hint}</p>}
      {retry && (
        <Button variant="default" size="xs" onClick={() => retry()}>
          Try again
        </Button>
      )}
    </div>
  );
}
