import { describe, expect, test } from "vitest";
import { SeriesBuffer, summarise } from "../src/charts/buffer";
import { intervalFor } from "../src/charts/interval";
import { rangeOf, windowOf } from "../src/charts/range";
import { sparkPath } from "../src/charts/Spark";
import { clipSegments, segmentsOf } from "../src/charts/segments";

const row = (second: number, avg: number) => ({
  timestamp: new Date(second * 1000).toISOString(),
  sensor_type: "cpu",
  unit: null,
  avg,
  min: avg - 1,
  max: avg + 1,
});

describe("the buffer of a chart", () => {
  test("folds live readings into the running bucket", () => {
    const buffer = new SeriesBuffer(2_000);
    buffer.push(10_100, 4);
    buffer.push(11_900, 6);
    buffer.push(12_000, 9);
    expect(buffer.buckets).toMatchObject([
      { at: 10_000, avg: 5, min: 4, max: 6 },
      { at: 12_000, avg: 9 },
    ]);
  });

  test("history arriving after live readings does not wipe them", () => {
    const buffer = new SeriesBuffer(2_000);
    buffer.push(20_000, 7);
    buffer.load([row(16, 1), row(18, 2)]);
    expect(buffer.buckets.map(({ at }) => at)).toEqual([16_000, 18_000, 20_000]);
  });

  test("late live readings are left to the next read of history", () => {
    const buffer = new SeriesBuffer(2_000);
    buffer.push(20_000, 7);
    buffer.push(10_000, 1);
    expect(buffer.buckets).toHaveLength(1);
  });

  test("a long silence breaks the line", () => {
    const buffer = new SeriesBuffer(1_000);
    buffer.load([row(1, 1), row(2, 2), row(3, 3), row(60, 4)]);
    expect(buffer.columns()[1]).toEqual([1, 2, 3, null, 4]);
  });

  test("a slow but steady sensor keeps its line", () => {
    const buffer = new SeriesBuffer(1_000);
    buffer.load([row(0, 1), row(300, 2), row(600, 3)]);
    expect(buffer.columns()[1]).not.toContain(null);
  });

  test("trimming keeps one point left of the window", () => {
    const buffer = new SeriesBuffer(1_000);
    buffer.load([row(1, 1), row(2, 2), row(3, 3), row(4, 4)]);
    buffer.trim(3_500);
    expect(buffer.buckets.map(({ at }) => at)).toEqual([3_000, 4_000]);
  });

  test("low, mean and high are those of the window", () => {
    const buffer = new SeriesBuffer(1_000);
    buffer.load([row(1, 100), row(5, 2), row(6, 4)]);
    expect(summarise(buffer.buckets, 5_000, 7_000)).toEqual({ min: 1, max: 5, avg: 3 });
    expect(summarise(buffer.buckets, 8_000, 9_000)).toBeNull();
  });
});

test("no span is cut into more than 450 buckets", () => {
  for (const span of [60_000, 900_000, 3_600_000, 86_400_000, 7 * 86_400_000]) {
    const { ms } = intervalFor(span);
    expect(span / ms).toBeLessThanOrEqual(450);
    expect(span / ms).toBeGreaterThan(50);
  }
});

describe("the range in the address", () => {
  const now = 1_800_000_000_000;
  test("is fifteen live minutes unless it says otherwise", () => {
    expect(rangeOf(new URLSearchParams(""), now)).toMatchObject({
      name: "15m",
      live: true,
      from: now - 900_000,
    });
    expect(rangeOf(new URLSearchParams("range=nonsense"), now).name).toBe("15m");
    expect(rangeOf(new URLSearchParams("range=24h"), now).from).toBe(now - 86_400_000);
  });

  test("may be fixed", () => {
    expect(rangeOf(new URLSearchParams("from=1000&to=5000"), now)).toEqual({
      name: "custom",
      live: false,
      from: 1000,
      to: 5000,
    });
    expect(rangeOf(new URLSearchParams("from=5000&to=1000"), now).live).toBe(true);
  });

  test("starts with the oldest reading of a young device, and slides with the clock", () => {
    const range = rangeOf(new URLSearchParams(""), now);
    expect(windowOf(range, now, now - 200_000)).toEqual([now - 200_000, now]);
    expect(windowOf(range, now, now - 5_000)).toEqual([now - 60_000, now]);
    expect(windowOf(range, now + 10_000, now - 9_000_000)).toEqual([now + 10_000 - 900_000, now + 10_000]);
  });
});

test("equal states in a row are one segment", () => {
  const moments = ["idle", "idle", "driving", "idle"].map((value, index) => ({ at: index * 10, value }));
  const segments = segmentsOf(moments.reverse(), 100);
  expect(segments).toEqual([
    { from: 0, to: 20, value: "idle" },
    { from: 20, to: 30, value: "driving" },
    { from: 30, to: 100, value: "idle" },
  ]);
  expect(clipSegments(segments, 25, 50)).toEqual([
    { from: 25, to: 30, value: "driving" },
    { from: 30, to: 50, value: "idle" },
  ]);
});

test("a sparkline breaks at nulls and draws nothing from nothing", () => {
  expect(sparkPath([], 100, 20)).toBe("");
  expect(sparkPath([null, null], 100, 20)).toBe("");
  expect(sparkPath([1, null, 3], 100, 20)).toBe("M0.0 18.5M100.0 1.5");
});
