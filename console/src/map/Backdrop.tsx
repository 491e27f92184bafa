/** A still chart behind the log-in. */
import { useEffect, useRef } from "react";
import { onInkChange, readInk } from "../lib/ink";
import classes from "./Backdrop.module.css";
import { loadOutlines, type Outlines } from "./outlines";
import { paintChart } from "./paint";

const NORTH_SEA = { x: 0.52, y: 0.315, zoom: 4.2 };

export function Backdrop() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let outlines: Outlines | null = null;
    const paint = () => {
      const element = canvas.current;
      const pen = element?.getContext("2d");
      if (!element || !pen) return;
      const ratio = window.devicePixelRatio || 1;
      const size = { width: element.clientWidth, height: element.clientHeight };
      element.width = size.width * ratio;
      element.height = size.height * ratio;
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      paintChart(pen, NORTH_SEA, size, outlines, readInk());
    };
    paint();
    const loaded = loadOutlines("fine").then((found) => {
      outlines = found;
      paint();
    });
    loaded.catch(() => undefined);
    const stopInk = onInkChange(paint);
    window.addEventListener("resize", paint);
    return () => {
      stopInk();
      window.removeEventListener("resize", paint);
    };
  }, []);
  return <canvas ref={canvas} className={classes.backdrop} />;
}
