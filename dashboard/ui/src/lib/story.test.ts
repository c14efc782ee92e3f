import { expect, test } from "vitest";
import { story } from "./story";
import { task } from "./testtask";

const now = Date.parse("2026-01-31T12:00:00Z");

test("attempts with their waits", () => {
  const { steps, spans } = story(
    task({
      status: "failed",
      error: "refused\nand more",
      attempts: 2,
      max_retries: 1,
      end_time: "2026-01-31T11:59:09Z",
      attempts_log: [
        {
          attempt: 1,
          started_at: "2026-01-31T11:59:01Z",
          ended_at: "2026-01-31T11:59:02Z",
          error: "busy",
          wait_seconds: 1,
        },
        {
          attempt: 2,
          started_at: "2026-01-31T11:59:07Z",
          ended_at: "2026-01-31T11:59:09Z",
          error: "refused",
          wait_seconds: 5,
        },
      ],
    }),
    now,
  );
  expect(steps.map((s) => s.title)).toEqual([
    "Added",
    "Attempt 1 of 2 failed after 1 s",
    "Attempt 2 of 2 failed after 2 s",
    "Failed after 2 attempts",
  ]);
  expect(steps[2]?.detail).toBe("after waiting 5 s: refused");
  expect(spans.map((s) => [s.kind, s.to - s.from])).toEqual([
    ["wait", 1],
    ["bad", 1],
    ["wait", 5],
    ["bad", 2],
  ]);
});

test.each([
  [task(), "Waiting to start", "for 1 min"],
  [task({ run_at: "2026-01-31T12:00:30Z", attempts: 1 }), "Waiting for attempt 2", "due in 30 s"],
  [task({ status: "running", start_time: "2026-01-31T11:59:50Z" }), "Running now", "for 10 s"],
  [task({ status: "interrupted" }), "Interrupted", "its process ended while it ran"],
  [task({ status: "cancelled", error: "by ada" }), "Cancelled", "by ada"],
])("the last step of %#", (t, title, detail) => {
  expect(story(t, now).steps.at(-1)).toMatchObject({ title, detail });
});

test("a task that knows no attempts has one span, and says where it leads", () => {
  const { steps, spans } = story(
    task({
      status: "success",
      start_time: "2026-01-31T11:59:02Z",
      end_time: "2026-01-31T11:59:05Z",
      duration: 3,
      retry_of: "a",
      retried_by: "b",
    }),
    now,
  );
  expect(spans.map((s) => s.label)).toEqual(["waited 2 s", "ran 3 s"]);
  expect(steps.map((s) => s.task)).toEqual(["a", undefined, undefined, "b"]);
});

test("an attempt that was cancelled did not fail; those before it did", () => {
  const { steps, spans } = story(
    task({
      status: "cancelled",
      error: "task cancelled",
      attempts: 2,
      max_retries: 2,
      end_time: "2026-01-31T11:59:10Z",
      attempts_log: [
        {
          attempt: 1,
          started_at: "2026-01-31T11:59:00Z",
          ended_at: "2026-01-31T11:59:01Z",
          error: "busy",
          wait_seconds: 0,
        },
        {
          attempt: 2,
          started_at: "2026-01-31T11:59:05Z",
          ended_at: "2026-01-31T11:59:10Z",
          error: "task cancelled",
          wait_seconds: 4,
        },
      ],
    }),
    now,
  );
  expect(steps.map((s) => s.title)).toEqual([
    "Added",
    "Attempt 1 of 3 failed after 1 s",
    "Attempt 2 of 3 was cancelled after 5 s",
    "Cancelled",
  ]);
  expect(spans.map((s) => s.kind)).toEqual(["bad", "wait", "cancelled"]);
  const between = story(
    task({
      status: "cancelled",
      attempts: 1,
      max_retries: 2,
      end_time: "2026-01-31T11:59:03Z",
      attempts_log: [
        {
          attempt: 1,
          started_at: "2026-01-31T11:59:00Z",
          ended_at: "2026-01-31T11:59:01Z",
          error: "busy",
          wait_seconds: 0,
        },
      ],
    }),
    now,
  );
  expect(between.steps[1]?.title).toBe("Attempt 1 of 3 failed after 1 s");
});

test("an attempt that went down with its process ended before the next one began, or before the task did", () => {
  const { steps, spans } = story(
    task({
      status: "interrupted",
      start_time: "2026-01-31T11:59:01Z",
      end_time: "2026-01-31T11:59:20Z",
      attempts: 2,
      attempts_log: [
        { attempt: 1, started_at: "2026-01-31T11:59:01Z", wait_seconds: 1 },
        { attempt: 2, started_at: "2026-01-31T11:59:11Z", wait_seconds: 0, error: "the process ended while it ran" },
      ],
    }),
    Date.parse("2026-01-31T13:00:00Z"),
  );
  expect(spans.map((s) => [s.kind, s.to - s.from])).toEqual([
    ["wait", 1],
    ["bad", 10],
    ["bad", 9],
  ]);
  expect(steps[1]?.title).toBe("Attempt 1 ended with its process, at most 10 s later");
});
