import { expect, test } from "vitest";
import { windowOf } from "./failures";

const now = Date.parse("2026-01-31T12:00:00Z");

test.each([
  ["2026-01-31T11:59:59Z", "24h"],
  ["2026-01-30T12:00:30Z", "7d"], // it would be gone when the reader gets there
  ["2026-01-25T12:00:00Z", "7d"],
  ["2026-01-02T12:00:00Z", "30d"],
  ["2025-12-31T12:00:00Z", ""],
])("a task of %s is found in %s", (added, want) => expect(windowOf(added, now)).toBe(want));
