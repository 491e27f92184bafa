/** Writes .br and .gz beside every compressible file of the build, so the server never compresses at run time. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const BUILD = new URL("../../src/mooring/doors/console/static/", import.meta.url).pathname;
const COMPRESSIBLE = /\.(js|css|html|svg|json|bin)$/;
const SMALLEST = 1024;

for (const name of readdirSync(BUILD, { recursive: true })) {
  if (!COMPRESSIBLE.test(name)) continue;
  const path = join(BUILD, name);
  const bytes = readFileSync(path);
  if (bytes.length < SMALLEST) continue;
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
}
