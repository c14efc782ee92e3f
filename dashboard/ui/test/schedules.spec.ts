// Schedules: what is due when, how the last runs went, and what a reader can do about it.

import type { Page } from "@playwright/test";
import { answered, expect, ready, signIn, test, unanswered } from "./base";
import { users } from "./server";

test.use({ options: { schedules: true } });

interface Schedule {
  name: string;
  paused: boolean;
  paused_by?: string;
  next_run?: string;
  recent: { task_id: string; manual: boolean; status: string }[];
}

const line = (page: Page, name: string) => page.locator("tbody tr").filter({ hasText: name });
const cell = (page: Page, name: string, label: string) => line(page, name).locator(`[data-label="${label}"]`);
const button = (page: Page, name: string, text: string) => line(page, name).getByRole("button", { name: text });

test("are listed with their rules, when they run next, and that they have not run yet", async ({
  page,
  server,
  open,
}) => {
  const all = await server.api<Schedule[]>("schedules");
  await open("/schedules");
  await expect(page.locator("tbody tr")).toHaveCount(3);
  await expect(cell(page, "inventory", "When")).toContainText("every 30 days");
  await expect(cell(page, "monthly-report", "When")).toContainText("30 2 1 * *");
  await expect(cell(page, "monthly-report", "When")).toContainText("Europe/Berlin");
  await expect(cell(page, "monthly-report", "When")).toContainText("up to 10 min later");
  await expect(cell(page, "monthly-report", "When")).toContainText("one at a time");
  await expect(cell(page, "monthly-report", "When")).toContainText("makes up for the latest missed run");
  await expect(cell(page, "monthly-report", "Next")).toContainText(/\d\d:\d\d UTC\+0[12]:00$/);
  await expect(cell(page, "product-feed", "When")).toContainText("skips while one runs");
  for (const s of all) {
    const next = cell(page, s.name, "Next");
    await expect(next.locator("time").first()).toHaveText(/^in \d+ (s|min|h|d)$/);
    await expect(next.locator("time").first()).toHaveAttribute("datetime", s.next_run as string);
    await expect(cell(page, s.name, "Last runs")).toHaveText(/none yet/);
  }
  const { func_name, source } = { func_name: "nightly_report", source: "scheduled" };
  await line(page, "monthly-report").getByRole("link", { name: func_name }).click();
  await expect(page).toHaveURL(new RegExp(`#/tasks\\?func_name=${func_name}&source=${source}$`));
});

