// The names under which the page knows what the API answers.

import type { components, paths } from "./schema.gen";

type Schemas = components["schemas"];

export type Status = Schemas["Status"];
export type Task = Schemas["Task"];
export type Func = Schemas["Function"];
export type Instance = Schemas["Instance"];
export type AuditEntry = Schemas["AuditEntry"];
export type Metrics = Schemas["Metrics"];
export type Problem = Schemas["Problem"];
export type Series = Schemas["Series"];
export type Heatmap = Schemas["Heatmap"];
export type Mark = Series["marks"][number];
export type Me = Schemas["Me"];
export type Trouble = Schemas["Problems"]["problems"][number];
export type FailureGroup = Schemas["FailureGroup"];
export type Failures = Schemas["Failures"];
export type Operation = Schemas["Operation"];
export type Preview = Schemas["BulkPreview"];
export type Bulk = paths["/bulk"]["post"]["requestBody"]["content"]["application/json"];
export type BulkFilter = NonNullable<Bulk["filter"]>;
export type Progress = Schemas["Progress"];
export type Attempt = Schemas["Attempt"];
export type Family = Schemas["Family"];
export type Why = Schemas["Why"];
export type Schedule = Schemas["Schedule"];
export type Run = Schedule["recent"][number];

export const statuses: Status[] = ["pending", "running", "success", "failed", "interrupted", "cancelled"];

export const isLive = (s: Status): boolean => s === "pending" || s === "running";
export const isRetryable = (t: Task): boolean =>
  !t.closure && ["failed", "interrupted", "cancelled"].includes(t.status);
