// All of it by keyboard.

import { expect, row, test } from "./base";

test("rows are walked, selected, opened, left", async ({ page, server, open }) => {
  const ids = (await server.addMany({ task: "send_email", args: { fail: "no route to host" } }, 4)).reverse(); // newest first
  for (const id of ids) await server.until(id, "failed");
  await open("/tasks");
  await page.keyboard.press("j");
  await expect(row(page, ids[0] as string)).toBeFocused();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect(row(page, ids[2] as string)).toBeFocused();
  await page.keyboard.press("k");
  await expect(row(page, ids[1] as string)).toBeFocused();
  await page.keyboard.press("x");
  await expect(page.getByRole("toolbar")).toContainText("1 task selected");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("toolbar")).toHaveCount(0);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`#/tasks/${ids[1]}$`));
  await expect(page.locator(".page.task")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(/#\/tasks$/);
  await expect(row(page, ids[0] as string)).toBeVisible();
});

test("r replays the row, or what is selected after a preview", async ({ page, server, open }) => {
  const ids = (await server.addMany({ task: "send_email", args: { fail: "no route to host" } }, 3)).reverse();
  for (const id of ids) await server.until(id, "failed");
  await open("/tasks");
  await page.keyboard.press("j");
  await page.keyboard.press("r");
  await expect(page.locator(".toast")).toContainText("send_email was added again.");
  expect((await server.task(ids[0] as string)).retried_by).not.toBeNull();
  for (const id of [ids[1], ids[2]] as string[]) {
    await row(page, id).focus();
    await page.keyboard.press("x");
  }
  await page.keyboard.press("r");
  const dialog = page.getByRole("dialog");
  await expect(dialog.locator(".big-number")).toHaveText("2 tasks");
  await page.keyboard.press("j"); // a dialog has the keys
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  expect((await server.task(ids[1] as string)).retried_by).toBeNull();
});

test("/ searches, Escape leaves the search, letters in it are letters", async ({ page, server, open }) => {
  await server.add({ task: "send_email" });
  await open("/tasks");
  await page.keyboard.press("/");
  const search = page.getByRole("searchbox");
  await expect(search).toBeFocused();
  await page.keyboard.type("pjxr?");
  await expect(search).toHaveValue("pjxr?");
  await expect(page.locator(".live")).toHaveAttribute("data-state", "live");
  await expect(page).toHaveURL(/q=pjxr%3F$/);
  await page.keyboard.press("Escape");
  await expect(search).not.toBeFocused();
});

test("? lists the keys that there are", async ({ page, open }) => {
  await open("/");
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog", { name: "Keyboard" });
  for (const key of ["j", "k", "Enter", "x", "r", "/", "Esc", "p", "?"])
    await expect(dialog.locator("kbd", { hasText: new RegExp(`^${key === "?" ? "\\?" : key}$`) })).toHaveCount(1);
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
});

test("the tab key reaches everything, the navigation can be skipped", async ({ page, server, open }) => {
  await server.add({ task: "send_email" });
  await open("/tasks");
  await page.locator(".brand").focus();
  await page.keyboard.press("Shift+Tab");
  await expect(page.getByRole("button", { name: "Skip the navigation" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
  const seen = new Set<string>();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    const on = await page.evaluate(() => {
      const e = document.activeElement as HTMLElement;
      return e.closest("[data-id]") && !e.matches("[data-id]")
        ? ""
        : e.matches("[data-id]")
          ? "row"
          : (e.ariaLabel ?? e.textContent ?? "").trim();
    });
    if (on) seen.add(on);
    if (on === "row") break;
  }
  expect([...seen]).toEqual(expect.arrayContaining(["failed", "Function", "Added", "row"]));
});
