// How the screens look: in both themes, on three widths, to those who see them and those who have them read out. What they look like is written
// to test/out, to be looked at by people.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, ready, screens, test } from "./base";
import type { Server } from "./server";

const out = join(import.meta.dirname, "out");
mkdirSync(out, { recursive: true });
const widths = [1440, 768, 390];

test.use({ options: { past: 4_000, schedules: true } });

// present adds what a page of a shop at work would show.
async function present(server: Server): Promise<[string, string][]> {
  await server.add({
    task: "import_orders",
    args: { gate: "import" },
    tags: { user: "117", file: "orders-2026-11.csv" },
  });
  await server.add({
    task: "resize_image",
    args: { gate: "resize", lines: ["decoded photo.jpg"] },
    tags: { user: "344" },
  });
  await server.add({ task: "nightly_report", args: { gate: "report" } });
  const waiting = await server.add({ task: "nightly_report", args: {} });
  await server.add({ task: "send_email", delay: 3600, tags: { user: "42" } });
  await server.tell("import", { lines: ["reading orders-2026-11.csv", "4 stores found"] });
  await server.tell("import", { lines: ["store 3 has no prices, taking those of yesterday"], level: "WARN" });
  await server.tell("import", { progress: { done: 7300, total: 18250, unit: "rows", message: "store 3 of 4" } });
  await server.tell("resize", { progress: { done: 3, total: 5, unit: "sizes" } });
  const failed = await server.add({
    task: "charge_card",
    args: {
      fail: "charge order 48213: the card was declined (code 51)",
      lines: ["asking the bank", "answer 402"],
      note: "order 48213",
    },
    tags: { user: "42", order: "48213" },
    key: "order-48213",
  });
  const panicked = await server.add({
    task: "publish_feed",
    args: { panic: "index out of range [3] with length 3", child: "resize_image" },
  });
  const done = await server.add({
    task: "import_orders",
    args: { result: { rows: 18250, skipped: 3 }, lines: ["18250 rows written"] },
  });
  for (const [name, does] of [
    ["monthly-report", "run"],
    ["product-feed", "run"],
    ["inventory", "run"],
    ["inventory", "pause"],
  ])
    await server.api(`schedules/${name}/${does}`, { method: "POST", headers: { "Content-Type": "application/json" } });
  for (const [id, status] of [
    [failed, "failed"],
    [panicked, "failed"],
    [done, "success"],
  ] as const)
    await server.until(id, status);
  const running = (await server.api<{ task_id: string }[]>("?status=running&func_name=import_orders"))[0]
    ?.task_id as string;
  return [
    ["task-failed", `/tasks/${failed}`],
    ["task-panicked", `/tasks/${panicked}`],
    ["task-running", `/tasks/${running}`],
    ["task-waiting", `/tasks/${waiting}`],
    ["task-done", `/tasks/${done}`],
  ];
}

async function wide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const over = document.documentElement.scrollWidth > width || document.body.scrollWidth > width;
    if (!over) return [];
    return [...document.querySelectorAll("body *")]
      .filter((e) => e.getBoundingClientRect().right > width + 1)
      .map((e) => `${e.tagName} ${e.className} reaches ${Math.round(e.getBoundingClientRect().right)} of ${width}`)
      .slice(0, 8);
  });
}

// settled waits for what is drawn again after a change of the width.
async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r, 50)))),
  );
}

async function faults(page: Page, where: string): Promise<string[]> {
  const found = await new AxeBuilder({ page }).analyze();
  return found.violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .flatMap((v) =>
      v.nodes.map((n) => `${where}: ${v.id}: ${n.target.join(" ")}: ${n.failureSummary?.split("\n")[1]?.trim()}`),
    );
}

for (const theme of ["light", "dark"] as const) {
  for (const part of ["screens", "tasks"] as const) {
    test(`${theme}, ${part}: nothing is hidden from anybody, nothing is wider than a phone`, async ({
      page,
      server,
      open,
    }) => {
      test.setTimeout(90_000);
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      const tasks = await present(server);
      const wrong: string[] = [];
      for (const [name, to] of part === "screens" ? screens : tasks) {
        await page.setViewportSize({ width: 1440, height: 900 });
        await open(to);
        for (const width of widths) {
          await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
          await settled(page);
          await page.screenshot({ path: join(out, `${name}-${theme}-${width}.png`) });
          for (const what of await wide(page)) wrong.push(`${name} at ${width}: ${what}`);
          // colours do not depend on the width
          if (width === 1440 || (width === 390 && theme === "light"))
            wrong.push(...(await faults(page, `${name} at ${width}`)));
        }
      }
      expect(wrong).toEqual([]);
    });
  }

  test(`${theme}: dialogs, menus and messages neither`, async ({ page, server, open }) => {
    test.setTimeout(90_000);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await present(server);
    const wrong: string[] = [];
    const look = async (name: string) => {
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
        await settled(page);
        await page.screenshot({ path: join(out, `${name}-${theme}-${width}.png`) });
        for (const what of await wide(page)) wrong.push(`${name} at ${width}: ${what}`);
        if (width === 1440) wrong.push(...(await faults(page, name)));
      }
      await page.setViewportSize({ width: 1440, height: 900 });
    };
    await open("/tasks?status=failed");
    for (const n of [0, 1]) await page.locator(".tbody [role=row]").nth(n).getByRole("checkbox").check();
    await look("selection");
    await page.getByRole("button", { name: /^Replay 2/ }).click();
    await expect(page.locator("dialog .big-number")).toBeVisible();
    await look("dialog-bulk");
    await page.keyboard.press("Escape");
    await page.getByTitle("More").click();
    await look("menu");
    await page.getByRole("button", { name: "Delete history …" }).click();
    await expect(page.locator("dialog .big-number")).toBeVisible();
    await look("dialog-history");
    await page.keyboard.press("Escape");
    await page.getByTitle("Settings").click();
    await look("settings");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await look("dialog-keys");
    await page.keyboard.press("Escape");
    await open("/failures");
    await page.locator(".group-head").first().click();
    await look("failure-open");
    await open("/tasks?q=nothing-like-that");
    await expect(page.locator("main")).toContainText("No task matches");
    await look("nothing");
    expect(wrong).toEqual([]);
  });
}

