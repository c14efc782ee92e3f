// The names under which the page knows what the API answers.

import type { components } from "./schema.gen";
import type { TaskSoon } from "./soon";

type Schemas = components["schemas"];

export type Status = Schemas["Status"];
export type Task = Schemas["Task"] & TaskSoon;
export type Func = Schemas["Function"];
export type Instance = Schemas["Instance"];
export type AuditEntry = Schemas["AuditEntry"];
export type Metrics = Schemas["Metrics"];
export type Problem = Schemas["Problem"];
export type Series = Schemas["Series"];
export type Heatmap = Schemas["Heatmap"];
export type Mark = Series["marks"][number];
export type {
  Attempt,
  Bulk,
  BulkFilter,
  FailureGroup,
  Failures,
  Family,
  Me,
  Operation,
  Preview,
  Progress,
  Run,
  Schedule,
  Trouble,
  Why,
} from "./soon";

export const statuses: Status[] = ["pending", "running", "success", "failed", "interrupted", "cancelled"];

export const isLive = (s: Status): boolean => s === "pending" || s === "running";
export const isRetryable = (t: Task): boolean =>
  !t.closure && ["failed", "interrupted", "cancelled"].includes(t.status);
