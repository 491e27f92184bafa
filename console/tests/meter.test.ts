import { expect, test } from "vitest";
import { Meter } from "../src/live/meter";

test("the rate is the mean of the last whole seconds, the running one left out", () => {
  const meter = new Meter();
  for (let second = 0; second < 4; second += 1) meter.add(10 * (second + 1), second * 1000 + 500);
  expect(meter.history(3_900)).toEqual([10, 20, 30]);
  expect(meter.rate(3_900)).toBe(20);
});

test("seconds without arrivals count as zero", () => {
  const meter = new Meter();
  meter.add(6, 0);
  expect(meter.history(4_000)).toEqual([6, 0, 0, 0]);
});

test("history is bounded and old seconds leave it", () => {
  const meter = new Meter(5);
  for (let second = 0; second < 12; second += 1) meter.add(second, second * 1000);
  expect(meter.history(11_000)).toEqual([7, 8, 9, 10]);
  meter.add(1, 100_000);
  expect(meter.history(100_000)).toEqual([0, 0, 0, 0]);
});