test("are run now, and how the run ended is seen at once, without loading the page again", async ({
  page,
  server,
  open,
}) => {
  await open("/schedules");
  await button(page, "product-feed", "Run now").click();
  await expect(page.locator(".toast")).toContainText("product-feed was added now.");
  const runs = cell(page, "product-feed", "Last runs");
  await expect(runs.getByRole("link")).toHaveText("running");
  await server.tell("feed", { end: true });
  await expect(runs.getByRole("link")).toHaveText("success", { timeout: 5000 });
  await expect(runs).toContainText("last");
  await page.locator(".toast").getByRole("link", { name: "Open the task" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("publish_feed");
  await expect(page.locator("main")).toContainText("scheduled");
  const [run] = (await server.api<Schedule[]>("schedules")).find((s) => s.name === "product-feed")?.recent ?? [];
  expect(run).toMatchObject({ manual: true, status: "success" });
  expect(page.url()).toContain(run?.task_id as string);
});

test("that are run now and fail show it", async ({ page, open }) => {
  await open("/schedules");
  await button(page, "monthly-report", "Run now").click();
  await expect(cell(page, "monthly-report", "Last runs").getByRole("link")).toHaveText("failed", { timeout: 5000 });
  await button(page, "monthly-report", "Run now").click();
  await expect(cell(page, "monthly-report", "Last runs").getByRole("link")).toHaveText(["failed", "failed"], {
    timeout: 5000,
  });
});

test("are paused and resumed, and run by hand meanwhile", async ({ page, server, open }) => {
  await open("/schedules");
  await button(page, "inventory", "Pause").click();
  const next = cell(page, "inventory", "Next");
  await expect(next).toContainText("paused");
  await expect(next.locator("time")).toHaveCount(0);
  const now = async () => (await server.api<Schedule[]>("schedules")).find((s) => s.name === "inventory");
  expect(await now()).toMatchObject({ paused: true });
  await button(page, "inventory", "Run now").click();
  await expect(cell(page, "inventory", "Last runs").getByRole("link")).toHaveText("success", { timeout: 5000 });
  await page.reload();
  await ready(page);
  await expect(next).toContainText("paused");
  await button(page, "inventory", "Resume").click();
  await expect(next.locator("time").first()).toHaveText(/^in /);
  await expect(next).not.toContainText("paused");
  expect(await now()).toMatchObject({ paused: false });
  await open("/audit");
  for (const what of ["schedule pause", "schedule run", "schedule resume"])
    await expect(page.locator("tbody tr").filter({ hasText: what })).toContainText("inventory");
});

test("whose run has not ended are not run again, and the server's reason is shown", async ({
  page,
  server,
  open,
  watch,
}) => {
  watch.expect(answered(409));
  await open("/schedules");
  await button(page, "product-feed", "Run now").click();
  await expect(cell(page, "product-feed", "Last runs").getByRole("link")).toHaveText("running");
  await button(page, "product-feed", "Run now").click();
  await expect(page.locator(".toast.error")).toContainText("product-feed was not run: ");
  await expect(page.locator(".toast.error")).toContainText("has not ended");
  await server.tell("feed", { end: true });
  await expect(cell(page, "product-feed", "Last runs").getByRole("link")).toHaveText("success", { timeout: 5000 });
});

for (const [what, word] of [
  ["Run now", "run"],
  ["Pause", "paused"],
] as const) {
  test(`that the program no longer has are not ${word}, and leave the list`, async ({ page, server, open, watch }) => {
    watch.expect(unanswered, answered(404), answered(502));
    await open("/schedules");
    await page.keyboard.press("p"); // the list stays as it is while the server is another one
    await server.stop();
    server.options.schedules = false;
    await server.run();
    await button(page, "inventory", what).click();
    await expect(page.locator(".toast.error")).toContainText(`inventory was not ${word}: `);
    await expect(page.locator(".toast.error")).toContainText("inventory");
    await expect(page.locator("tbody tr")).toHaveCount(0);
    await expect(page.locator("main")).toContainText("Nothing runs by the clock");
  });
}

test.describe("none", () => {
  test.use({ options: {} });

  test("are said to be none, with how to have one", async ({ page, open }) => {
    await open("/schedules");
    await expect(page.locator("main")).toContainText("Nothing runs by the clock");
    await expect(page.locator("main")).toContainText("taskflow.WithSchedule");
    await expect(page.getByRole("table")).toHaveCount(0);
  });
});

test.describe("with roles", () => {
  test.use({ options: { schedules: true, users: true } });

  test("are only looked at by a viewer", async ({ page, server, open }) => {
    await page.goto(`${server.direct}/dashboard`);
    await signIn(page, "vera", users.vera);
    await open("/schedules");
    await expect(page.locator("tbody tr")).toHaveCount(3);
    await expect(page.locator("main").getByRole("button")).toHaveCount(0);
  });

  test("name who paused them", async ({ page, server, open }) => {
    await page.goto(`${server.direct}/dashboard`);
    await signIn(page, "ada", users.ada);
    await open("/schedules");
    await button(page, "inventory", "Pause").click();
    await expect(cell(page, "inventory", "Next")).toContainText("paused by ada");
  });

  for (const [what, word] of [
    ["Run now", "run"],
    ["Pause", "paused"],
  ] as const) {
    test(`are not ${word} by somebody who became a viewer meanwhile`, async ({ page, server, open, watch }) => {
      watch.expect(answered(403));
      await page.goto(`${server.direct}/dashboard`);
      await signIn(page, "ada", users.ada);
      await open("/schedules");
      await page.evaluate(
        ([username, password]) =>
          fetch("auth/login", { method: "POST", body: new URLSearchParams({ username, password } as never) }),
        ["vera", users.vera],
      );
      await button(page, "inventory", what).click();
      await expect(page.locator(".toast.error")).toContainText(`inventory was not ${word}: `);
      await expect(page.locator(".toast.error")).toContainText(/only look|role|operator/);
      await server.login("ada");
      const s = (await server.api<Schedule[]>("schedules")).find((x) => x.name === "inventory");
      expect(s).toMatchObject({ paused: false, recent: [] });
      await expect(button(page, "inventory", what)).toBeEnabled();
    });
  }
});
