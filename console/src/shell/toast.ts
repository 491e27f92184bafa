/** Short notices in the corner: what was done, or in the server's words why not. */
import { Problem } from "../api/client";

export interface Toast {
  id: number;
  tone: "done" | "failed";
  title: string;
  hint: string | null;
}

const SHOWN_FOR = 6_000;
let toasts: Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function change(to: Toast[]): void {
  toasts = to;
  for (const listener of listeners) listener();
}

export const toastList = {
  get: () => toasts,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  dismiss: (id: number) => change(toasts.filter((toast) => toast.id !== id)),
};

function show(tone: Toast["tone"], title: string, hint: string | null): void {
  const id = next;
  next += 1;
  change([...toasts.slice(-3), { id, tone, title, hint }]);
  setTimeout(() => toastList.dismiss(id), SHOWN_FOR);
}

export function toastDone(title: string): void {
  show("done", title, null);
}

export function toastFailed(error: Error): void {
  show("failed", error.message, error instanceof Problem ? error.hint : null);
}
