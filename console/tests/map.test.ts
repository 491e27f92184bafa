import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { clusterMarkers, type Marker } from "../src/map/cluster";
import { decodeOutlines, WORLD_UNITS } from "../src/map/outlines";
import {
  fitView,
  graticuleStep,
  metresPerPixel,
  panBy,
  project,
  scaleBar,
  scaleOf,
  toScreen,
  toWorld,
  unproject,
  zoomAround,
} from "../src/map/projection";

const SIZE = { width: 800, height: 500 };

describe("projection", () => {
  test("there and back is the same place", () => {
    for (const place of [
      { lat: 53.54, lon: 9.97 },
      { lat: -33.86, lon: 151.21 },
      { lat: 0, lon: -179.9 },
    ]) {
      const back = unproject(project(place));
      expect(back.lat).toBeCloseTo(place.lat, 9);
      expect(back.lon).toBeCloseTo(place.lon, 9);
    }
  });

  test("the poles stay on the map", () => {
    expect(project({ lat: 90, lon: 0 }).y).toBeCloseTo(0, 5);
    expect(project({ lat: -90, lon: 0 }).y).toBeCloseTo(1, 5);
  });

  test("zooming keeps the place under the pointer there", () => {
    const view = { x: 0.52, y: 0.33, zoom: 6 };
    const at = { x: 200, y: 120 };
    const held = toWorld(at, view, SIZE);
    const after = toScreen(held, zoomAround(view, 1.3, at, SIZE), SIZE);
    expect(after.x).toBeCloseTo(at.x, 6);
    expect(after.y).toBeCloseTo(at.y, 6);
  });

  test("panning moves the world with the hand", () => {
    const view = { x: 0.5, y: 0.4, zoom: 5 };
    expect(panBy(view, 100, 0, SIZE).x).toBeCloseTo(0.5 - 100 / scaleOf(view), 9);
  });

  test("a fitted view shows every point inside its margin", () => {
    const points = [
      { lat: 51.3, lon: 4.2 },
      { lat: 57.7, lon: 11.9 },
      { lat: 45.6, lon: 13.8 },
    ].map(project);
    const view = fitView(points, SIZE, 56);
    for (const point of points) {
      const { x, y } = toScreen(point, view, SIZE);
      expect(x).toBeGreaterThanOrEqual(55.9);
      expect(x).toBeLessThanOrEqual(SIZE.width - 55.9);
      expect(y).toBeGreaterThanOrEqual(55.9);
      expect(y).toBeLessThanOrEqual(SIZE.height - 55.9);
    }
  });

  test("one point alone is not zoomed into its atoms", () => {
    expect(fitView([project({ lat: 51, lon: 4 })], SIZE).zoom).toBe(15);
  });

  test("the scale bar is a round length that fits", () => {
    const view = { ...project({ lat: 51, lon: 4 }), zoom: 12 };
    const bar = scaleBar(view, 90);
    expect(bar.width).toBeLessThanOrEqual(90);
    expect(bar.label).toBe("2 km");
    expect(2000 / metresPerPixel(view)).toBeCloseTo(bar.width, 6);
  });

  test("meridians keep their distance at every zoom", () => {
    for (let zoom = 1; zoom <= 16; zoom += 0.5) {
      const view = { x: 0.5, y: 0.4, zoom };
      expect((graticuleStep(view) * scaleOf(view)) / 360).toBeGreaterThanOrEqual(120);
    }
  });
});

describe("clusters", () => {
  const marker = (id: string, lat: number, lon: number): Marker => ({
    id,
    status: "online",
    ...project({ lat, lon }),
  });
  const fleet = Array.from({ length: 40 }, (_, index) =>
    marker(String(index), 51 + (index % 5) * 0.001, 4 + Math.floor(index / 5) * 1.5),
  );

  test("every marker is in exactly one cluster, at any zoom", () => {
    for (let zoom = 1; zoom <= 17; zoom += 1) {
      const clusters = clusterMarkers(fleet, { x: 0.5, y: 0.3, zoom });
      const ids = clusters.flatMap(({ members }) => members.map(({ id }) => id)).sort();
      expect(ids).toEqual(fleet.map(({ id }) => id).sort());
    }
  });

  test("far out they join, close up they part", () => {
    expect(clusterMarkers(fleet, { x: 0.5, y: 0.3, zoom: 1 }).length).toBeLessThan(4);
    expect(clusterMarkers(fleet, { x: 0.5, y: 0.3, zoom: 17 })).toHaveLength(40);
  });

  test("panning never re-deals them", () => {
    const deal = (x: number) =>
      clusterMarkers(fleet, { x, y: 0.3, zoom: 7 }).map(({ members }) => members.length);
    expect(deal(0.51)).toEqual(deal(0.513));
  });
});

describe("outlines", () => {
  const file = (name: string) => {
    const bytes = readFileSync(`src/map/outlines/${name}.bin`);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  };

  test.each(["110m", "50m"])("%s decodes, and nothing crosses the whole map", (name) => {
    const { land, borders } = decodeOutlines(file(name));
    expect(land.length).toBeGreaterThan(100);
    expect(borders.length).toBeGreaterThan(100);
    for (const { points } of land) {
      for (let index = 2; index < points.length; index += 2) {
        const step = Math.abs((points[index] ?? 0) - (points[index - 2] ?? 0));
        const onEdge = (points[index + 1] ?? 0) >= WORLD_UNITS - 1;
        if (!onEdge) expect(step).toBeLessThan(WORLD_UNITS / 4);
      }
    }
  });
});
