// The names under which the page knows what the API answers.

import type { components } from "./schema.gen";
import type { FunctionSoon, TaskSoon } from "./soon";

type Schemas = components["schemas"];

export type Status = Schemas["Status"];
export type Task = Schemas["Task"] & TaskSoon;
export type Func = Schemas["Function"] & FunctionSoon;
export type Instance = Schemas["Instance"];
export type AuditEntry = Schemas["AuditEntry"];
export type Metrics = Schemas["Metrics"];
export type Problem = Schemas["Problem"];
export type {
  Attempt,
  Bulk,
  BulkFilter,
  FailureGroup,
  Failures,
  Family,
  FunctionStats,
  Heatmap,
  Mark,
  Me,
  Operation,
  Preview,
  Progress,
  Run,
  Schedule,
  Series,
  Trouble,
  Why,
} from "./soon";

export const statuses: Status[] = ["pending", "running", "success", "failed", "interrupted", "cancelled"];

export const isLive = (s: Status): boolean => s === "pending" || s === "running";
export const isRetryable = (t: Task): boolean =>
  !t.closure && ["failed", "interrupted", "cancelled"].includes(t.status);
