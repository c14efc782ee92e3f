import { expect, test } from "vitest";
import { ago, axis, clock, full, stamp } from "./time";

const now = Date.UTC(2026, 10, 24, 14, 0, 0);

test.each([
  ["2026-11-24T09:08:07Z", "09:08:07"],
  ["2026-11-23T23:59:00Z", "23 Nov 23:59"],
  ["2025-12-31T23:59:00Z", "2025-12-31"],
  ["nonsense", "nonsense"],
])("stamp of %s", (iso, want) => expect(stamp(iso, true, now)).toBe(want));

test.each([
  ["2026-11-24T14:00:00Z", "just now"],
  ["2026-11-24T13:59:48Z", "12 s ago"],
  ["2026-11-24T12:00:00Z", "2 h ago"],
  ["2026-11-24T14:05:00Z", "in 5 min"],
])("%s is %s", (iso, want) => expect(ago(iso, now)).toBe(want));

test("full names the zone, clock has milliseconds, axis fits its step", () => {
  expect(full("2026-11-24T09:08:07.006Z", true)).toBe("2026-11-24 09:08:07.006 UTC");
  expect(clock(now + 6, true)).toBe("14:00:00.006");
  expect(axis(now / 1000, 600, true)).toBe("14:00");
  expect(axis(Date.UTC(2026, 10, 24) / 1000, 21600, true)).toBe("24 Nov");
});
