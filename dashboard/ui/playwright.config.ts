import { defineConfig } from "@playwright/test";

// scripts/uitest.sh sets these.
const executablePath = process.env.TASKFLOW_BROWSER;
if (!executablePath || !process.env.TASKFLOW_UISERVER) {
  throw new Error(
    "run the browser tests by make test-ui, which finds the browser and builds the server that they look at",
  );
}

export default defineConfig({
  testDir: "test",
  outputDir: "test/out/traces",
  fullyParallel: true,
  forbidOnly: true,
  retries: 0, // what fails now and then is wrong
  workers: 2,
  reporter: [["list"]],
  timeout: 45_000,
  expect: { timeout: 10_000 },
  use: {
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    viewport: { width: 1440, height: 900 },
    // traces cost much: TASKFLOW_UI_TRACE=1 asks for those of failures
    trace: process.env.TASKFLOW_UI_TRACE ? "retain-on-failure" : "off",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath,
      // no sandbox only where there can be none; and no connection of the browser's own
      args: [
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-precise-memory-info",
      ],
    },
  },
  projects: [
    { name: "ui", testMatch: "*.spec.ts" },
    { name: "bench", testMatch: "*.bench.ts", timeout: 600_000, workers: 1, fullyParallel: false },
  ],
});
