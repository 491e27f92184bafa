/** The points of one chart: buckets from history, then live readings folded into the same buckets. */
import type { BucketRow } from "../api/types";

export interface Bucket {
  at: number;
  avg: number;
  min: number;
  max: number;
  count: number;
}

/** Columns as uPlot wants them: seconds, average, lowest, highest; null where a line must break. */
export type Columns = [number[], (number | null)[], (number | null)[], (number | null)[]];

const GAP_INTERVALS = 3;
const GAP_MEDIANS = 6;

export class SeriesBuffer {
  readonly #interval: number;
  #buckets: Bucket[] = [];

  constructor(interval: number) {
    this.#interval = interval;
  }

  get buckets(): readonly Bucket[] {
    return this.#buckets;
  }

  /** Take history; live points newer than its last bucket stay. */
  load(rows: BucketRow[]): void {
    const loaded = rows.flatMap(bucketOf).sort((one, other) => one.at - other.at);
    const last = loaded.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
    this.#buckets = [...loaded, ...this.#buckets.filter(({ at }) => at > last)];
  }

  push(at: number, value: number): void {
    const start = Math.floor(at / this.#interval) * this.#interval;
    const last = this.#buckets.at(-1);
    if (last && start < last.at) return;
    if (!last || start > last.at) {
      this.#buckets.push({ at: start, avg: value, min: value, max: value, count: 1 });
      return;
    }
    last.avg = (last.avg * last.count + value) / (last.count + 1);
    last.count += 1;
    last.min = Math.min(last.min, value);
    last.max = Math.max(last.max, value);
  }

  /** Forget what is older than `from`, but keep one point before it so the line reaches the edge. */
  trim(from: number): void {
    const keep = this.#buckets.findIndex(({ at }) => at >= from);
    if (keep > 1) this.#buckets.splice(0, keep - 1);
  }

  columns(): Columns {
    const columns: Columns = [[], [], [], []];
    const gap = this.#gap();
    let before: Bucket | null = null;
    for (const bucket of this.#buckets) {
      if (before && bucket.at - before.at > gap) addPoint(columns, (before.at + bucket.at) / 2, null);
      addPoint(columns, bucket.at, bucket);
      before = bucket;
    }
    return columns;
  }

  /** A silence this long breaks the line: several buckets, and several times the usual distance. */
  #gap(): number {
    const steps = this.#buckets.slice(1).map(({ at }, index) => at - (this.#buckets[index]?.at ?? at));
    const median = steps.sort((one, other) => one - other)[Math.floor(steps.length / 2)] ?? 0;
    return Math.max(this.#interval * GAP_INTERVALS, median * GAP_MEDIANS);
  }
}

function bucketOf({ timestamp, avg, min, max }: BucketRow): Bucket[] {
  const at = Date.parse(timestamp);
  if (avg === null || Number.isNaN(at)) return [];
  return [{ at, avg, min: min ?? avg, max: max ?? avg, count: 1 }];
}

function addPoint(columns: Columns, at: number, bucket: Bucket | null): void {
  columns[0].push(at / 1000);
  columns[1].push(bucket?.avg ?? null);
  columns[2].push(bucket?.min ?? null);
  columns[3].push(bucket?.max ?? null);
}

export interface Summary {
  min: number;
  avg: number;
  max: number;
}

/** Lowest, mean and highest of the buckets between `from` and `to`. */
export function summarise(buckets: readonly Bucket[], from: number, to: number): Summary | null {
  const seen = buckets.filter(({ at }) => at >= from && at <= to);
  if (seen.length === 0) return null;
  return {
    min: Math.min(...seen.map(({ min }) => min)),
    max: Math.max(...seen.map(({ max }) => max)),
    avg: seen.reduce((sum, { avg }) => sum + avg, 0) / seen.length,
  };
}
