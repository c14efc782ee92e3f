import { expect, test } from "vitest";
import { addTask, defineTask } from "./teach";

test.each([
  ["gin", "adapters/gin", "tasks.Add(c, "],
  ["fiber", "adapters/fiber", "return c.SendStatus(202)"],
  ["chi", "adapters/chi", "tasks.Add(r, "],
  ["net/http", "adapters/nethttp", "POST /signup"],
  ["", "adapters/nethttp", "tasks.Add(r, "],
  ["constructor", "adapters/nethttp", "tasks.Add(r, "],
])("code for %j", (framework, path, call) => {
  expect(addTask(framework)).toContain(path);
  expect(addTask(framework) + defineTask(framework)).toContain(call);
  expect(addTask(framework)).not.toContain("CTX");
});
