// Groups of failures: how one gets to them, and what is done to all of a group.

import { expect, test } from "./base";

test("what is wrong now leads to its group, and each of its tasks does", async ({ page, server, open }) => {
  const ids = await server.addMany({ task: "send_email", args: { fail: "no route to host 10.0.0.1" } }, 3);
  const other = await server.add({ task: "send_email", args: { fail: "550 no such user" } });
  for (const id of [...ids, other]) await server.until(id, "failed");
  await open("/");
  const wrong = page.locator(".problems li").filter({ hasText: "no route to host" });
  await expect(wrong.locator("b")).toHaveText("3");
  await wrong.getByRole("link", { name: "send_email fails", exact: true }).click();
  await expect(page).toHaveURL(/#\/failures\?since=1h&open=[0-9a-f]{16}$/);
  const group = page.locator(".groups > li").filter({ hasText: "no route to host" });
  await expect(group.locator(".group-head")).toHaveAttribute("aria-expanded", "true");
  await expect(group.locator(".group-count b")).toHaveText("3");

  await open(`/tasks/${ids[1]}`);
  await page.getByRole("link", { name: "2 more like this" }).click();
  await expect(group.locator(".group-head")).toHaveAttribute("aria-expanded", "true");
  await open(`/tasks/${other}`);
  await expect(page.getByRole("link", { name: "Its group of failures" })).toBeVisible();
});

test("a group that is not there is said not to be", async ({ page, server, open }) => {
  const id = await server.add({ task: "send_email", args: { fail: "no route to host" } });
  await server.until(id, "failed");
  await open("/failures?open=0123456789abcdef");
  await expect(page.locator(".notice")).toContainText("is not among these");
});

test("the preview of a replay counts what would be replayed, and what is left out", async ({ page, server, open }) => {
  const ids = await server.addMany({ task: "send_email", args: { fail: "no route to host" } }, 3);
  for (const id of ids) await server.until(id, "failed");
  const { task_id: again } = await server.api<{ task_id: string }>(`${ids[0]}/retry`, {
    method: "POST",
    headers: { Accept: "application/json" },
  });
  await server.until(again, "failed");
  await open("/failures");
  await page.locator(".group-head").click();
  await page.getByRole("button", { name: "Replay …" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.locator(".big-number")).toHaveText("3 tasks"); // two, and the replay of the first
  await expect(dialog).toContainText("1 is left out: already replayed");
  await dialog.getByRole("button", { name: "Replay 3 tasks" }).click();
  await expect(page.locator(".operation")).toContainText("Replay finished");
  await page.locator(".operation").getByRole("link", { name: "Show the replays" }).click();
  await expect(page.locator(".pill").first()).toHaveText(/source replay/);
  await expect(page.locator(".page-head .num")).toHaveText("3");
  await open("/audit");
  const entry = page.locator("tbody tr").filter({ hasText: "new task id" });
  await entry.locator(".detail").getByRole("link").click();
  await expect(page).toHaveURL(new RegExp(`#/tasks/${again}$`));
});
