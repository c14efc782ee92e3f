// The page follows what happens, says so when it cannot, and misses nothing.

import type { Locator, Page } from "@playwright/test";
import { answered, expect, ready, row, test, unanswered } from "./base";

const lamp = (page: Page) => page.locator(".live");

test("a new task appears, runs, ends", async ({ page, server, open }) => {
  await server.add({ task: "send_email" });
  await open("/tasks");
  const id = await server.add({ task: "import_orders", args: { gate: "a" } });
  await expect(row(page, id).locator(".c-status")).toHaveText("running");
  await server.tell("a", { progress: { done: 30, total: 120, unit: "rows", message: "reading orders.csv" } });
  await expect(row(page, id).locator(".c-note")).toContainText("25");
  await server.tell("a", { fail: "orders.csv: line 31: the price is missing" });
  await expect(row(page, id).locator(".c-status")).toHaveText("failed");
  await expect(row(page, id)).toContainText("the price is missing");
});

test("the first task of all appears", async ({ page, server, open }) => {
  await open("/tasks");
  await expect(page.locator("main")).toContainText("No tasks yet");
  const id = await server.add({ task: "send_email", delay: 3600 });
  await expect(row(page, id)).toBeVisible();
});

test("nothing moves while somebody reads further down, and what is new is counted", async ({ page, server, open }) => {
  await server.addMany({ task: "send_email" }, 100);
  await open("/tasks");
  await page.locator(".table").hover();
  await page.mouse.wheel(0, 600);
  await expect.poll(() => page.locator(".table").evaluate((e) => e.scrollTop)).toBeGreaterThan(500);
  const before = await page.evaluate(
    () =>
      [...document.querySelectorAll<HTMLElement>(".tbody [role=row]")].find((e) => e.getBoundingClientRect().top > 400)
        ?.dataset.id,
  );
  const place = await page.locator(`[data-id="${before}"]`).boundingBox();
  const ids = await server.addMany({ task: "resize_image" }, 7);
  const fresh = page.getByRole("button", { name: "7 new" });
  await expect(fresh).toBeVisible();
  expect(await page.locator(`[data-id="${before}"]`).boundingBox()).toEqual(place);
  await fresh.click();
  await expect(row(page, ids[6] as string)).toBeInViewport();
});

test("a log is followed as it grows, until the reader scrolls up", async ({ page, server, open }) => {
  const id = await server.add({
    task: "import_orders",
    args: { gate: "a", lines: Array.from({ length: 200 }, (_, i) => `line ${i}`) },
  });
  await server.until(id, "running");
  await page.setViewportSize({ width: 1440, height: 1200 });
  await open(`/tasks/${id}`);
  const log = page.getByRole("log");
  await expect(log.getByText("line 199", { exact: true })).toBeInViewport();
  await server.tell("a", { lines: ["line 200"], level: "ERROR" });
  await expect(log.getByText("line 200", { exact: true })).toBeInViewport();
  await log.hover();
  await page.mouse.wheel(0, -1500);
  const newest = page.getByRole("button", { name: "Newest lines" });
  await expect(newest).toBeVisible();
  await server.tell("a", { lines: ["line 201"] });
  await expect(page.locator(".logview h2")).toContainText("202 lines");
  await expect(log.getByText("line 201", { exact: true })).not.toBeInViewport();
  await newest.click();
  await expect(log.getByText("line 201", { exact: true })).toBeInViewport();
  await page.getByLabel("Lowest level").selectOption("ERROR");
  await expect(log.locator(".line")).toHaveCount(1);
  await server.tell("a", { end: true });
  await expect(page.locator(".page-head .status")).toHaveText("success");
});

// whole reports whether all of an element is in the window: toBeInViewport is content with an edge of it.
async function whole(line: Locator): Promise<boolean> {
  return line.evaluate((e) => {
    const r = e.getBoundingClientRect();
    const over = document.elementFromPoint(r.left + 4, r.bottom - 2);
    return r.top >= 0 && r.bottom <= innerHeight && (over === e || e.contains(over) || !!over?.closest(".line"));
  });
}

