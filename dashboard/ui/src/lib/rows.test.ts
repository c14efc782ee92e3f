import { expect, test } from "vitest";
import type { Task } from "../api/types";
import { maxRows, Rows, settledRows } from "./rows";
import { task } from "./testtask";

const at = (n: number, some: Partial<Task> = {}) => task({ task_id: `id-${String(n).padStart(5, "0")}`, ...some });
const ids = (r: Rows) => r.list.map((t) => Number(t.task_id.slice(3)));

function filled(...numbers: number[]): Rows {
  const r = new Rows();
  r.loading();
  r.replace(
    numbers.map((n) => at(n)),
    "",
  );
  return r;
}

test("new tasks take their places when nobody reads", () => {
  const r = filled(5, 3);
  r.apply(at(9), true);
  r.apply(at(4), true);
  r.settle(true);
  expect([ids(r), r.fresh]).toEqual([[9, 5, 4, 3], 0]);
});

test("until then they wait, and rows stay where they are", () => {
  const r = filled(5, 3);
  r.apply(at(9), true);
  r.apply(at(9, { status: "running" }), true);
  r.apply(at(3, { status: "success" }), false);
  expect([ids(r), r.fresh, [...r.gone]]).toEqual([[5, 3], 1, ["id-00003"]]);
  r.settle(true);
  expect([ids(r), r.fresh, r.list[0]?.status]).toEqual([[9, 5], 0, "running"]);
});

test("a new task that soon matches no more is not shown", () => {
  const r = filled(5);
  r.apply(at(9), true);
  r.apply(at(9, { status: "success" }), false);
  r.settle(true);
  expect(ids(r)).toEqual([5]);
});

test("what has ended does not go on, be it a row or waiting", () => {
  const r = filled(5);
  for (const n of [5, 9]) {
    r.apply(at(n, { status: "failed" }), true);
    r.apply(at(n, { status: "running" }), true);
  }
  r.settle(true);
  expect(r.list.map((t) => t.status)).toEqual(["failed", "failed"]);
});

test("changes that overtake their page win over it, and those it did not know are added", () => {
  const r = filled(5);
  r.loading();
  r.apply(at(7, { status: "success" }), true);
  r.apply(at(8), true);
  r.apply(at(5, { status: "success" }), false);
  r.replace([at(7, { status: "running" }), at(5)], "");
  r.settle(true);
  expect([ids(r), r.list[1]?.status]).toEqual([[8, 7], "success"]);
});

test("what belongs to a page that is not loaded is left to it", () => {
  const r = filled(5, 3);
  r.next = "id-00003";
  r.apply(at(2), true);
  r.settle(true);
  expect(ids(r)).toEqual([5, 3]);
  r.loading();
  r.append([at(3), at(2)], "");
  expect(ids(r)).toEqual([5, 3, 2]);
});

test("in another order new tasks are counted only", () => {
  const r = filled(3, 5);
  r.apply(at(9), true);
  r.apply(at(5, { status: "success" }), false);
  r.settle(false);
  expect([ids(r), r.fresh]).toEqual([[3], 1]);
});

test("what only the server can tell makes the list stale", () => {
  const r = filled(3);
  r.apply(at(9), null);
  expect([ids(r), r.stale]).toEqual([[3], true]);
});

test("the window is bounded", () => {
  const r = filled(...Array.from({ length: maxRows - 1 }, (_, i) => maxRows + 10 - i));
  r.next = "id-00012";
  r.append([at(11), at(10)], "id-00010");
  expect([r.list.length > maxRows - 1, r.next]).toEqual([true, ""]);
  r.apply(at(maxRows + 11), true);
  r.settle(true);
  expect([r.list.length, r.next]).toEqual([settledRows, r.list.at(-1)?.task_id]);
});

test("progress of a running task is shown, of others not", () => {
  const r = filled(5);
  const progress = {
    done: 1,
    total: 2,
    unit: "rows",
    message: "",
    updated_at: "",
    rate_per_second: 1,
    remaining_seconds: 1,
  };
  expect([r.progress("id-00005", progress), r.list[0]?.progress?.done]).toEqual([true, 1]);
  expect(r.progress("id-00009", progress)).toBe(false);
});

test("an action that was refused is taken back", () => {
  const r = filled(5);
  r.apply(at(5, { status: "cancelled" }), true);
  r.apply(at(5), true, true);
  expect(r.list[0]?.status).toBe("pending");
});

test("progress that is told while a page is on its way is not lost, nor that of a row that waits", () => {
  const report = { ...task().progress, done: 30, total: 120 } as NonNullable<Task["progress"]>;
  const r = filled(5);
  r.apply(at(9, { status: "running", attempts: 1 }), true);
  r.progress("id-00009", report);
  r.settle(true);
  expect(r.list[0]?.progress?.done).toBe(30);

  r.loading(); // the page was made before the report
  r.apply(at(9, { status: "running", attempts: 1 }), true);
  r.progress("id-00009", report);
  r.replace([at(9, { status: "running", attempts: 1 }), at(5)], "");
  expect(r.list[0]?.progress?.done).toBe(30);

  r.loading(); // the page knows what the stream had not told yet
  r.apply(at(9, { status: "running", attempts: 1 }), true);
  r.replace([at(9, { status: "running", attempts: 1, progress: report }), at(5)], "");
  expect(r.list[0]?.progress?.done).toBe(30);

  r.apply(at(9, { status: "running", attempts: 2 }), true); // another attempt begins anew
  expect(r.list[0]?.progress).toBeUndefined();
});
