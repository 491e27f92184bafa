/** The design tokens as values a canvas can use; read again when the colour scheme changes. */
const NAMES = [
  "page",
  "surface",
  "text",
  "muted",
  "faint",
  "line",
  "line-strong",
  "accent",
  "ok-mark",
  "warn-mark",
  "bad-mark",
  "idle-mark",
  "sea",
  "land",
  "coast",
  "border-line",
  "graticule",
] as const;

export type Ink = Record<(typeof NAMES)[number], string>;

export function readInk(): Ink {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Ink;
}

/** Call `changed` whenever the scheme attribute of the page changes; returns how to stop. */
export function onInkChange(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
  return () => observer.disconnect();
}
