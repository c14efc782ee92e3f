import { expect, test } from "vitest";
import { about, bytes, compact, duration, firstLine, percent, plural, rough } from "./format";

test.each([
  [null, ""],
  [0, "<1 ms"],
  [0.0002, "<1 ms"],
  [0.085, "85 ms"],
  [0.9996, "1 s"],
  [1.236, "1.24 s"],
  [12.34, "12.3 s"],
  [59.97, "1 min"],
  [185, "3 min 5 s"],
  [7800, "2 h 10 min"],
  [86400 * 3 + 3600 * 4, "3 d 4 h"],
  [-2, "−2 s"],
])("duration of %s seconds is %s", (s, want) => expect(duration(s)).toBe(want));

test.each([
  [undefined, ""],
  [0.0004, "<1 ms"],
  [0.213, "210 ms"],
  [1.418, "1.4 s"],
  [37.62, "38 s"],
  [185, "3 min 5 s"],
])("an estimate of %s seconds is %s", (s, want) => expect(about(s)).toBe(want));

test.each([
  [0, "0"],
  [0.25, "0.3"],
  [950, "950"],
  [1200, "1.2k"],
  [34567, "34k"],
  [5_600_000, "5.6M"],
])("compact %s is %s", (n, want) => expect(compact(n)).toBe(want));

test.each([
  [0, 10, "0 %"],
  [1, 3, "33 %"],
  [1, 5000, "<0.1 %"],
  [4999, 5000, ">99.9 %"],
  [5, 5, "100 %"],
  [1, 0, ""],
])("%s of %s is %s", (part, of, want) => expect(percent(part, of)).toBe(want));

test("sizes, ages, plurals", () => {
  expect([bytes(12), bytes(2048), bytes(10 << 20)]).toEqual(["12 B", "2.0 KiB", "10.0 MiB"]);
  expect([rough(-3), rough(59), rough(61), rough(7200), rough(200_000)]).toEqual([
    "0 s",
    "59 s",
    "1 min",
    "2 h",
    "2 d",
  ]);
  expect([plural(1, "task"), plural(1234, "task"), plural(2, "entry", "entries")]).toEqual([
    "1 task",
    "1,234 tasks",
    "2 entries",
  ]);
  expect([firstLine("a\nb"), firstLine(null)]).toEqual(["a", ""]);
});
