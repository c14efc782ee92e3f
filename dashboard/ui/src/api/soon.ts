// Paths that openapi.json does not describe yet, in the form that openapi-typescript gives them. client.ts prefers the generated
// description of a path: an entry here can go when `npm run types` brings the path.

import type { components } from "./schema.gen";

type Task = components["schemas"]["Task"];
type Status = components["schemas"]["Status"];

interface Get<Query, Answer> {
  get: {
    parameters: { query?: Query; path?: never; header?: never; cookie?: never };
    responses: { 200: { content: { "application/json": Answer } } };
  };
}

interface GetByID<Answer> {
  get: {
    parameters: { path: { id: string }; query?: never; header?: never; cookie?: never };
    responses: { 200: { content: { "application/json": Answer } } };
  };
}

interface PostByName<Answer> {
  post: {
    parameters: { path: { name: string }; query?: never; header?: never; cookie?: never };
    responses: { 200: { content: { "application/json": Answer } } };
  };
}

export interface SoonPaths {
  "/me": Get<never, Me>;
  "/series": Get<{ since: string; until?: string; func_name?: string; instance?: string }, Series>;
  "/heatmap": Get<{ since: string }, Heatmap>;
  "/problems": Get<never, { problems: Trouble[]; checked_at: string }>;
  "/failures": Get<{ since: string; func_name?: string; q?: string; limit?: number }, Failures>;
  "/count": Get<Record<string, string | string[]>, { count: number; exact: boolean }>;
  "/operations": Get<never, Operation[]>;
  "/operations/{id}": GetByID<Operation>;
  "/operations/{id}/stop": {
    post: {
      parameters: { path: { id: string }; query?: never; header?: never; cookie?: never };
      responses: { 200: { content: { "application/json": Operation } } };
    };
  };
  "/bulk": {
    post: {
      parameters: { query?: never; path?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": Bulk } };
      responses: {
        200: { content: { "application/json": Preview } };
        202: { content: { "application/json": { operation: Operation } } };
      };
    };
  };
  "/{id}/family": GetByID<Family>;
  "/{id}/why": GetByID<Why>;
  "/schedules/{name}/run": PostByName<{ task_id: string; task: Task }>;
  "/schedules/{name}/pause": PostByName<Schedule>;
  "/schedules/{name}/resume": PostByName<Schedule>;
}

export interface Me {
  user: string;
  role: "operator" | "viewer";
  auth: boolean;
  expires_at?: string;
  title: string;
  version: string;
  framework: string;
  instance_id: string;
  now: string;
  capabilities: string[];
}

type Column = (number | null)[];

export interface Mark {
  time: string | number;
  kind: "start" | "stop" | "lost";
  instance_id: string;
  host: string;
  version: string;
}

export interface Series {
  since: string;
  until: string;
  step_seconds: number;
  times: number[];
  added: Column;
  success: Column;
  failed: Column;
  interrupted: Column;
  cancelled: Column;
  retried: Column;
  waiting: Column;
  running: Column;
  wait_p50: Column;
  wait_p95: Column;
  run_p50: Column;
  run_p95: Column;
  pools: Record<string, { limit: number; running: Column; waiting: Column }>;
  marks: Mark[];
  complete: boolean;
}

export interface Heatmap {
  step_seconds: number;
  times: number[];
  functions: { func_name: string; failed: Column; total: Column }[];
}

export interface Trouble {
  kind: "failing" | "stuck" | "late" | "parked" | "degraded" | "silent" | "queue_full" | "schedule";
  severity: "error" | "warning";
  title: string;
  detail: string;
  count?: number;
  func_name?: string;
  first_seen?: string;
  last_seen?: string;
  failure_group?: string;
  task_id?: string;
  instance_id?: string;
}

export interface FailureGroup {
  failure_group: string;
  func_name: string;
  error: string;
  count: number;
  outstanding: number;
  first_seen: string;
  last_seen: string;
  task_ids: string[];
  trend: number[];
}

export interface Failures {
  groups: FailureGroup[];
  scanned: number;
  complete: boolean;
  since: string;
}

export interface BulkFilter {
  status?: Status[];
  func_name?: string;
  q?: string;
  tag?: string[];
  since?: string;
  until?: string;
  source?: string[];
  instance?: string;
  failure_group?: string;
}

export interface Bulk {
  action: "retry" | "cancel" | "delete";
  task_ids?: string[];
  filter?: BulkFilter;
  dry_run?: boolean;
  spread_seconds?: number;
}

export interface Preview {
  action: Bulk["action"];
  matched: number;
  exact: boolean;
  samples: Task[];
  skipped?: number;
  skipped_reasons?: Record<string, number>;
}

export interface Operation {
  operation_id: string;
  action: Bulk["action"];
  state: "running" | "done" | "stopped" | "failed";
  matched: number;
  done: number;
  skipped: number;
  skipped_reasons: Record<string, number>;
  failed: number;
  error?: string;
  started_at: string;
  ended_at?: string;
  eta_seconds?: number;
  actor: string;
  new_task_ids: string[];
  spread_seconds: number;
}

export interface Progress {
  done: number;
  total: number;
  unit: string;
  message: string;
  updated_at: string;
  rate_per_second: number;
  remaining_seconds: number;
}

export interface Attempt {
  attempt: number;
  started_at: string;
  ended_at: string | null;
  error: string | null;
  wait_seconds: number;
}

// TaskSoon are fields of a task that some servers do not send.
export interface TaskSoon {
  attempts_log?: Attempt[];
  progress?: Progress;
  result?: unknown;
  parent_id?: string | null;
}

export interface FunctionStats {
  added: number;
  success: number;
  failed: number;
  interrupted: number;
  cancelled: number;
  retried: number;
  wait_p50: number | null;
  wait_p95: number | null;
  run_p50: number | null;
  run_p95: number | null;
  last_failed_at?: string;
  last_error?: string;
  last_run_at?: string;
}

export interface FunctionSoon {
  registered?: boolean;
  stats?: FunctionStats;
}

export interface Family {
  parent: Task | null;
  retry_of: Task[];
  retries: Task[];
  children: Task[];
}

export interface Why {
  state: "waiting" | "running" | "finished";
  reason: string;
  text: string;
  run_at?: string;
  pool?: string;
  pool_limit?: number;
  pool_running?: number;
  ahead?: number;
  holder_id?: string;
}

export interface Run {
  task_id: string;
  slot: string;
  status?: Status;
}

export interface Schedule {
  name: string;
  spec: string;
  description: string;
  timezone: string;
  func_name: string;
  next_run?: string;
  last_run?: Run;
  recent: Run[];
  paused: boolean;
  paused_by?: string;
  paused_at?: string;
  overlap: "skip" | "queue" | "allow";
  jitter_seconds: number;
}
