/** Pointer, wheel, pinch and keys, turned into calls on the map engine. */
import type { MapEngine } from "./engine";
import type { Point } from "./projection";

const CLICK_SLOP_PX = 5;
const PAN_STEP_PX = 80;
const WHEEL_ZOOM = 0.0022;

function pointOf(event: MouseEvent, element: HTMLElement): Point {
  const box = element.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

/** Listen on `element` until the returned function is called. The wheel zooms only with Ctrl or once the map has focus. */
export function attachGestures(element: HTMLElement, engine: MapEngine): () => void {
  const pointers = new Map<number, Point>();
  let travelled = 0;
  const stop = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
    passive = true,
  ) => element.addEventListener(type, listener, { signal: stop.signal, passive });

  on("pointerdown", (event) => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, pointOf(event, element));
    if (pointers.size === 1) travelled = 0;
    element.setPointerCapture(event.pointerId);
  });
  on("pointermove", (event) => {
    const at = pointOf(event, element);
    const before = pointers.get(event.pointerId);
    if (!before) return engine.hover(at);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) pinch(engine, before, at, other);
    else engine.pan(at.x - before.x, at.y - before.y);
    travelled += Math.hypot(at.x - before.x, at.y - before.y);
    pointers.set(event.pointerId, at);
  });
  on("pointerup", (event) => {
    const wasOnly = pointers.size === 1;
    if (pointers.delete(event.pointerId) && wasOnly && travelled < CLICK_SLOP_PX)
      engine.click(pointOf(event, element));
  });
  on("pointercancel", (event) => void pointers.delete(event.pointerId));
  on("pointerleave", () => engine.hover(null));
  on("dblclick", (event) => engine.zoom(1, pointOf(event, element), true));
  on(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== element) return;
      event.preventDefault();
      engine.zoom(-event.deltaY * WHEEL_ZOOM * (event.ctrlKey ? 3 : 1), pointOf(event, element));
    },
    false,
  );
  on(
    "keydown",
    (event) => {
      if (onKey(engine, event.key)) event.preventDefault();
    },
    false,
  );
  return () => stop.abort();
}

function pinch(engine: MapEngine, before: Point, at: Point, other: Point): void {
  const was = Math.hypot(before.x - other.x, before.y - other.y);
  const is = Math.hypot(at.x - other.x, at.y - other.y);
  if (was > 0 && is > 0)
    engine.zoom(Math.log2(is / was), { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
}

function onKey(engine: MapEngine, key: string): boolean {
  const pans: Record<string, [number, number]> = {
    ArrowLeft: [PAN_STEP_PX, 0],
    ArrowRight: [-PAN_STEP_PX, 0],
    ArrowUp: [0, PAN_STEP_PX],
    ArrowDown: [0, -PAN_STEP_PX],
  };
  const pan = pans[key];
  if (pan) engine.pan(...pan);
  else if (key === "+" || key === "=") engine.zoom(0.7, undefined, true);
  else if (key === "-") engine.zoom(-0.7, undefined, true);
  else if (key === "0") engine.fit();
  else return false;
  return true;
}
