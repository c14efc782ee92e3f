// What the tests share: a server for each, and a watch over the page that fails a test when anything is wrong that it did not expect.

import { test as base, expect, type Page } from "@playwright/test";
import { type Options, Server } from "./server";

export { expect };

// Watch notes what must not happen on a page.
export class Watch {
  readonly wrong: string[] = [];
  private expected: RegExp[] = [];
  private over = false;

  constructor(page: Page) {
    page.on("console", (m) => {
      if (m.type() === "error" || m.type() === "warning") this.note(`${m.type()}: ${m.text()} (${m.location().url})`);
    });
    page.on("pageerror", (e) => this.note(`error: ${e.stack ?? e.message}`));
    page.on("dialog", (d) => {
      this.note(`dialog: ${d.message()}`);
      void d.dismiss();
    });
    page.on("crash", () => this.note("the page has crashed"));
  }

  private note(text: string): void {
    if (!this.over) this.wrong.push(text);
  }

  // end is called before the server ends: what the page then says of it is nobody's fault.
  end(): void {
    this.over = true;
  }

  // expect lets messages of that kind pass: those that browsers write of answers which a test provokes.
  expect(...patterns: RegExp[]): void {
    this.expected.push(...patterns);
  }

  get unexpected(): string[] {
    return this.wrong.filter((text) => !this.expected.some((p) => p.test(text)));
  }
}

// answered is what Chromium writes to the console when a request is answered with a status.
export const answered = (status: number): RegExp => new RegExp(`the server responded with a status of ${status}`);
export const unanswered = /net::ERR_/;

interface Fixtures {
  options: Options;
  server: Server;
  watch: Watch;
  open: (to: string, at?: string) => Promise<void>; // shows a screen, and waits until it is live
}

export const test = base.extend<Fixtures>({
  options: [{}, { option: true }],
  server: async ({ options, watch }, use) => {
    const server = await Server.start(options);
    await use(server);
    watch.end();
    await server.end();
  },
  watch: [
    async ({ page }, use) => {
      // a policy that is violated, and what a hostile text would call
      await page.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (e) =>
          console.error(`policy violated: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`),
        );
        Object.assign(window, { pwned: () => console.error("a text of a task has run as script") });
      });
      const watch = new Watch(page);
      await use(watch);
      expect(watch.unexpected, "what the page complained of").toEqual([]);
    },
    { auto: true },
  ],
  open: async ({ page, server }, use) => {
    await use(async (to, at = server.direct) => {
      await page.goto(`${at}/dashboard#${to}`);
      await ready(page);
    });
  },
});

// ready waits until a screen shows what it has to show, and the page is live.
export async function ready(page: Page): Promise<void> {
  await expect(page.locator(".live")).toHaveAttribute("data-state", "live");
  await expect(page.locator("main h1")).toBeVisible();
  await expect(page.locator("main .waiting")).toHaveCount(0);
}

export const row = (page: Page, id: string) => page.locator(`.tbody [data-id="${id}"]`);

export async function signIn(page: Page, user: string, password: string): Promise<void> {
  await page.getByLabel("User name").fill(user);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

// screens are all of them; tasks of the past are on each.
export const screens: [name: string, to: string][] = [
  ["overview", "/"],
  ["tasks", "/tasks"],
  ["failures", "/failures"],
  ["functions", "/functions"],
  ["schedules", "/schedules"],
  ["instances", "/instances"],
  ["audit", "/audit"],
];
