// Whatever tasks, users and programs write into names, errors, tags, logs, results: it is text. The watch over every page fails a test when a
// dialog opens, a script runs (all of these call pwned) or the content security policy has to stop something.

import { answered, expect, ready, row, signIn, test } from "./base";
import { users } from "./server";

const texts = [
  `<script>pwned()</script>`,
  `<img src=x onerror=pwned()>`,
  `"><svg/onload=pwned()>`,
  `' onmouseover='pwned()`,
  `javascript:pwned()`,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what is hostile about it
  "`${pwned()}` {{pwned()}} <%= pwned() %>",
  `</title></textarea></script><script>pwned()</script>`,
  `\u202Egnp.exe\u202C שלום ﷽`,
  `👩‍👩‍👧‍👦${"\u0301".repeat(50)} z̷a̷l̷g̷o̷`,
];
const names = [
  `<script>pwned()</script>`,
  `<img src=x onerror=pwned()>`,
  `"><svg onload=pwned()>`,
  `javascript:pwned()`,
  '\'"`\\{{constructor.constructor("pwned()")()}}',
  `שלום עולם`,
  `عربى/../..%2f?a=b&c#d`,
  `👩🚀 𝒯𝒶𝓈𝓀`,
  "w".repeat(200),
];

test.use({ options: { hostile: true, title: `<img src=x onerror=pwned()> & "co"` } });

test("in every field, on every screen", async ({ page, server, open }) => {
  const ids: string[] = [];
  for (const [i, task] of names.entries()) {
    const text = texts[i] as string;
    const id = await server.add({
      task,
      key: text,
      tags: Object.fromEntries(texts.map((t, n) => [`${t}${n}`, t])),
      args: {
        lines: texts,
        result: { [text]: texts },
        note: text,
        ...(i % 2 ? { panic: text } : { fail: `${text}\n${text}` }),
      },
    });
    ids.push(id);
    await server.until(id, "failed");
  }
  const held = await server.add({ task: names[0], args: { gate: "a" } });
  await server.until(held, "running");
  await server.tell("a", { progress: { done: 1, total: 3, unit: texts[1] as string, message: texts[0] as string } });
  const waiting = await server.add({ task: names[1], delay: 3600 });

  await open("/");
  await expect(page.locator("main")).toContainText(texts[0] as string);
  await expect(page).toHaveTitle(`<img src=x onerror=pwned()> & "co"`);
  await open("/tasks?cols=note,tags,attempts,id,pool,source,owner");
  for (const [i, id] of ids.entries()) {
    await expect(row(page, id).locator(".c-name")).toHaveText(names[i] as string);
    await expect(row(page, id).locator(".tag").first()).toBeVisible();
  }
  await row(page, ids[0] as string)
    .locator(".tag")
    .nth(1)
    .click(); // the filter takes it as it is
  await expect(page.locator(".pill").first()).toBeVisible();
  await expect(page.locator(".tbody [role=row]")).toHaveCount(names.length);
  for (const to of ["/failures", "/functions", "/instances", "/audit"]) await open(to);
  await open("/failures");
  await page.locator(".group-head").first().click();
  await expect(page.locator(".group-more")).toBeVisible();
  for (const [i, id] of ids.entries()) {
    await open(`/tasks/${id}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(names[i] as string);
    await expect(page.locator(".code.bad")).toContainText(texts[i] as string);
    if (i > 1) continue;
    await page.getByRole("button", { name: "Show them" }).click();
    await expect(page.locator(".task-side .code")).toBeVisible();
    await expect(page.getByRole("log").getByText(texts[0] as string, { exact: true })).toBeVisible();
    await page.locator(".tags-list a").first().click();
    await ready(page);
    await expect(page.locator(".tbody [role=row]")).toHaveCount(names.length);
  }
  await open(`/tasks/${held}`);
  await expect(page.locator(".progress-big")).toContainText(texts[0] as string);
  await open(`/tasks/${waiting}`);
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.locator(".toast")).toContainText(names[1] as string);
  expect(await page.locator("img, iframe, object, main script").count()).toBe(0);
});

test("in addresses and searches", async ({ page, open, server, watch }) => {
  watch.expect(answered(404), answered(400));
  await server.add({ task: "send_email" });
  for (const text of texts) {
    const q = encodeURIComponent(text);
    await page.goto(
      `${server.direct}/dashboard#/tasks?q=${q}&func_name=${q}&tag=${q}:${q}&status=${q}&since=${q}&instance=${q}&failure_group=${q}&sort=${q}&cols=${q}`,
    );
    await ready(page);
    await page.goto(`${server.direct}/dashboard#/failures?q=${q}&func_name=${q}&open=${q}`);
    await ready(page);
    await page.goto(`${server.direct}/dashboard#/tasks/${q}`);
    await expect(page.locator("main")).toContainText("There is no such task");
    await page.goto(`${server.direct}/dashboard#/${q}`);
    await expect(page.locator("main")).toContainText("There is no such page");
  }
  await open("/");
});

test.describe("of users", () => {
  test.use({ options: { users: true } });
  test("in names of those who fail to log in", async ({ page, server, open, watch }) => {
    watch.expect(answered(401));
    await page.goto(`${server.direct}/dashboard`);
    await signIn(page, `<img src=x onerror=pwned()>`, "wrong password");
    await expect(page.getByRole("alert")).toBeVisible();
    await signIn(page, "ada", users.ada);
    await ready(page);
    await open("/audit");
    await expect(page.locator("tbody tr").filter({ hasText: "login failed" })).toContainText(
      "<img src=x onerror=pwned()>",
    );
  });
});

test.describe("much of everything", () => {
  test.use({ options: {} });

  test("a log at its limits is shown in a moment, and only what is in sight is in the document", async ({
    page,
    server,
    open,
  }) => {
    const id = await server.add({ task: "import_orders", args: { bulk: 5000 } });
    await server.until(id, "success");
    await open(`/tasks/${id}`);
    await expect(page.locator(".logview h2")).toContainText("lines");
    expect(await page.locator(".log .line").count()).toBeLessThan(150);
    await page.setViewportSize({ width: 1440, height: 1200 });
    await page.getByRole("log").focus();
    await expect(async () => {
      await page.keyboard.press("End"); // the height is not known before the lines have been in sight
      await expect(page.getByRole("log").locator(".line").last()).toContainText("number=4999", { timeout: 500 });
    }).toPass({ timeout: 10_000 });
  });

  test("thousands of tags over the list are no trouble", async ({ page, server, open }) => {
    for (let i = 0; i < 32; i++) {
      const tags = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`key-${i}-${n}`, "v".repeat(190)]));
      await server.add({ task: "send_email", tags });
    }
    await open("/tasks");
    await expect(page.locator(".tbody [role=row]").first()).toContainText("+29");
    const box = await page.locator(".tbody [role=row]").first().boundingBox();
    expect(box?.height).toBeLessThan(40);
    await page.locator(".tbody [role=row] a").first().click();
    await expect(page.locator("#h-tags")).toContainText("32");
    await page.getByLabel("Find a tag").fill("key-31-7");
    await expect(page.locator(".tags-list dt")).toHaveCount(1);
  });
});
