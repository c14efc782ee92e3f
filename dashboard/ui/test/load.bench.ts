// Measures the page under load: a million tasks, floods of changes, a hundred viewers. It prints figures, and what is asked for beside them; it fails only
// when something does not work at all, because figures depend on the machine and on what else runs there. Linux only: it reads /proc.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Page } from "@playwright/test";
import { expect, ready, test } from "./base";
import type { Server } from "./server";

function say(what: string, figure: string, asked = ""): void {
  console.log(`  ${what.padEnd(58)} ${figure.padStart(14)} ${asked}`);
}

const ms = (n: number): string => `${n.toFixed(0)} ms`;
const median = (all: number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] as number;
const wait = (time: number): Promise<void> => new Promise((r) => setTimeout(r, time));

// usage is what a process has used: processor time in seconds, memory in MB.
function usage(pid: number): { cpu: number; memory: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, memory: Number(memory) / 1024 };
}

function load(): string {
  return readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" ");
}

test.beforeEach(() => console.log(`  load of the machine before: ${load()}`));

test.describe("a million tasks", () => {
  test.use({ options: { past: 1_000_000 } });

  test("first paint, and a change of the filter", async ({ browser, server }) => {
    const paints: number[] = [];
    const rows: number[] = [];
    for (let i = 0; i < 5; i++) {
      const context = await browser.newContext(); // with nothing in its cache
      const page = await context.newPage();
      await page.addInitScript(() => {
        new MutationObserver((_, observer) => {
          if (!document.querySelector(".tbody [role=row]")) return;
          observer.disconnect();
          requestAnimationFrame(() => setTimeout(() => Object.assign(window, { rowsAt: performance.now() })));
        }).observe(document, { childList: true, subtree: true });
      });
      await page.goto(`${server.direct}/dashboard#/tasks`);
      await page.waitForFunction(() => "rowsAt" in window);
      rows.push(await page.evaluate(() => (window as unknown as { rowsAt: number }).rowsAt));
      paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0));
      await context.close();
    }
    say("cold load, first contentful paint, median of 5", ms(median(paints)));
    say("cold load, the first tasks are painted, median of 5", ms(median(rows)), "asked: 500 ms");

    const page = await browser.newPage();
    await page.goto(`${server.direct}/dashboard#/tasks`);
    await ready(page);
    for (const [what, filter] of [
      ["status", "status=failed"],
      ["function", "func_name=charge_card"],
      ["status and function", "status=failed&func_name=sync_inventory"],
      ["tag", "tag=user:117"],
      ["text, found", "q=declined"],
      ["text, not found", "q=there-is-no-such-thing"],
    ]) {
      const times: number[] = [];
      for (let i = 0; i < 5; i++) {
        times.push(await page.evaluate(change, `#/tasks?${filter}`));
        await page.evaluate(change, "#/tasks");
      }
      say(`filter by ${what}, until it is painted, median of 5`, ms(median(times)), "asked: 100 ms");
    }
    await page.close();
  });
});

// change goes to an address, and answers with how long it takes until the list has been asked for, has come and is painted.
function change(to: string): Promise<number> {
  return new Promise((resolve, reject) => {
    performance.clearResourceTimings();
    const begun = performance.now();
    location.hash = to;
    const look = () => {
      const asked = performance.getEntriesByType("resource").some((e) => /\/\?limit=100/.test(e.name));
      const shown = document.querySelector(".tbody [role=row], .empty");
      if (asked && shown && document.querySelector(".table")?.getAttribute("aria-busy") !== "true")
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
      else if (performance.now() - begun > 60_000) reject(new Error(`${to} is not shown within a minute`));
      else setTimeout(look, 1);
    };
    look();
  });
}

// heap is what the page's heap holds after a collection, in MB.
async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize / 1e6;
}

for (const [where, to] of [
  ["list", "/tasks"],
  ["overview", "/"],
]) {
  test(`the ${where} through 1,000 changes a second`, async ({ page, server, open }) => {
    const seconds = Number(process.env.TASKFLOW_UI_SECONDS ?? 60);
    await server.addMany({ task: "send_email" }, 200);
    await page.addInitScript(() => {
      const tasks: number[] = [];
      Object.assign(window, { longTasks: tasks });
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration))).observe({
        type: "longtask",
      });
    });
    await open(to as string);
    await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks.splice(0)); // those of the beginning
    const before = await heap(page);
    const flood = server.order<{ added: number; seconds: number }>("flood", { rate: 334, seconds }); // pending, running, success
    await wait((seconds * 1000) / 2);
    const middle = await heap(page);
    const done = await flood;
    const after = await heap(page);
    const long = await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks);
    say(
      `${where}: changes a second, for ${done.seconds.toFixed(0)} s`,
      `${Math.round((3 * done.added) / done.seconds)}`,
    );
    say(`${where}: longest task of the page's thread`, ms(Math.max(0, ...long)), "asked: 200 ms");
    say(`${where}: tasks of more than 50 ms`, String(long.length));
    say(
      `${where}: heap before, in the middle, after`,
      [before, middle, after].map((n) => n.toFixed(1)).join(" "),
      "MB",
    );
    await expect(page.locator(".live")).toHaveAttribute("data-state", "live");
  });
}

test("a hundred viewers", async ({ server }) => {
  const seconds = Number(process.env.TASKFLOW_UI_SECONDS ?? 60) / 2;
  const burst = async () => 20_000 / (await server.order<{ seconds: number }>("burst", { tasks: 20_000 })).seconds;
  await burst();
  const alone = median([await burst(), await burst(), await burst()]);
  const base = await flooded(server, seconds);
  const viewers = spawn(
    process.env.TASKFLOW_UISERVER as string,
    ["-watch", `${server.direct}/dashboard/stream`, "-viewers", "100"],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const lines = createInterface(viewers.stdout)[Symbol.asyncIterator]();
  expect(JSON.parse((await lines.next()).value as string)).toEqual({ open: 100 });
  const watched = await flooded(server, seconds);
  const crowded = median([await burst(), await burst(), await burst()]);
  viewers.kill("SIGTERM");
  const seen = JSON.parse((await lines.next()).value as string) as { events: number; bytes: number };
  say(
    "100 viewers, 1,000 task changes a second: processor",
    `${watched.cores.toFixed(2)} cores`,
    `asked: 1; ${base.cores.toFixed(2)} without`,
  );
  say(
    "100 viewers: memory of the server",
    `${watched.memory.toFixed(0)} MB`,
    `asked: 200; ${base.memory.toFixed(0)} without`,
  );
  say(
    "100 viewers: events that they got, in millions",
    (seen.events / 1e6).toFixed(1),
    `${(seen.bytes / 1e6).toFixed(0)} MB`,
  );
  say(
    "tasks a second without and with them, as fast as it can",
    `${alone.toFixed(0)} ${crowded.toFixed(0)}`,
    `asked: at most 10 % less; ${((1 - crowded / alone) * 100).toFixed(0)} %`,
  );
});

async function flooded(server: Server, seconds: number): Promise<{ cores: number; memory: number }> {
  const before = usage(server.pid);
  const begun = performance.now();
  await server.order("flood", { rate: 334, seconds });
  const passed = (performance.now() - begun) / 1000;
  const after = usage(server.pid);
  return { cores: (after.cpu - before.cpu) / passed, memory: after.memory };
}
