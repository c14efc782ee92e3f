// The story of a task: what happened to it, in order, and how the time went by between.

import { isLive, type Task } from "../api/types";
import { duration, firstLine, plural } from "./format";

export interface Step {
  at: number | null; // Unix seconds
  kind: "added" | "attempt" | "failed" | "waiting" | "running" | "success" | "interrupted" | "cancelled" | "retried";
  title: string;
  detail: string;
  task?: string; // id of another task that it leads to
}

// Span is a part of the bar above the story.
export interface Span {
  kind: "wait" | "run" | "bad" | "good" | "cancelled";
  from: number;
  to: number;
  label: string;
}

const seconds = (iso: string): number => Date.parse(iso) / 1000;

// story tells a task's steps and spans up to now (Unix milliseconds).
export function story(t: Task, now: number): { steps: Step[]; spans: Span[] } {
  const steps: Step[] = [added(t)];
  const spans: Span[] = [];
  let from = seconds(t.created_at);
  const known = t.attempts_log ?? [];
  if (known.length > 0) {
    for (const [i, a] of known.entries()) {
      const started = seconds(a.started_at);
      // One that is over and has no end went down with its process: it ended before the next began, or before the task did.
      const died = !a.ended_at && (i < known.length - 1 || t.status !== "running");
      const ended = seconds(
        a.ended_at ?? (died ? (known[i + 1]?.started_at ?? t.end_time) : null) ?? new Date(now).toISOString(),
      );
      wait(spans, from, started);
      const of = t.max_retries > 0 ? ` ${a.attempt} of ${Math.max(t.max_retries + 1, t.attempts)}` : ` ${a.attempt}`;
      const waited = `after waiting ${duration(a.wait_seconds ?? 0)}`;
      // one that was cancelled ends with its task; a task that was cancelled between two attempts ends later than the first of them
      const cut = t.status === "cancelled" && !!a.ended_at && !!t.end_time && seconds(t.end_time) - ended < 0.1;
      if (cut && i === known.length - 1) {
        const title = `Attempt${of} was cancelled after ${duration(ended - started)}`;
        spans.push({ kind: "cancelled", from: started, to: ended, label: title.toLowerCase() });
        steps.push({ at: started, kind: "cancelled", title, detail: waited });
      } else if (a.error || died) {
        const how = died ? "ended with its process, at most" : "failed after";
        spans.push({
          kind: "bad",
          from: started,
          to: ended,
          label: `attempt ${a.attempt} ${how} ${duration(ended - started)}${died ? " later" : ""}`,
        });
        steps.push({
          at: started,
          kind: "failed",
          title: `Attempt${of} ${how} ${duration(ended - started)}${died ? " later" : ""}`,
          detail: a.error ? `${waited}: ${firstLine(a.error)}` : waited,
        });
      } else {
        const done = !!a.ended_at;
        spans.push({
          kind: done ? "good" : "run",
          from: started,
          to: ended,
          label: `attempt ${a.attempt}, ${duration(ended - started)}`,
        });
        steps.push({
          at: started,
          kind: "attempt",
          title: done ? `Attempt${of} ran ${duration(ended - started)}` : `Attempt${of} runs`,
          detail: waited,
        });
      }
      from = ended;
    }
  } else if (t.start_time) {
    const started = seconds(t.start_time);
    const ended = t.end_time ? seconds(t.end_time) : now / 1000;
    wait(spans, from, started);
    const kind =
      t.status === "success"
        ? "good"
        : t.status === "failed" || t.status === "interrupted"
          ? "bad"
          : t.status === "cancelled"
            ? "cancelled"
            : "run";
    spans.push({
      kind,
      from: started,
      to: ended,
      label: `${isLive(t.status) ? "running for" : "ran"} ${duration(ended - started)}`,
    });
    const tries = t.attempts > 1 ? `, ${plural(t.attempts, "attempt")} so far` : "";
    steps.push({
      at: started,
      kind: "attempt",
      title: "Started",
      detail: `after waiting ${duration(Math.max(0, started - from))}${isLive(t.status) ? tries : ""}`,
    });
    from = ended;
  }
  const end = last(t, now);
  if (isLive(t.status) && t.status === "pending") wait(spans, from, now / 1000);
  if (end) steps.push(end);
  if (t.retried_by)
    steps.push({ at: null, kind: "retried", title: "Replayed as a new task", detail: "", task: t.retried_by });
  return { steps, spans };
}

function wait(spans: Span[], from: number, to: number): void {
  if (to > from) spans.push({ kind: "wait", from, to, label: `waited ${duration(to - from)}` });
}

function added(t: Task): Step {
  const at = seconds(t.created_at);
  if (t.retry_of) return { at, kind: "added", title: "Added as a replay of", detail: "", task: t.retry_of };
  if (t.parent_id) return { at, kind: "added", title: "Added by another task", detail: "", task: t.parent_id };
  if (t.source === "scheduled") return { at, kind: "added", title: "Added by its schedule", detail: "" };
  return {
    at,
    kind: "added",
    title: "Added",
    detail: t.closure ? "by a handler, as a plain function" : "by a handler",
  };
}

function last(t: Task, now: number): Step | null {
  const at = t.end_time ? seconds(t.end_time) : null;
  const tries = t.attempts > 1 ? ` after ${plural(t.attempts, "attempt")}` : "";
  switch (t.status) {
    case "success":
      return {
        at,
        kind: "success",
        title: `Succeeded${tries}`,
        detail: t.duration != null ? `${duration(t.duration)} from first start to end` : "",
      };
    case "failed":
      return { at, kind: "failed", title: `Failed${tries}`, detail: firstLine(t.error) };
    case "interrupted":
      return {
        at,
        kind: "interrupted",
        title: "Interrupted",
        detail: firstLine(t.error) || "its process ended while it ran",
      };
    case "cancelled":
      return { at, kind: "cancelled", title: "Cancelled", detail: firstLine(t.error) };
    case "running":
      return {
        at: null,
        kind: "running",
        title: "Running now",
        detail: t.start_time ? `for ${duration(Math.max(0, now / 1000 - seconds(t.start_time)))}` : "",
      };
    case "pending": {
      const due = t.run_at ? seconds(t.run_at) - now / 1000 : 0;
      const what = t.attempts > 0 ? `for attempt ${t.attempts + 1}` : "to start";
      return {
        at: null,
        kind: "waiting",
        title: `Waiting ${what}`,
        detail:
          due > 0 ? `due in ${duration(due)}` : `for ${duration(Math.max(0, now / 1000 - seconds(t.created_at)))}`,
      };
    }
  }
}
