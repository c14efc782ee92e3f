// What can be done to tasks, one or many, and what is written down of it.

import { readFileSync } from "node:fs";
import { answered, expect, ready, row, test } from "./base";
import type { Task } from "./server";

test.describe("one task", () => {
  test("is replayed from its page", async ({ page, server, open }) => {
    const id = await server.add({ task: "send_email", args: { fail: "no route to host" }, tags: { user: "42" } });
    await server.until(id, "failed");
    await open(`/tasks/${id}`);
    await page.getByRole("button", { name: "Replay", exact: true }).click();
    await expect(page.locator(".toast")).toContainText("send_email was added again.");
    await expect(page.getByRole("button", { name: "Replay once more" })).toBeVisible();
    await page.locator(".toast").getByRole("link", { name: "Open the replay" }).click();
    await expect(page.locator(".task-side")).toContainText("Replay of");
    const again = await server.task(decodeURIComponent(page.url().split("/").at(-1) as string));
    expect(again).toMatchObject({ retry_of: id, source: "retry", tags: { user: "42" } });
    await open("/audit");
    await expect(page.locator("tbody tr").filter({ hasText: "replay" })).toContainText("anonymous");
  });

  test("a plain function cannot be replayed, and the page says why", async ({ page, server, open }) => {
    const id = await server.add({ args: { fail: "no route to host" } });
    await server.until(id, "failed");
    await open(`/tasks/${id}`);
    const button = page.getByRole("button", { name: "Replay" });
    await expect(button).toBeDisabled();
    await expect(button).toHaveAttribute("title", /only a task made with Define can/);
  });

  test("is cancelled while it waits, and told to stop while it runs", async ({ page, server, open }) => {
    const waiting = await server.add({ task: "send_email", delay: 3600 });
    await open(`/tasks/${waiting}`);
    await expect(page.locator(".why")).toContainText("Why is it not running?");
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect(page.locator(".page-head .status")).toHaveText("cancelled");
    await expect(page.locator("main")).not.toContainText("cancelling …"); // the server's reason has come
    expect((await server.task(waiting)).status).toBe("cancelled");

    const running = await server.add({ task: "send_email", args: { gate: "a" } });
    await server.until(running, "running");
    await open(`/tasks/${running}`);
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect(page.locator(".page-head .status")).toHaveText("cancelled");
    await expect(page.locator(".steps")).toContainText(/Attempt 1 was cancelled after/);
    await expect(page.locator(".step-failed, .span-bad")).toHaveCount(0);
    await open("/audit");
    await expect(page.locator("tbody tr").filter({ hasText: "cancel" })).toHaveCount(2);
  });

  test("shows its arguments only when asked", async ({ page, server, open }) => {
    const id = await server.add({ task: "send_email", args: { note: "for whom it may concern" } });
    await server.until(id, "success");
    await open(`/tasks/${id}`);
    await expect(page.locator("main")).not.toContainText("for whom it may concern");
    await page.getByRole("button", { name: "Show them" }).click();
    await expect(page.locator(".task-side")).toContainText("for whom it may concern");
  });

  test("shows what it added", async ({ page, server, open }) => {
    const id = await server.add({ task: "publish_feed", args: { child: "resize_image" } });
    await server.until(id, "success");
    await open(`/tasks/${id}`);
    await page
      .locator(".relatives")
      .filter({ hasText: "It added" })
      .getByRole("link", { name: "resize_image" })
      .click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("resize_image");
    await expect(page.locator(".relatives").filter({ hasText: "Added by" })).toContainText("publish_feed");
  });

  test("tells the story of its attempts", async ({ page, server, open }) => {
    const id = await server.add({ task: "charge_card", args: { fail: "the card was declined" } });
    await server.until(id, "failed");
    await open(`/tasks/${id}`);
    await expect(
      page.locator(".steps > li").filter({ hasText: /Attempt \d of 3 failed after .*the card was declined/ }),
    ).toHaveCount(3);
    await expect(page.locator(".steps > li").last()).toContainText("Failed after 3 attempts");
    await expect(page.locator(".facts").first()).toContainText("3 of 3");
  });
});

