// The address holds what is seen: it can be reloaded, shared, gone back from, and be wrong.

import { answered, expect, ready, test } from "./base";
import { Server, type Task } from "./server";

// These tests change nothing, so that one server does for all of them.
let shared: Server;
test.describe.configure({ mode: "default" });
test.beforeAll(async () => {
  shared = await Server.start({ past: 800 });
});
test.afterAll(() => shared.end());

test.use({
  server: async ({ page: _ }, use) => use(shared),
});

test("a filter is in it, and survives a reload", async ({ page, server, open }) => {
  await open("/tasks");
  await page.getByRole("button", { name: "failed", exact: true }).click();
  await page.getByRole("combobox", { name: "Function" }).selectOption("charge_card");
  await page.getByRole("combobox", { name: "Added" }).selectOption("7d");
  await page.getByRole("searchbox").fill("declined");
  await expect(page).toHaveURL(/#\/tasks\?status=failed&func_name=charge_card&q=declined&since=7d$/);
  const want = await server.api<Task[]>("?status=failed&func_name=charge_card&q=declined&since=7d&limit=1000");
  const shown = page.locator(".page-head .num");
  await expect(shown).toHaveText(String(want.length));
  await page.reload();
  await ready(page);
  await expect(shown).toHaveText(String(want.length));
  await expect(page.getByRole("button", { name: "failed", exact: true })).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByRole("combobox", { name: "Function" })).toHaveValue("charge_card");
  await expect(page.getByRole("searchbox")).toHaveValue("declined");
});

