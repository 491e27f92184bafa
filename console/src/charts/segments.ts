/** Text and boolean readings as stretches of time in which nothing changed. */

export interface Segment {
  from: number;
  to: number;
  value: string;
}

export interface Moment {
  at: number;
  value: string;
}

/** Readings in any order to segments in time order; each lasts until the next change, the last until `end`. */
export function segmentsOf(moments: Moment[], end: number): Segment[] {
  const sorted = [...moments].sort((one, other) => one.at - other.at);
  const segments: Segment[] = [];
  for (const { at, value } of sorted) {
    const last = segments.at(-1);
    if (last?.value === value) continue;
    if (last) last.to = at;
    segments.push({ from: at, to: end, value });
  }
  return segments;
}

/** The part of the segments inside `from`–`to`. */
export function clipSegments(segments: Segment[], from: number, to: number): Segment[] {
  return segments
    .filter((segment) => segment.to > from && segment.from < to)
    .map((segment) => ({ ...segment, from: Math.max(segment.from, from), to: Math.min(segment.to, to) }));
}