test.describe("an action that the server refuses", () => {
  // The task begins to run, and ends, between the click and the arrival of the request.
  for (const place of ["list", "page"] as const) {
    test(`is taken back on the ${place}: what the task has become is shown`, async ({ page, server, open, watch }) => {
      watch.expect(answered(400), answered(409));
      await server.add({ task: "nightly_report", args: { gate: "first" } });
      const id = await server.add({ task: "nightly_report", args: { gate: "second" } }); // waits: the pool has one place
      let arrive = (): void => {};
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      let asked = (): void => {};
      const clicked = new Promise<void>((resolve) => {
        asked = resolve;
      });
      await page.route("**/cancel", async (route) => {
        asked();
        await arrived;
        await route.continue();
      });
      const shown = () => (place === "list" ? row(page, id).locator(".c-status") : page.locator(".page-head .status"));
      await open("/tasks"); // which is kept, and follows
      await open(`/tasks/${id}`);
      await page.getByRole("button", { name: "Cancel" }).click();
      await clicked;
      if (place === "list") await page.getByLabel("Screens").getByRole("link", { name: "Tasks" }).click();
      await page.waitForTimeout(200);
      await expect(shown()).toHaveText("cancelled", { timeout: 2000 }); // at once, and until the server has answered
      await server.tell("first", { end: true });
      await server.tell("second", { end: true });
      await server.until(id, "success");
      await expect(shown()).toHaveText("success");
      arrive();
      await expect(page.locator(".toast.error")).toContainText("nightly_report was not cancelled");
      await page.waitForTimeout(300); // nothing more is to happen
      await expect(shown()).toHaveText("success", { timeout: 2000 });
    });
  }
});

