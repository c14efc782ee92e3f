import { expect, test } from "vitest";
import { curl, loginCurl, quote } from "./curl";

test("a command is one a shell reads as meant", () => {
  expect(quote("it's $HOME")).toBe(`'it'\\''s $HOME'`);
  expect(curl("https://x.example/app/tasks", "id-1", "GET", false)).toBe("curl 'https://x.example/app/tasks/id-1'");
  expect(curl("https://x.example/tasks/", "id-1/retry", "POST", true)).toBe(
    "curl -X POST -b cookies.txt 'https://x.example/tasks/id-1/retry'",
  );
  expect(loginCurl("http://localhost/tasks", "o'hara")).toContain(`'username=o'\\''hara'`);
});
