/** Why a form was not taken, in the server's words, beside the form. */
import { TriangleAlert } from "lucide-react";
import { Problem } from "../api/client";
import classes from "./Refusal.module.css";

export function Refusal({ error }: { error: Error }) {
  const hint = error instanceof Problem ? error.hint : null;
  return (
    <div className={classes.refusal} role="alert">
      <TriangleAlert size={16} aria-hidden />
      <div>
        <p>{error.message}</p>
        {hint && <p>{hint}</p>}
      </div>
    </div>
  );
}