test.describe("many tasks", () => {
  test("that are selected are replayed after a preview", async ({ page, server, open }) => {
    const ids = await server.addMany({ task: "send_email", args: { fail: "no route to host" } }, 3);
    const fine = await server.add({ task: "send_email" });
    for (const id of ids) await server.until(id, "failed");
    await open("/tasks");
    for (const id of [ids[0], ids[2], fine] as string[]) await row(page, id).getByRole("checkbox").check();
    const bar = page.getByRole("toolbar", { name: "Selected tasks" });
    await expect(bar).toContainText("3 tasks selected");
    await bar.getByRole("button", { name: "Replay 2" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.locator(".big-number")).toHaveText("2 tasks");
    await dialog.getByRole("button", { name: "Keep them" }).click();
    expect((await server.task(ids[0] as string)).retried_by).toBeNull();
    await bar.getByRole("button", { name: "Replay 2" }).click();
    await dialog.getByRole("button", { name: "Replay 2 tasks" }).click();
    await expect(page.locator(".operation")).toContainText("Replay finished");
    await expect(bar).toHaveCount(0);
    for (const [i, id] of ids.entries()) expect((await server.task(id)).retried_by === null).toBe(i === 1);
  });

  test("that match a filter are cancelled after a preview, and no others", async ({ page, server, open }) => {
    const ids = await server.addMany({ task: "send_email", delay: 3600, tags: { batch: "a" } }, 130);
    const other = await server.add({ task: "send_email", delay: 3600, tags: { batch: "b" } });
    await open("/tasks?tag=batch:a");
    await expect(page.locator(".page-head")).toContainText("130");
    await row(page, ids[129] as string)
      .getByRole("checkbox")
      .check();
    await page.getByText("All that match", { exact: true }).click();
    await page.getByRole("button", { name: "Cancel all that match …" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.locator(".big-number")).toHaveText("130 tasks");
    await expect(dialog.locator(".samples li")).toHaveCount(5);
    await dialog.getByRole("button", { name: "Cancel 130 tasks" }).click();
    await expect(page.locator(".operation")).toContainText("Cancel finished");
    await expect(page.locator(".operation")).toContainText("130 of 130 tasks");
    const left = await server.api<Task[]>("?status=pending&limit=10");
    expect(left.map((t) => t.task_id)).toEqual([other]);
    await open("/audit");
    await expect(page.locator("tbody tr").filter({ hasText: "operation start" })).toHaveCount(1);
    await expect(page.locator("tbody tr").filter({ hasText: "operation end" })).toContainText("130");
  });

  test.describe("of a past", () => {
    test.use({ options: { past: 1000 } });

    test("that failed in the same way are discarded, and their group is gone", async ({ page, server, open }) => {
      await open("/failures");
      const group = page.locator(".groups > li").filter({ hasText: "connect to the stock" });
      const before = Number(await group.locator(".group-count b").textContent());
      expect(before).toBeGreaterThan(1);
      await group.locator(".group-head").click();
      await group.getByRole("button", { name: "Discard …" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: `Discard ${before} tasks` }).click();
      await expect(page.locator(".operation")).toContainText(/finished/);
      await expect(group).toHaveCount(0);
      expect(await server.api<Task[]>("?status=failed&func_name=sync_inventory&q=connect%20to%20the%20stock")).toEqual(
        [],
      );
    });

    test("that failed in the same way are replayed", async ({ page, server, open }) => {
      await open("/failures");
      const group = page.locator(".groups > li").filter({ hasText: "the card was declined" });
      const before = Number(await group.locator(".group-count b").textContent());
      await group.getByRole("checkbox").check();
      await page.getByRole("button", { name: "Replay 1" }).click();
      await page
        .getByRole("dialog")
        .getByRole("button", { name: /^Replay \d+ task/ })
        .click();
      await expect(page.locator(".operation")).toContainText(/finished/);
      const again = await server.api<Task[]>("?source=retry&func_name=charge_card&limit=500");
      expect(again).toHaveLength(before);
      await expect(group).toContainText("all replayed");
    });

    test("that are old are deleted after a preview", async ({ page, server, open }) => {
      const { count } = await server.api<{ count: number }>(
        `count?until=${new Date(Date.now() - 12 * 3600e3).toISOString()}`,
      );
      await open("/tasks");
      await page.getByTitle("More").click();
      await page.getByRole("button", { name: "Delete history …" }).click();
      const dialog = page.getByRole("dialog", { name: "Delete history" });
      await dialog.getByLabel("How many").fill("12");
      await dialog.getByLabel("Unit").selectOption("hour");
      await expect(dialog.locator(".big-number")).toHaveText(`${count} tasks`);
      await expect(dialog.getByRole("button", { name: /^Delete/ })).toBeDisabled();
      await dialog.getByLabel("I know that this cannot be undone").check();
      await dialog.getByRole("button", { name: `Delete ${count} tasks` }).click();
      await expect(page.locator(".toast")).toContainText(`${count} tasks deleted.`);
      expect((await server.api<{ count: number }>("count")).count).toBe(1000 - count);
      await open("/audit");
      await expect(page.locator("tbody tr").filter({ hasText: "delete history" })).toHaveCount(1);
    });

    test("are exported as they are filtered", async ({ page, server, open }) => {
      const want = await server.api<Task[]>("?status=failed&func_name=charge_card&limit=1000");
      expect(want.length).toBeGreaterThan(1);
      await open("/tasks?status=failed&func_name=charge_card");
      const get = async (format: string): Promise<{ name: string; text: string }> => {
        await page.getByTitle("More").click();
        const coming = page.waitForEvent("download");
        await page.getByRole("button", { name: `Export ${format}`, exact: true }).click();
        const download = await coming;
        await page.keyboard.press("Escape");
        return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
      };
      const ids = want.map((t) => t.task_id).sort();
      const json = await get("JSON");
      expect(json.name).toMatch(/\.json$/);
      expect((JSON.parse(json.text) as Task[]).map((t) => t.task_id).sort()).toEqual(ids);
      const csv = await get("CSV");
      expect(csv.name).toMatch(/\.csv$/);
      const [head, ...lines] = csv.text.trim().split(/\r?\n/);
      expect(head).toContain("task_id");
      expect(lines).toHaveLength(ids.length);
      for (const id of ids) expect(csv.text).toContain(id);
      expect(csv.text).toContain("the card was declined");
      const lined = await get("NDJSON");
      expect(
        lined.text
          .trim()
          .split("\n")
          .map((l) => JSON.parse(l).task_id)
          .sort(),
      ).toEqual(ids);
    });
  });
});

test("cells of an export that a spreadsheet would take for a formula are made text", async ({ page, server, open }) => {
  const id = await server.add({ task: "send_email", args: { fail: '=HYPERLINK("http://evil.example","x")' } });
  await server.until(id, "failed");
  await open("/tasks");
  await ready(page);
  await page.getByTitle("More").click();
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export CSV" }).click();
  expect(readFileSync(await (await coming).path(), "utf8")).toContain(`'=HYPERLINK`);
});