test("back and forward go through filters, screens and tasks", async ({ page, open }) => {
  await open("/tasks");
  await page.getByRole("button", { name: "failed", exact: true }).click();
  await page.locator(".tbody [role=row] a").first().click();
  await expect(page.locator(".page.task")).toBeVisible();
  await page.getByRole("link", { name: "Functions" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Functions");
  await page.goBack();
  await expect(page.locator(".page.task")).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/#\/tasks\?status=failed$/);
  await expect(page.locator(".tbody .c-status").first()).toHaveText("failed");
  await page.goBack();
  await expect(page.getByRole("button", { name: "failed", exact: true })).toHaveAttribute("aria-pressed", "false");
  await page.goForward();
  await expect(page.getByRole("button", { name: "failed", exact: true })).toHaveAttribute("aria-pressed", "true");
});

test("another filter shows its tasks from the first one, and until they are there the former ones", async ({
  page,
  server,
  open,
}) => {
  let last = Date.now();
  page.on("request", () => {
    last = Date.now();
  });
  await open("/tasks");
  await expect.poll(() => Date.now() - last).toBeGreaterThan(500); // it loads once more when the stream has begun
  const asked: string[] = [];
  let answer = () => {};
  const may = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route(/\/tasks\/(\?|count)/, async (route) => {
    asked.push(new URL(route.request().url()).pathname.replace(/.*\/tasks\//, "") || "list");
    await may;
    await route.continue();
  });
  const table = page.getByRole("table", { name: "Tasks" });
  await table.hover();
  await page.mouse.wheel(0, 700);
  await expect.poll(() => table.evaluate((e) => e.scrollTop)).toBeGreaterThan(600);
  const before = await page.locator(".tbody [role=row]").first().getAttribute("data-id");
  await page.getByRole("button", { name: "failed", exact: true }).click();
  await expect.poll(() => asked).toEqual(["list"]); // the rest waits for it
  await expect(table).toHaveAttribute("aria-busy", "true");
  await expect(page.locator(".tbody [role=row]").first()).toHaveAttribute("data-id", before as string);
  answer();
  await expect(page.locator(".tbody .c-status").first()).toHaveText("failed");
  await expect.poll(() => asked).toEqual(["list", "count"]);
  expect(await table.evaluate((e) => e.scrollTop)).toBe(0);
  const [newest] = await server.api<Task[]>("?status=failed&limit=1");
  await expect(page.locator(".tbody [role=row]").first()).toHaveAttribute("data-id", newest?.task_id as string);
});

test("a filter whose tasks cannot be loaded does not leave those of another one there", async ({
  page,
  open,
  watch,
}) => {
  watch.expect(answered(500));
  await open("/tasks");
  await page.route(/\/tasks\/\?/, (route) =>
    route.fulfill({ status: 500, contentType: "application/problem+json", body: '{"detail":"no luck"}' }),
  );
  await page.getByRole("button", { name: "failed", exact: true }).click();
  await expect(page.locator("main .failed")).toContainText("no luck");
  await expect(page.locator(".tbody [role=row]")).toHaveCount(0);
});

test("a link with columns, order and tag shows the same to somebody else", async ({ browser, server }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const [some] = await server.api<Task[]>("?status=success&limit=1");
  const { user } = (some as Task).tags as { user: string };
  await page.goto(`${server.direct}/dashboard#/tasks?tag=user:${user}&sort=-duration&cols=id,duration`);
  await ready(page);
  await expect(page.locator(".thead")).toContainText("Id");
  await expect(page.locator(".thead")).not.toContainText("Attempts");
  await expect(page.locator(".pill")).toContainText(`user:${user}`);
  await context.close();
});

test("what it gets wrong is named, and the rest is used", async ({ page, open }) => {
  await open("/tasks?status=failed,exploded&since=yesterday&source=magic&priority=high&func_name=charge_card");
  const notice = page.getByRole("alert");
  for (const word of ["exploded", "yesterday", "magic", "high"]) await expect(notice).toContainText(word);
  await expect(page.locator(".tbody .c-name").first()).toHaveText("charge_card");
  for (const text of await page.locator(".tbody .c-status").allInnerTexts()) expect(text).toBe("failed");
});

test("names that no filter has are named, too", async ({ page, open }) => {
  await open("/tasks?stauts=failed&tag=:");
  const notice = page.getByRole("alert");
  await expect(notice).toContainText("“stauts” is no filter, “status” is");
  await expect(notice).toContainText("tag “:” has no key");
  await expect(page.locator(".tbody [role=row]").first()).toBeVisible();
  await open("/failures?since=2h&status=failed");
  await expect(notice).toContainText("“status” is no filter");
  await expect(notice).toContainText("since “2h” is none of 1h, 24h, 7d, 30d");
});

test("a filter that matches nothing says so, and leads out", async ({ page, open }) => {
  await open("/tasks?q=there-is-no-such-thing&since=1h");
  await expect(page.locator("main")).toContainText("No task matches");
  await page.getByRole("button", { name: "Search all times" }).click();
  await expect(page).toHaveURL(/#\/tasks\?q=there-is-no-such-thing$/);
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await expect(page.locator(".tbody [role=row]").first()).toBeVisible();
});

for (const id of ["01a2135e-0f67-776b-bc9b-fe6e6160a888", "no-such-id", "..%2F..%2Fetc", "%3Cscript%3E"]) {
  test(`a task that is not there, ${id}, is said not to be`, async ({ page, server, watch }) => {
    watch.expect(answered(404), answered(400));
    await page.goto(`${server.direct}/dashboard#/tasks/${id}`);
    await expect(page.locator("main")).toContainText("There is no such task");
    await page.getByRole("link", { name: "All tasks" }).click();
    await expect(page.locator(".tbody [role=row]").first()).toBeVisible();
  });
}

test("an address that cannot be decoded does not break the page", async ({ page, server, watch }) => {
  watch.expect(answered(404), answered(400));
  await page.goto(`${server.direct}/dashboard#/tasks/%E0%A4%A`);
  await expect(page.locator("main")).toContainText(/There is no such/);
  await page.getByRole("link", { name: "Functions" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Functions");
});

test("a page that is not there says so", async ({ page, server }) => {
  await page.goto(`${server.direct}/dashboard#/nowhere`);
  await expect(page.locator("main")).toContainText("There is no such page");
});
