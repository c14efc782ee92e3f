import { expect, test } from "vitest";
import type { Series } from "../api/types";
import { add, level, marks, newest, nice, rate, sum, whole } from "./series";

test("gaps stay gaps", () => {
  expect(rate([60, null, 0], 120)).toEqual([30, null, 0]);
  expect(add([1, null, null], [2, 3, null])).toEqual([3, 3, null]);
  expect([sum([1, null, 2]), newest([1, 5, null]), newest([null])]).toEqual([3, 5, null]);
});

test("a step that is under way is left out of rates", () => {
  expect(whole([5, 6, 1], [0, 60, 120], 60, 130_000)).toEqual([5, 6, null]);
  expect(whole([5, 6, 1], [0, 60, 120], 60, 180_000)).toEqual([5, 6, 1]);
  expect(whole([null, null, 1], [0, 60, 120], 60, 130_000)).toEqual([null, null, 1]);
});

test("starts that come together are one mark, and a new version is named", () => {
  const mark = (at: number, version: string) => ({
    time: new Date(at * 1000).toISOString(),
    kind: "start" as const,
    instance_id: "i",
    host: "h",
    version,
  });
  const s = {
    step_seconds: 60,
    marks: [mark(0, "v1"), mark(10, "v1"), mark(600, "v2"), mark(610, "v2")],
  } as unknown as Series;
  expect(marks(s)).toEqual([
    { at: 0, kind: "start", label: "start" },
    { at: 600, kind: "start", label: "v2" },
  ]);
});

test.each([
  [0, 1],
  [0.3, 0.3],
  [7, 8],
  [12, 15],
  [21, 25],
  [250, 250],
])("a scale up to %s ends at %s", (n, want) => expect(nice(n)).toBeCloseTo(want));

test.each([
  [null, null, -1],
  [0, 10, 0],
  [1, 100, 1],
  [10, 100, 2],
  [50, 100, 3],
  [9, 9, 4],
])("%s of %s failed is level %s", (failed, total, want) => expect(level(failed, total)).toBe(want));
