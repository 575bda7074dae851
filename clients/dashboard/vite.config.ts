import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const client = (path: string) => fileURLToPath(new URL(`../typescript/dist/${path}.js`, import.meta.url));

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: {
      "slotd/web": client("web/index"),
      "slotd/v1": client("v1"),
      "slotd/rpc": client("rpc"),
    },
    // The client has copies of its own, for its tests.
    dedupe: ["@bufbuild/protobuf"],
  },
  build: {
    target: "es2023",
    outDir: "../../server/slotd_server/web/page",
    emptyOutDir: true,
    // Every browser that has the rest of what the page needs preloads modules itself.
    modulePreload: { polyfill: false },
    // The content policy takes no data: URLs but for images.
    assetsInlineLimit: 0,
  },
  server: {
    // For `npm run dev`: the service, which has to take the development server's origin.
    proxy: { "^/slotd\\.v1\\.": { target: process.env["SLOTD_HTTP"] ?? "http://127.0.0.1:7480", changeOrigin: true } },
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"] },
});
