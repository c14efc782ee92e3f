import { expect, test } from "vitest";
import { atLeast, parse, unseen } from "./log";

const lines = parse([
  "2026-01-31T12:00:00.001Z INFO connecting to=a",
  "--- Retry 1 ---",
  "2026-01-31T12:00:01.000Z ERROR no answer",
  "\tat line 3",
  "2026-01-31T12:00:02.000Z DEBUG+2 quiet",
  "--- 7 lines dropped ---",
  "\u001b[31mred\u001b[0m <script>",
]);

test("time, level, text and attempt are told apart", () => {
  expect(lines[0]).toEqual({
    at: Date.UTC(2026, 0, 31, 12, 0, 0, 1),
    level: "INFO",
    text: "connecting to=a",
    mark: false,
    attempt: 1,
  });
  expect(lines[1]).toEqual({ at: null, level: null, text: "Attempt 2", mark: true, attempt: 2 });
  expect(lines[2]?.attempt).toBe(2);
  expect(lines[4]?.level).toBe("DEBUG");
  expect(lines[5]).toMatchObject({ text: "7 lines are not kept", mark: true });
  expect(lines[6]).toMatchObject({ text: "red <script>", level: null });
});

test("a level keeps marks, and lines that go on", () => {
  expect(atLeast(lines, "WARN").map((l) => l.text)).toEqual([
    "Attempt 2",
    "no answer",
    "\tat line 3",
    "7 lines are not kept",
  ]);
  expect(atLeast(lines, "DEBUG")).toBe(lines);
});

test.each([
  [["a", "b"], ["c"], ["c"]],
  [["a", "b"], ["b", "c"], ["c"]],
  [["a", "b"], ["a", "b"], []],
  [
    ["a", "b"],
    ["a", "c"],
    ["a", "c"],
  ],
  [[], ["a"], ["a"]],
])("after %j, of %j are new %j", (seen, fresh, want) => expect(unseen(seen, fresh)).toEqual(want));
