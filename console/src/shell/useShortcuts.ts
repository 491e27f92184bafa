/** Keys that work on every page: Ctrl/⌘-K, `?`, `/`, and `g` followed by a place. */
import { useEffect } from "react";
import { useLocation } from "wouter";

interface Openers {
  openPalette(): void;
  openHelp(): void;
}

const CHORD_MS = 1200;
const PLACE_KEYS: Record<string, string> = { o: "/", d: "/devices", a: "/account" };

/** True while a person types into something, or a dialog has the floor. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  if (document.querySelector('[aria-modal="true"]')) return true;
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function isPalette(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
}

function isPlain(event: KeyboardEvent): boolean {
  return !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event);
}

function focusFilter(): boolean {
  const filter = document.querySelector<HTMLInputElement>("[data-filter]");
  filter?.focus();
  filter?.select();
  return filter !== null;
}

export function useShortcuts({ openPalette, openHelp }: Openers): void {
  const [, navigate] = useLocation();
  useEffect(() => {
    let chordUntil = 0;
    const plain: Record<string, (event: KeyboardEvent) => void> = {
      g: (event) => {
        chordUntil = event.timeStamp + CHORD_MS;
      },
      "?": openHelp,
      "/": () => {
        if (!focusFilter()) openPalette();
      },
    };
    const chord = (event: KeyboardEvent) => {
      if (event.timeStamp >= chordUntil) return undefined;
      chordUntil = 0;
      const path = PLACE_KEYS[event.key];
      return path && (() => navigate(path));
    };
    const onKey = (event: KeyboardEvent) => {
      const act = isPalette(event) ? openPalette : isPlain(event) && (chord(event) ?? plain[event.key]);
      if (!act) return;
      event.preventDefault();
      act(event);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, openPalette, openHelp]);
}