test.describe("the login", () => {
  test.use({ options: { users: true } });
  for (const theme of ["light", "dark"] as const) {
    test(`${theme}: looks like the page`, async ({ page, server }) => {
      await page.emulateMedia({ colorScheme: theme });
      await page.goto(`${server.direct}/auth/login`);
      const wrong: string[] = [];
      for (const width of widths) {
        await page.setViewportSize({ width, height: 800 });
        await page.screenshot({ path: join(out, `login-${theme}-${width}.png`) });
        for (const what of await wide(page)) wrong.push(`at ${width}: ${what}`);
      }
      wrong.push(...(await faults(page, "login")));
      expect(wrong).toEqual([]);
    });
  }
});

test("the usual columns follow the width of the window, and those that were picked do not", async ({ page, open }) => {
  const heads = () => page.locator(".thead [role=columnheader]").allTextContents();
  const inside = () => page.locator(".table").evaluate((e) => e.scrollWidth <= e.clientWidth);
  await open("/tasks");
  expect(await heads()).toContain("Tags");
  expect(await heads()).toContain("Attempts");
  await page.setViewportSize({ width: 768, height: 900 });
  await expect(page.getByRole("columnheader", { name: "Tags" })).toHaveCount(0);
  expect(await inside(), "nothing is cut at 768").toBe(true);
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect(page.getByRole("columnheader", { name: "Tags" })).toBeVisible();
  await page.getByTitle("Columns").click();
  await page.getByRole("checkbox", { name: "Pool" }).check();
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 768, height: 900 });
  await settled(page);
  await expect(page.getByRole("columnheader", { name: "Tags" })).toBeAttached();
  await expect(page.getByRole("columnheader", { name: "Pool" })).toBeAttached();
});

test("statuses stand in the middle of their rows and chips, the word beside the sign", async ({
  page,
  server,
  open,
}) => {
  await present(server);
  await open("/tasks");
  const off = await page.evaluate(() => {
    const middle = (r: DOMRect) => (r.top + r.bottom) / 2;
    const wrong: string[] = [];
    for (const whole of document.querySelectorAll(".tbody [role=row], .chip")) {
      const icon = whole.querySelector(".status .icon, :scope > .icon");
      const words = document.createRange();
      words.selectNodeContents(whole.matches(".chip") ? whole : (whole.querySelector(".status span") as Element));
      if (whole.matches(".chip")) words.setStart(whole, 1);
      for (const [what, rect] of [
        ["sign", icon?.getBoundingClientRect()],
        ["word", words.getBoundingClientRect()],
      ] as const) {
        const by = middle(rect as DOMRect) - middle(whole.getBoundingClientRect());
        if (Math.abs(by) > 0.75) wrong.push(`the ${what} in "${whole.textContent}" is ${by} px off`);
      }
    }
    return wrong;
  });
  expect(off).toEqual([]);
});

test("what is cut ends in an ellipsis, short tags are not cut for long ones, times are on one line", async ({
  page,
  server,
  open,
}) => {
  const long = await server.add({
    task: "send_email",
    delay: 3600,
    tags: { user: "117", file: `orders-${"2026-".repeat(30)}.csv`, zone: "eu" },
  });
  const key = await server.add({ task: "send_email", delay: 3600, tags: { ["k".repeat(60)]: "v" } });
  await open("/tasks");
  for (const id of [long, key]) {
    const tags = page.locator(`[data-id="${id}"] .tag`);
    for (const tag of await tags.all()) {
      const got = await tag.evaluate((e) => {
        const inside = e.parentElement?.getBoundingClientRect() as DOMRect;
        return {
          cut: e.scrollWidth > e.clientWidth,
          how: getComputedStyle(e).textOverflow,
          display: getComputedStyle(e).display, // text-overflow is for blocks
          out: e.getBoundingClientRect().right > inside.right + 0.5,
        };
      });
      const text = (await tag.textContent()) ?? "";
      expect(got, text).toMatchObject({ how: "ellipsis", out: false });
      expect(got.display, text).not.toContain("flex");
      expect(got.cut, text).toBe(text.length > 12);
    }
  }
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    await open(`/tasks/${long}`);
    for (const time of await page.locator(".facts time").all()) {
      await expect(time).toContainText("UTC+01:00");
      expect(await time.evaluate((e) => e.getClientRects().length), `at ${width}`).toBe(1);
    }
  }
});

