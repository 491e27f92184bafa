/**
 * Writes the map outlines of the console: `node scripts/outlines.mjs` from a checkout with `npm ci` done in console/.
 *
 * Coast lines and borders of world-atlas (Natural Earth, public domain) go through d3's Web-Mercator once, here, which
 * also cuts them at the antimeridian: uncut, Russia and Fiji draw bars across the whole map. What is written is
 * little-endian: uint32 land rings, uint32 border lines, one uint32 length per ring and line, then uint16 x, y pairs
 * in 65,535ths of the world square, each as its step from the point before it (modulo 65,536): steps compress well.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = new URL("../console/", import.meta.url);
const require = createRequire(new URL("package.json", root));
const { geoMercator, geoStream } = require("d3-geo");
const { feature, mesh } = require("topojson-client");

const WORLD = 65535;
const projection = geoMercator()
  .scale(WORLD / (2 * Math.PI))
  .translate([WORLD / 2, WORLD / 2])
  .clipExtent([
    [0, 0],
    [WORLD, WORLD],
  ]);

function collect(geometry) {
  const lines = [];
  let line = null;
  const sink = {
    point(x, y) {
      const at = [Math.round(x), Math.round(y)];
      const last = line.at(-1);
      if (!last || last[0] !== at[0] || last[1] !== at[1]) line.push(at);
    },
    lineStart: () => (line = []),
    lineEnd: () => line.length > 1 && lines.push(line),
    polygonStart() {},
    polygonEnd() {},
    sphere() {},
  };
  geoStream(geometry, projection.stream(sink));
  return lines;
}

function steps(line) {
  return line.map(([x, y], index) => (index === 0 ? [x, y] : [x - line[index - 1][0], y - line[index - 1][1]]));
}

function encode(land, borders) {
  const all = [...land, ...borders];
  const head = new Uint32Array([land.length, borders.length, ...all.map((line) => line.length)]);
  const body = new Uint16Array(all.flatMap(steps).flat());
  return Buffer.concat([Buffer.from(head.buffer), Buffer.from(body.buffer)]);
}

mkdirSync(new URL("src/map/outlines/", root), { recursive: true });
for (const detail of ["110m", "50m"]) {
  const topology = JSON.parse(readFileSync(require.resolve(`world-atlas/countries-${detail}.json`), "utf8"));
  const land = collect(feature(topology, topology.objects.land));
  const borders = collect(mesh(topology, topology.objects.countries, (a, b) => a !== b));
  const bytes = encode(land, borders);
  const path = fileURLToPath(new URL(`src/map/outlines/${detail}.bin`, root));
  writeFileSync(path, bytes);
  process.stdout.write(`${path}: ${land.length} rings, ${borders.length} borders, ${bytes.length} bytes\n`);
}