for (const [width, height] of [
  [1440, 900],
  [768, 900],
  [390, 844],
] as const) {
  test(`the newest line of a followed log is in a window of ${width} by ${height}`, async ({ page, server, open }) => {
    await page.setViewportSize({ width, height });
    const id = await server.add({ task: "charge_card", args: { gate: "a", lines: ["line 0"] } });
    await server.until(id, "running");
    await open(`/tasks/${id}`);
    const log = page.getByRole("log");
    await expect(log).toContainText("line 0");
    for (let i = 0; i < 4; i++) {
      const lines = Array.from({ length: 20 }, (_, n) => `line ${i * 20 + n + 1}`);
      await server.tell("a", { lines });
      const last = log.getByText(lines.at(-1) as string, { exact: true });
      await expect(last).toBeVisible();
      await expect.poll(() => whole(last), `line ${i * 20 + 20}`).toBe(true);
    }
    await server.tell("a", { fail: "no answer" }); // the story above the log grows
    await expect(page.locator(".step-failed")).toHaveCount(1);
    await server.tell("a", { lines: ["after the retry"] });
    await expect.poll(() => whole(log.getByText("after the retry", { exact: true }))).toBe(true);
    await page.setViewportSize({ width, height: height - 150 });
    await expect.poll(() => whole(log.getByText("after the retry", { exact: true }))).toBe(true);
    // who reads what is above it is left alone
    await page.setViewportSize({ width, height: 480 });
    const main = page.locator("main");
    await main.evaluate((e) => {
      e.dispatchEvent(new WheelEvent("wheel", { bubbles: true, deltaY: -1000 })); // the log would take a real one for itself
      e.scrollTo({ top: 0 });
    });
    await expect.poll(() => main.evaluate((e) => e.scrollTop)).toBe(0);
    await server.tell("a", { lines: ["somebody reads"] });
    await expect(page.locator(".logview h2")).toContainText(/8\d lines/);
    await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
    expect(await main.evaluate((e) => e.scrollTop)).toBe(0);
  });
}

test("a log is followed through a flood of lines", async ({ page, server, open }) => {
  const id = await server.add({ task: "import_orders", args: { gate: "a" } });
  await server.until(id, "running");
  await page.setViewportSize({ width: 1440, height: 1200 });
  await open(`/tasks/${id}`);
  for (let i = 0; i < 20; i++)
    await server.tell("a", { lines: Array.from({ length: 40 }, (_, n) => `line ${i * 40 + n}`) });
  await expect(page.getByRole("log").getByText("line 799", { exact: true })).toBeInViewport();
  await expect(page.getByRole("button", { name: "Newest lines" })).toHaveCount(0);
});

test("a connection that is cut is resumed without a gap, and not live meanwhile", async ({
  page,
  server,
  open,
  watch,
}) => {
  watch.expect(unanswered);
  const id = await server.add({ task: "import_orders", args: { gate: "a" } });
  await server.until(id, "running");
  await open(`/tasks/${id}`, server.proxy);
  await server.tell("a", { lines: ["line 0"] });
  await expect(page.getByRole("log")).toContainText("line 0");
  let loaded = 0;
  page.on("request", (r) => {
    if (r.url().endsWith(id)) loaded++;
  });
  await server.cut({ refuse: true, drop: true });
  await expect(lamp(page)).toHaveAttribute("data-state", "off");
  await expect(page.locator(".notlive")).toContainText("Not live:");
  await server.tell("a", { lines: Array.from({ length: 20 }, (_, i) => `line ${i + 1}`) });
  const unseen = await server.add({ task: "send_email" });
  await server.cut({ refuse: false });
  await page.getByRole("button", { name: "Try now" }).click();
  await expect(lamp(page)).toHaveAttribute("data-state", "live");
  await expect(page.locator(".notlive")).toHaveCount(0);
  await expect(page.locator(".logview h2")).toContainText("21 lines");
  await expect(page.getByRole("log").getByText("line 20", { exact: true })).toBeVisible();
  expect(loaded, "it was resumed, not loaded again").toBe(0);
  await open("/tasks", server.proxy);
  await expect(row(page, unseen).locator(".c-status")).toHaveText("success");
});

