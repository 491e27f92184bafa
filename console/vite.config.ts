/** Build of the console: hashed files under /assets, nothing inlined, so a strict CSP holds. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const SERVER = process.env.MOORING_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/mooring/doors/console/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: ["index.html", "docs/index.html"],
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/ },
            { name: "mantine", test: /node_modules[\\/](@mantine|@floating-ui|clsx|tabbable)[\\/]/ },
          ],
        },
      },
    },
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { proxy: { "/api": SERVER, "/ws": { target: SERVER, ws: true } } },
  test: { include: ["tests/**/*.test.{ts,tsx}"] },
} as Parameters<typeof defineConfig>[0]);
