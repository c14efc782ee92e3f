// Who gets in, who may act, and what happens when a session ends in the middle of something.

import { answered, expect, ready, row, signIn, test } from "./base";
import { users } from "./server";

test.use({ options: { users: true } });

test.describe("logging in", () => {
  test("leads back to where a link pointed, without the wrong password", async ({ page, server, watch }) => {
    watch.expect(answered(401));
    await page.goto(`${server.direct}/dashboard#/tasks?status=failed`);
    await signIn(page, "ada", "wrong password");
    await expect(page.getByRole("alert")).toHaveText("wrong user name or password");
    await expect(page.getByLabel("Password")).toHaveValue("");
    await expect(page.getByLabel("User name")).toHaveValue("ada"); // which was not wrong
    await expect(page.getByLabel("Password")).toBeFocused();
    await signIn(page, "ada", users.ada);
    await ready(page);
    expect(page.url()).toBe(`${server.direct}/dashboard#/tasks?status=failed`);
  });

  test("works behind a proxy that strips a prefix, and so does leaving", async ({ page, server }) => {
    await page.goto(`${server.proxy}/`);
    await signIn(page, "ada", users.ada);
    await ready(page);
    expect(page.url()).toMatch(`${server.proxy}/dashboard`);
    await page.getByTitle("Settings").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByLabel("Password")).toBeVisible();
    expect(page.url()).toBe(`${server.proxy}/auth/login`);
    await page.goto(`${server.proxy}/dashboard`);
    await expect(page.getByLabel("Password")).toBeVisible();
  });

  test("is written down", async ({ page, server, open, watch }) => {
    watch.expect(answered(401));
    await page.goto(`${server.direct}/dashboard#/audit`);
    await signIn(page, "<b>mallory</b>", "wrong password");
    await expect(page.getByRole("alert")).toBeVisible();
    await signIn(page, "ada", users.ada);
    await open("/audit");
    await expect(page.locator("tbody tr").filter({ hasText: /ada.*login/ })).toHaveCount(1);
    await expect(page.locator("tbody tr").filter({ hasText: "login failed" })).toContainText("<b>mallory</b>");
  });
});

test.describe("a session that ends", () => {
  test("in the middle of an action is renewed on the page, and the action goes on", async ({
    page,
    server,
    open,
    context,
    watch,
  }) => {
    watch.expect(answered(401));
    await page.goto(`${server.direct}/dashboard`);
    await signIn(page, "ada", users.ada);
    await server.login("ada");
    const id = await server.add({ task: "send_email", args: { fail: "no route to host" } });
    await server.until(id, "failed");
    await open(`/tasks/${id}`);
    await context.clearCookies();
    await page.getByRole("button", { name: "Replay" }).click();
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await expect(dialog).toBeVisible();
    await signIn(page, "ada", "not the password");
    await expect(dialog.getByRole("alert")).toHaveText("wrong user name or password");
    await signIn(page, "ada", users.ada);
    await expect(dialog).toBeHidden();
    await expect(page.locator(".toast")).toContainText("send_email was added again.");
    expect((await server.task(id)).retried_by).not.toBeNull();
    await expect(page.locator(".live")).toHaveAttribute("data-state", "live");
  });

  test.describe("by its age", () => {
    test.use({ options: { users: true, session: "4s" } });

    test("says so while the page is only looked at", async ({ page, server, watch }) => {
      watch.expect(answered(401));
      await server.add({ task: "resize_image" });
      await page.goto(`${server.direct}/dashboard#/tasks`);
      await signIn(page, "ada", users.ada);
      await ready(page);
      const dialog = page.getByRole("dialog", { name: "Your session has ended" });
      await expect(dialog).toBeVisible();
      await expect(page.locator(".live")).not.toHaveAttribute("data-state", "live");
      await signIn(page, "ada", users.ada);
      await expect(dialog).toBeHidden();
      await expect(page.locator(".live")).toHaveAttribute("data-state", "live");
      const id = await server.add({ task: "send_email" });
      await expect(row(page, id)).toContainText("success"); // and the stream is there again
    });
  });
});

test.describe("a viewer", () => {
  test("sees everything and nothing to act with; the server refuses", async ({ page, server, open, watch }) => {
    watch.expect(answered(403));
    const failed = await server.add({ task: "send_email", args: { fail: "no route to host" } });
    const held = await server.add({ task: "import_orders", args: { gate: "held" } });
    await page.goto(`${server.direct}/dashboard`);
    await signIn(page, "vera", users.vera);
    await open("/tasks");
    await expect(row(page, failed)).toBeVisible();
    await expect(page.getByRole("checkbox", { name: /^Select/ })).toHaveCount(0);
    await page.getByTitle("More").click();
    await expect(page.getByRole("button", { name: "Export CSV" })).toBeVisible();
    await expect(page.getByRole("button", { name: /Delete history/ })).toHaveCount(0);
    await page.keyboard.press("Escape");
    await row(page, failed).focus();
    await page.keyboard.press("x"); // nothing is selected
    await page.keyboard.press("r"); // and nothing is replayed
    await expect(page.locator(".toast").last()).toHaveText(/vera may only look here: nothing was replayed\./);
    await expect(page.getByRole("toolbar")).toHaveCount(0);
    for (const id of [failed, held]) {
      await open(`/tasks/${id}`);
      await expect(page.getByRole("button", { name: /^(Replay|Cancel)/ })).toHaveCount(0);
    }
    await open("/failures");
    await page.locator(".group-head").click();
    await expect(page.getByRole("button", { name: /Replay|Discard/ })).toHaveCount(0);
    await page.getByTitle("Settings").click();
    await expect(page.locator(".settings")).toContainText("vera may only look");

    await server.login("vera");
    for (const [method, path, body] of [
      ["POST", `${failed}/retry`],
      ["POST", `${held}/cancel`],
      ["POST", "bulk", { action: "delete", filter: {} }],
      ["DELETE", "history?value=1&unit=day"],
    ] as [string, string, unknown?][]) {
      const answer = await page.evaluate(
        async ([method, path, body]) =>
          (
            await fetch(path as string, {
              method: method as string,
              body: body ? JSON.stringify(body) : undefined,
              headers: { "Content-Type": "application/json" },
            })
          ).status,
        [method, path, body],
      );
      expect(answer, `${method} ${path}`).toBe(403);
    }
    expect((await server.task(failed)).retried_by).toBeNull();
    expect((await server.task(held)).status).toBe("running");
  });
});
