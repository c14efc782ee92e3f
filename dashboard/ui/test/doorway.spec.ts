// The mount itself leads to the page, wherever the browser sees it: a proxy here has another name for it, and tells nobody.

import { expect, ready, signIn, test } from "./base";
import { users } from "./server";

for (const slash of ["", "/"]) {
  test(`the address without the page's name, ${slash ? "with" : "without"} a slash at its end`, async ({
    page,
    server,
  }) => {
    for (const base of [server.direct, server.proxy]) {
      await page.goto(`${base}${slash}#/failures`);
      await ready(page);
      expect(page.url()).toBe(`${base}/dashboard#/failures`);
    }
  });
}

test.describe("with users", () => {
  test.use({ options: { users: true } });

  test("it leads to the login, and back", async ({ page, server }) => {
    await page.goto(server.proxy);
    await signIn(page, "ada", users.ada);
    await ready(page);
    expect(page.url()).toMatch(`${server.proxy}/dashboard`);
  });
});
