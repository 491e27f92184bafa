/** Draws the notices of `toast.ts`. */
import { Check, TriangleAlert, X } from "lucide-react";
import { useSyncExternalStore } from "react";
import classes from "./Toasts.module.css";
import { toastList } from "./toast";

export function Toasts() {
  const toasts = useSyncExternalStore(toastList.subscribe, toastList.get);
  return (
    <output className={classes.stack} aria-live="polite">
      {toasts.map(({ id, tone, title, hint }) => (
        <div key={id} className={classes.toast} data-tone={tone}>
          {tone === "done" ? <Check size={16} aria-hidden /> : <TriangleAlert size={16} aria-hidden />}
          <div>
            <p>{title}</p>
            {hint && <p className="muted small">{hint}</p>}
          </div>
          <button type="button" aria-label="dismiss" onClick={() => toastList.dismiss(id)}>
            <X size={14} />
          </button>
        </div>
      ))}
    </output>
  );
}