test("that it is not live is said once, and moves nothing before it is said", async ({ page, server, open, watch }) => {
  watch.expect(unanswered, answered(502));
  const id = await server.add({ task: "send_email" });
  await server.until(id, "success");
  await open("/");
  await page.evaluate(() => {
    const seen = { tops: [] as number[], begun: 0 };
    Object.assign(window, { seen });
    let was = false;
    const look = () => {
      const is = !!document.querySelector(".notlive");
      if (is && !was) seen.begun++;
      if (!is) seen.tops.push(document.querySelector("main h1")?.getBoundingClientRect().top ?? 0);
      was = is;
      requestAnimationFrame(look);
    };
    look();
  });
  await server.stop();
  await expect(page.locator(".notlive")).toBeVisible();
  await page.waitForTimeout(4000); // in which it is tried again
  const { tops, begun } = await page.evaluate(
    () => (window as unknown as { seen: never }).seen as Record<string, unknown>,
  );
  expect([...new Set(tops as number[])], "where the heading was without it").toHaveLength(1);
  expect(begun).toBe(1);
  await expect(page.locator(".notlive")).toHaveCSS("opacity", "1");
});

test("a server that is restarted is found again, with what it saved and what it lost", async ({
  page,
  server,
  open,
  watch,
}) => {
  watch.expect(unanswered, answered(502));
  const saved = await server.add({ task: "import_orders", delay: 3600, submit: true });
  const done = await server.add({ task: "send_email" });
  await server.until(done, "success");
  await open("/tasks");
  await expect(row(page, done)).toBeVisible();
  await server.stop();
  await expect(lamp(page)).toHaveAttribute("data-state", "off");
  await expect(page.locator(".notlive")).toBeVisible();
  await expect(row(page, done)).toBeVisible(); // what was there stays to be read
  await server.run();
  await expect(lamp(page)).toHaveAttribute("data-state", "live", { timeout: 20_000 }); // by itself
  await expect(row(page, saved).locator(".c-status")).toHaveText("pending");
  const id = await server.add({ task: "resize_image" });
  await expect(row(page, id).locator(".c-status")).toHaveText("success");
});

test("a storage that does not answer is named, what is in memory is shown, and both end by themselves", async ({
  page,
  server,
  open,
  watch,
}) => {
  watch.expect(answered(503));
  const id = await server.add({ task: "send_email", args: { fail: "no route to host" } });
  await server.until(id, "failed");
  await open("/tasks");
  await server.storage(true);
  await page.getByRole("searchbox").fill("route");
  const refused = page.locator("main .failed");
  await expect(refused.first()).toContainText(/storage/);
  await server.storage(false);
  await expect(row(page, id)).toBeVisible();
  await expect(refused).toHaveCount(0);
});

test("paused, nothing changes until it is resumed", async ({ page, server, open }) => {
  await server.add({ task: "send_email" });
  const id = await server.add({ task: "import_orders", args: { gate: "a" } });
  await open("/tasks");
  await expect(row(page, id).locator(".c-status")).toHaveText("running");
  await page.keyboard.press("p");
  await expect(lamp(page)).toHaveAttribute("data-state", "paused");
  await server.tell("a", { end: true });
  const fresh = await server.add({ task: "resize_image" });
  await expect(page.locator(".live-sign")).toContainText("2 changed");
  await expect(row(page, id).locator(".c-status")).toHaveText("running");
  await expect(row(page, fresh)).toHaveCount(0);
  await page.keyboard.press("p");
  await expect(row(page, id).locator(".c-status")).toHaveText("success");
  await expect(row(page, fresh)).toBeVisible();
});

test("two tabs share one connection, and it goes on when one is closed", async ({ page, server, open, context }) => {
  await server.add({ task: "send_email" });
  await open("/tasks", server.proxy);
  const second = await context.newPage();
  await second.goto(`${server.proxy}/dashboard#/tasks`);
  await ready(second);
  expect(await server.streams()).toEqual({ open: 1, opened: 1 });
  const id = await server.add({ task: "import_orders", args: { gate: "a" } });
  for (const p of [page, second]) await expect(row(p, id).locator(".c-status")).toHaveText("running");
  await page.close();
  await server.tell("a", { end: true });
  await expect(row(second, id).locator(".c-status")).toHaveText("success");
  expect(await server.streams()).toEqual({ open: 1, opened: 1 });
  await second.close();
  await expect.poll(async () => (await server.streams()).open).toBe(0);
});

