// Every screen, in every adapter and behind a proxy that strips a prefix, loads what it needs and complains of nothing.

import { expect, ready, screens, test } from "./base";
import type { Adapter } from "./server";

const heads: Record<string, RegExp> = {
  overview: /^Overview$/,
  tasks: /^Tasks$/,
  failures: /^Failures$/,
  functions: /^Functions$/,
  schedules: /^Schedules$/,
  instances: /^Instances$/,
  audit: /^Audit$/,
};

const ways: [Adapter, "direct" | "proxy"][] = [
  ["nethttp", "direct"],
  ["gin", "direct"],
  ["chi", "direct"],
  ["fiber", "direct"],
  ["nethttp", "proxy"],
  ["fiber", "proxy"], // it has a server of its own
];

for (const [adapter, way] of ways) {
  test.describe(`${adapter}, ${way}`, () => {
    test.use({ options: { adapter, past: 400, schedules: true } });

    test("every screen shows itself", async ({ page, server, open }) => {
      const at = server[way];
      const strange: string[] = [];
      page.on("response", (r) => {
        if (!r.url().startsWith(`${at}/`)) strange.push(`not below the mount: ${r.url()}`);
        if (r.status() >= 400) strange.push(`${r.status()}: ${r.url()}`);
      });
      const id = await server.add({ task: "import_orders", args: { lines: ["read orders.csv"], result: { rows: 3 } } });
      await server.until(id, "success");
      await page.goto(`${at}/`); // the mount leads to the page
      await ready(page);
      expect(page.url()).toMatch(new RegExp(`^${at}/dashboard`));
      for (const [name, to] of screens) {
        await open(to, at);
        await expect(page.getByRole("heading", { level: 1 })).toHaveText(heads[name] as RegExp);
        await expect(page.locator("main .failed, main [role=alert]")).toHaveCount(0);
      }
      await open(`/tasks/${id}`, at);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("import_orders");
      await expect(page.getByRole("log")).toContainText("read orders.csv");
      await expect(page.locator("main")).toContainText('"rows": 3');
      expect(strange).toEqual([]);
    });
  });
}

test.describe("what was counted", () => {
  test.use({ options: { past: 3000 } });

  test("is drawn", async ({ page, open }) => {
    await open("/");
    await page.getByRole("button", { name: "24 h" }).click();
    await expect(page.locator("main canvas").first()).toBeVisible();
    expect(await page.locator("main canvas").count()).toBeGreaterThanOrEqual(4);
    // the totals are of the same time, and so are the lists that they lead to
    const figure = (name: string) => page.locator(".figures > div").filter({ hasText: name });
    await expect(figure("Succeeded")).toContainText("24 h");
    await expect(figure("Took")).toContainText("in all");
    const failed = Number(
      await figure("Failed")
        .locator("dd")
        .evaluate((e) => e.firstChild?.textContent),
    );
    expect(failed).toBeGreaterThan(0);
    await page.getByRole("button", { name: "1 h", exact: true }).click();
    await expect(figure("Failed")).toContainText("1 h");
    await expect
      .poll(() =>
        figure("Failed")
          .locator("dd")
          .evaluate((e) => Number(e.firstChild?.textContent)),
      )
      .toBeLessThan(failed);
    await figure("Failed").getByRole("link").click();
    await expect(page).toHaveURL(/#\/failures\?since=1h$/);
  });

  test("is said to be nothing, where it is", async ({ page, open }) => {
    await page.route(/\/series\?/, async (route) => {
      const answer = await route.fetch();
      const series = (await answer.json()) as Record<string, unknown>;
      for (const column of ["wait_p50", "wait_p95", "waiting"])
        series[column] = (series[column] as unknown[]).map(() => null);
      await route.fulfill({ response: answer, json: series });
    });
    await open("/");
    const chart = (title: string) => page.locator(".chart").filter({ has: page.getByRole("heading", { name: title }) });
    await expect(chart("Time to wait")).toContainText("Nothing was counted in this time.");
    await expect(chart("Queue")).not.toContainText("Nothing was counted"); // but how many ran
    await expect(chart("Throughput")).not.toContainText("Nothing was counted");
  });

  test("is shown for each function", async ({ page, open }) => {
    await open("/functions");
    const row = page.locator("tbody tr").filter({ hasText: "sync_inventory" }).first();
    await expect(row.locator("td").last()).toContainText(/ago.*error .*ago: .*connect to the stock/s); // the last run, and the last error
  });

  test("failures of a kind are one group", async ({ page, open }) => {
    await open("/failures");
    const groups = page.locator(".groups > li").filter({ hasText: "connect to the stock" });
    await expect(groups).toHaveCount(1); // the port differs from failure to failure
  });
});

test("a mount without tasks says how to add one", async ({ page, server }) => {
  await page.goto(`${server.direct}/dashboard`);
  await expect(page.locator("main")).toContainText("tasks.Add");
  await page.goto(`${server.direct}/dashboard#/tasks`);
  await expect(page.locator("main")).toContainText("No tasks yet");
});
