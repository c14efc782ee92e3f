import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

// The folders of dist are the URLs below the mount: index.html is served at dashboard, auth/login.html at auth/login.
const assets = "dashboard/assets";

// build/check.mjs builds into another folder.
const out = process.env.TASKFLOW_UI_OUT ?? join(import.meta.dirname, "dist");

// gzip leaves of each asset the packed form only, which is what the Go program embeds. Level 9 and no time stamp: the same
// source gives the same bytes.
function gzip(): Plugin {
  return {
    name: "gzip",
    apply: "build",
    enforce: "post",
    closeBundle() {
      const folder = join(out, assets);
      for (const name of readdirSync(folder)) {
        if (name.endsWith(".gz")) continue;
        const file = join(folder, name);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
        rmSync(file);
      }
    },
  };
}

export default defineConfig({
  base: "./", // any prefix, any proxy
  plugins: [gzip()],
  worker: { format: "es" },
  build: {
    target: "es2022",
    outDir: out,
    emptyOutDir: true,
    assetsDir: assets,
    assetsInlineLimit: 0, // the content security policy has no data: URLs
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: { app: "index.html", login: "auth/login.html" },
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
