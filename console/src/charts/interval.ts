/** Which bucket width suits which span of time. */
const SECOND = 1000;
const LADDER: [string, number][] = [
  ["1s", 1],
  ["2s", 2],
  ["5s", 5],
  ["10s", 10],
  ["30s", 30],
  ["1m", 60],
  ["2m", 120],
  ["5m", 300],
  ["10m", 600],
  ["30m", 1800],
  ["1h", 3600],
  ["3h", 10_800],
  ["6h", 21_600],
  ["12h", 43_200],
  ["1d", 86_400],
];
const MOST_BUCKETS = 450;

export interface Interval {
  /** As the API spells it. */
  name: string;
  ms: number;
}

/** The finest interval that cuts `span` milliseconds into at most 450 buckets. */
export function intervalFor(span: number): Interval {
  const found = LADDER.find(([, seconds]) => span / (seconds * SECOND) <= MOST_BUCKETS) ?? LADDER.at(-1);
  const [name, seconds] = found ?? ["1d", 86_400];
  return { name, ms: seconds * SECOND };
}