test("on a laptop the filter is one line", async ({ page, open }) => {
  await page.setViewportSize({ width: 1280, height: 800 });
  await open("/tasks");
  const [search, tag] = await Promise.all(
    [page.locator(".search"), page.locator(".filter .menu")].map((l) => l.boundingBox()),
  );
  expect(Math.abs((search?.y ?? 0) - (tag?.y ?? 0))).toBeLessThan(2);
});

test("charts of a row are on one level, also where the words above them are not", async ({ page, open, server }) => {
  await server.until(await server.add({ task: "send_email" }), "success");
  await open("/");
  for (const range of ["1 h", "7 d"]) {
    await page.getByRole("button", { name: range, exact: true }).click();
    const tops = () =>
      page.locator(".plot").evaluateAll((all) => all.map((e) => Math.round(e.getBoundingClientRect().top)));
    await expect(page.locator(".plot").first()).toBeVisible();
    const [a, b] = await tops();
    expect(a, range).toBe(b);
  }
});

test("on a phone the filter can be cleared on a line that it has anyway", async ({ page, open }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open("/tasks?status=failed");
  const clear = page.getByRole("button", { name: "Clear" });
  const place = async (l: import("@playwright/test").Locator) => {
    const box = await l.boundingBox();
    return (box?.y ?? 0) + (box?.height ?? 0) / 2;
  };
  expect(Math.abs((await place(clear)) - (await place(page.getByLabel("Function", { exact: true }))))).toBeLessThan(2);
  await clear.click();
  await expect(page).toHaveURL(/#\/tasks$/);
  await expect(clear).toHaveCount(0);
});

test("on small phones the bar has all screens, and a message lies on nothing and goes when it is followed", async ({
  page,
  server,
  open,
}) => {
  const id = await server.add({ task: "send_email", args: { fail: "no route to host" } });
  await server.until(id, "failed");
  for (const width of [320, 360, 375]) {
    await page.setViewportSize({ width, height: 700 });
    await open(`/tasks/${id}`);
    for (const link of await page.getByLabel("Screens").getByRole("link").all()) {
      const got = await link.evaluate((e) => {
        const [outer, inner] = [e, e.querySelector("span") as Element].map((x) => x.getBoundingClientRect());
        return {
          left: (inner?.left ?? 0) - (outer?.left ?? 0),
          right: (outer?.right ?? 0) - (inner?.right ?? 0),
          end: outer?.right ?? 0,
        };
      });
      const text = `${await link.textContent()} at ${width}: ${JSON.stringify(got)}`;
      expect(Math.min(got.left, got.right), text).toBeGreaterThanOrEqual(0);
      expect(got.end, text).toBeLessThanOrEqual(width);
    }
  }
  await page.getByRole("button", { name: /^Replay/ }).click();
  const toast = page.locator(".toast");
  await expect(toast).toBeVisible();
  const [main, box, bar] = await Promise.all(
    [page.locator("main"), toast, page.getByLabel("Screens")].map((l) => l.boundingBox()),
  );
  expect((main?.y ?? 0) + (main?.height ?? 0)).toBeLessThanOrEqual((box?.y ?? 0) + 0.5);
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual((bar?.y ?? 0) + 0.5);
  await toast.getByRole("link").click();
  await expect(toast).toHaveCount(0, { timeout: 1000 });
});

test("who wants no motion gets none", async ({ page, server, open }) => {
  const moving = async () =>
    page.evaluate(() =>
      document
        .getAnimations()
        .filter((a) => Number(a.effect?.getComputedTiming().duration ?? 0) > 1 && a.playState === "running")
        .map((a) => `${(a as CSSAnimation).animationName ?? (a as CSSTransition).transitionProperty}`),
    );
  await server.add({ task: "import_orders", args: { gate: "a" } });
  await page.emulateMedia({ reducedMotion: "reduce" });
  await open("/tasks");
  expect(await moving()).toEqual([]);
  await page.getByTitle("Settings").click();
  expect(await moving()).toEqual([]);
});

test("the theme and the times are chosen, and stay chosen", async ({ page, open }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await open("/tasks");
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  const local = await page.locator(".tbody .c-added time").first().getAttribute("title");
  expect(local).toContain("UTC+01:00");
  await page.getByTitle("Settings").click();
  await page.getByRole("button", { name: "Dark" }).click();
  await page.getByRole("button", { name: "UTC" }).click();
  await page.reload();
  await ready(page);
  expect(await ground()).not.toBe(light);
  expect(await page.locator(".tbody .c-added time").first().getAttribute("title")).not.toContain("+01:00");
});