// crash kills the process of a page, as running out of memory does: it says goodbye to nobody.
async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  session.send("Page.crash").catch(() => {}); // there is nobody left to answer
  await crashed;
}

for (const first of [0, 1]) {
  test(`of two tabs the ${first ? "second" : "first"} crashes, and the other goes on`, async ({
    page,
    server,
    open,
    context,
    watch,
  }) => {
    watch.expect(/the page has crashed/);
    await server.add({ task: "send_email" });
    await open("/tasks", server.proxy);
    const second = await context.newPage();
    await second.goto(`${server.proxy}/dashboard#/tasks`);
    await ready(second);
    expect(await server.streams()).toEqual({ open: 1, opened: 1 });
    const [dies, lives] = first ? [second, page] : [page, second];
    await crash(dies);
    const id = await server.add({ task: "import_orders", args: { gate: "a" } });
    await expect(row(lives, id).locator(".c-status")).toHaveText("running");
    await server.tell("a", { end: true });
    await expect(row(lives, id).locator(".c-status")).toHaveText("success");
    await expect.poll(async () => (await server.streams()).open).toBe(1);
    // the worker has let go of the one that is dead
    const locks = () =>
      lives.evaluate(async () => {
        const { held = [], pending = [] } = await navigator.locks.query();
        return [held, pending].map((all) => all.filter((l) => l.name?.startsWith("taskflow page")).length);
      });
    await expect.poll(locks).toEqual([1, 1]); // that of the page, for which the worker waits
    await crash(lives);
    await expect.poll(async () => (await server.streams()).open).toBe(0);
  });
}

test("the worker forgets a page that died, and closes the stream with the last one", async ({ page, server, open }) => {
  await page.addInitScript(() => {
    const Real = SharedWorker;
    Object.assign(window, {
      SharedWorker: function (this: SharedWorker, ...how: ConstructorParameters<typeof SharedWorker>) {
        Object.assign(window, { how });
        return new Real(...how);
      },
    });
  });
  await server.add({ task: "send_email" });
  await open("/tasks", server.proxy);
  // another page of this browser, as the worker sees it, that can die while there is somebody to see what follows
  await page.evaluate(async () => {
    const { port } = new SharedWorker(...(window as never as { how: ConstructorParameters<typeof SharedWorker> }).how);
    const other = { heard: 0, die: () => {} };
    Object.assign(window, { other });
    port.onmessage = () => other.heard++;
    port.postMessage({ kind: "open", url: new URL("dashboard/stream", document.baseURI).href.split("#")[0] });
    await new Promise<void>((holds) => {
      void navigator.locks.request("another page", () => {
        port.postMessage({ kind: "alive", lock: "another page" });
        holds();
        return new Promise<void>((free) => {
          other.die = free;
        });
      });
    });
  });
  type Other = { other: { heard: number; die: () => void } };
  const heard = () => page.evaluate(() => (window as never as Other).other.heard);
  const before = await heard();
  await server.until(await server.add({ task: "send_email" }), "success");
  await expect.poll(heard).toBeGreaterThan(before);
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide"))); // the page itself leaves
  const left = await heard();
  await server.until(await server.add({ task: "send_email" }), "success");
  await expect.poll(heard, "the other page is there still").toBeGreaterThan(left);
  await page.evaluate(() => (window as never as Other).other.die());
  await expect.poll(async () => (await server.streams()).open).toBe(0);
});

test("an action in one tab is seen in the other", async ({ page, server, open, context }) => {
  const id = await server.add({ task: "send_email", args: { fail: "no route to host" } });
  await server.until(id, "failed");
  await open("/tasks");
  const second = await context.newPage();
  await second.goto(`${server.direct}/dashboard#/tasks/${id}`);
  await ready(second);
  await second.getByRole("button", { name: "Replay" }).click();
  await expect(page.locator(".tbody [role=row]")).toHaveCount(2);
  await expect(row(page, id).getByRole("img", { name: "replayed" })).toBeVisible();
});
