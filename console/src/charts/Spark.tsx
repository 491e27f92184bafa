/** A line the size of a word. */
import { memo } from "react";
import classes from "./Spark.module.css";

interface Props {
  points: (number | null)[];
  width?: number;
  height?: number;
  filled?: boolean;
  /** The bottom edge is zero instead of the lowest point. */
  fromZero?: boolean;
}

/** An SVG path through `points`, broken at nulls; empty when there is nothing to draw. */
export function sparkPath(
  points: (number | null)[],
  width: number,
  height: number,
  fromZero = false,
): string {
  const held = points.filter((point) => point !== null);
  if (held.length === 0) return "";
  const low = Math.min(...held, fromZero ? 0 : Number.POSITIVE_INFINITY);
  const spread = Math.max(...held) - low;
  const x = (index: number) => (points.length < 2 ? width / 2 : (index / (points.length - 1)) * width);
  const y = (value: number) =>
    spread === 0 ? height / 2 : height - 1.5 - ((value - low) / spread) * (height - 3);
  let down = false;
  let path = "";
  points.forEach((point, index) => {
    if (point === null) down = false;
    else {
      path += `${down ? "L" : "M"}${x(index).toFixed(1)} ${y(point).toFixed(1)}`;
      down = true;
    }
  });
  return path;
}

export const Spark = memo(function Spark({
  points,
  width = 108,
  height = 24,
  filled = false,
  fromZero = false,
}: Props) {
  const path = sparkPath(points, width, height, fromZero);
  return (
    <svg
      className={classes.spark}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {filled && path && <path className={classes.area} d={`${path}L${width} ${height}L0 ${height}Z`} />}
      <path className={classes.line} d={path} />
    </svg>
  );
});
