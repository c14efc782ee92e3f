// Builds the page anew beside the committed build, and compares them file by file, unpacked: the bytes of gzip depend on the version of
// Node.js, what is in them does not.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const ui = fileURLToPath(new URL("..", import.meta.url));
const fresh = mkdtempSync(join(tmpdir(), "taskflow-ui-"));

function read(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    files.set(relative(folder, path), (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString());
  }
  return files;
}

// Generated files are committed as well, and must follow from what they are made of.
const generated = ["src/api/schema.gen.ts", "src/icons/sprite.gen.svg"];
const before = generated.map((name) => readFileSync(join(ui, name), "utf8"));
let wrong = [];
try {
  execFileSync("npm", ["run", "--silent", "build"], {
    cwd: ui,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, TASKFLOW_UI_OUT: fresh },
  });
  wrong = generated.filter((name, i) => readFileSync(join(ui, name), "utf8") !== before[i]);
  const [have, want] = [read(join(ui, "dist")), read(fresh)];
  for (const name of new Set([...have.keys(), ...want.keys()])) {
    if (have.get(name) !== want.get(name)) wrong.push(join("dist", name));
  }
} finally {
  rmSync(fresh, { recursive: true });
}
if (wrong.length > 0) {
  console.error(`not what the source builds, run make ui and commit:\n  ${wrong.join("\n  ")}`);
  process.exit(1);
}
console.log("the committed build is what the source builds");
