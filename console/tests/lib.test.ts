import { describe, expect, test } from "vitest";
import { snippetsFor } from "../src/connect/snippets";
import { csvCell, csvOf } from "../src/lib/csv";
import { fits, parseFilter } from "../src/lib/filter";
import * as format from "../src/lib/format";
import { matchScore } from "../src/lib/match";
import { areaOf, formatPosition, positionKeys, positionOf } from "../src/lib/position";

describe("format", () => {
  test.each([
    [null, "never"],
    [1_000, "just now"],
    [4_200, "4 s ago"],
    [200_000, "3 min ago"],
    [5 * 3_600_000, "5 h ago"],
    [9 * 86_400_000, "9 d ago"],
  ])("%s milliseconds ago reads %s", (age, wanted) => {
    const now = 1_800_000_000_000;
    expect(format.formatAgo(age === null ? null : now - age, now)).toBe(wanted);
  });

  test("a clock slightly ahead is still just now", () => {
    expect(format.formatAgo(2_000, 1_000)).toBe("just now");
  });

  test.each([
    [0, "0"],
    [12, "12"],
    [12.3456, "12.35"],
    [0.12345, "0.123"],
    [1234.5, "1235"],
    [123456, "123,456"],
    [-20.5, "-20.5"],
    [0.00001, "1.00e-5"],
    [Number.NaN, "–"],
  ])("the number %s reads %s", (value, wanted) => {
    expect(format.formatNumber(value)).toBe(wanted);
  });

  test.each([
    [999_999, "999,999"],
    [1_234_567, "1.23 M"],
    [2.5e9, "2.50 G"],
  ])("%s things read %s", (count, wanted) => {
    expect(format.formatCount(count)).toBe(wanted);
  });

  test("values of every kind have one line", () => {
    expect(format.formatValue(true)).toBe("true");
    expect(format.formatValue("docked")).toBe("docked");
    expect(format.formatValue({ x: 1 })).toBe('{"x":1}');
    expect(format.formatValue(51.28681234, "latitude")).toBe("51.28681");
    expect(format.formatValue(null)).toBe("–");
  });

  test("keys read like headings", () => {
    expect(format.formatKey("motor_temperature")).toBe("Motor temperature");
    expect(format.formatKey("cpu")).toBe("CPU");
  });

  test("bytes", () => {
    expect(format.formatBytes(512)).toBe("512 B");
    expect(format.formatBytes(48_300_000)).toBe("48.3 MB");
  });
});

describe("filter", () => {
  const robot = {
    name: "Antwerp 03",
    type: "mobile_robot",
    id: "3dde",
    status: "online",
    read: (key: string) => ({ battery: 18, state: "docked", bumper: false })[key],
  };
  test.each([
    ["", true],
    ["antw", true],
    ["antw robot", true],
    ["antw sensor", false],
    ["battery<20", true],
    ["battery>=20", false],
    ["state=docked", true],
    ["state:dock", true],
    ["state!=docked", false],
    ["bumper=false", true],
    ["status:online battery<20", true],
    ["pressure>1", false],
    ["type=mobile_robot", true],
  ])("%j", (text, wanted) => {
    expect(fits(parseFilter(text), robot)).toBe(wanted);
  });
});

describe("match", () => {
  test("better fits score higher", () => {
    const scores = ["ant", "antwerp 03", "Antwerp 03", "03 antwerp", "Atlantic", "xyz"].map((text) =>
      matchScore("antwerp 03", text),
    );
    expect(scores[2]).toBe(100);
    expect(scores[3]).toBe(60);
    expect(scores[5]).toBe(0);
  });

  test("letters in order are the last resort", () => {
    expect(matchScore("aw3", "antwerp 03")).toBe(10);
    expect(matchScore("3wa", "antwerp 03")).toBe(0);
  });
});

describe("csv", () => {
  test.each([
    ["plain", "plain"],
    ['say "x", y', '"say ""x"", y"'],
    ["=1+1", "'=1+1"],
    ["@cmd", "'@cmd"],
    ["-20.5", "-20.5"],
    [null, ""],
  ])("the cell %j is written %s", (value, wanted) => {
    expect(csvCell(value)).toBe(wanted);
  });

  test("rows end as the standard says", () => {
    expect(csvOf(["a", "b"], [[1, "x"]])).toBe("a,b\r\n1,x\r\n");
  });
});

describe("position", () => {
  const from = (values: Record<string, never> | object) => (key: string) =>
    (values as Record<string, number>)[key];
  test("is read under any of its names", () => {
    expect(positionOf(from({ latitude: 51, longitude: 4 }))).toEqual({ lat: 51, lon: 4 });
    expect(positionOf(from({ lat: 51, lon: 4 }))).toEqual({ lat: 51, lon: 4 });
    expect(positionOf(from({ location: [51, 4] }))).toEqual({ lat: 51, lon: 4 });
    expect(positionOf(from({ latitude: 91, longitude: 4 }))).toBeNull();
    expect(positionOf(from({ temperature: 4 }))).toBeNull();
  });

  test("areas need three sound corners", () => {
    expect(
      areaOf([
        [51, 4],
        [52, 4],
        [52, 5],
      ]),
    ).toHaveLength(3);
    expect(
      areaOf([
        [51, 4],
        [52, 4],
        ["x", 5],
      ]),
    ).toBeNull();
    expect(areaOf("harbour")).toBeNull();
  });

  test("reads as people say it", () => {
    expect(formatPosition({ lat: -33.8568, lon: 151.2153 })).toBe("33.8568° S, 151.2153° E");
    expect(positionKeys(["cpu", "latitude", "longitude"])).toEqual(["latitude", "longitude"]);
  });
});

test("snippets hold the real host, device and token", () => {
  const target = { origin: "https://fleet.example:8443", deviceId: "d-1", token: "tok" };
  for (const { id, code } of snippetsFor(target)) {
    expect(code).toContain("tok");
    expect(code).toContain(
      id === "curl" || id === "arduino" ? "https://fleet.example:8443" : "wss://fleet.example:8443",
    );
  }
});
