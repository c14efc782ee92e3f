// Paths that openapi.json does not describe yet, in the form that openapi-typescript gives them. client.ts prefers the generated
// description of a path: an entry here can go when `npm run types` brings the path.

import type { components } from "./schema.gen";

type Task = components["schemas"]["Task"];
type Status = components["schemas"]["Status"];

interface PostByName<Answer> {
  post: {
    parameters: { path: { name: string }; query?: never; header?: never; cookie?: never };
    responses: { 200: { content: { "application/json": Answer } } };
  };
}

export interface SoonPaths {
  "/schedules/{name}/run": PostByName<{ task_id: string; task: Task }>;
  "/schedules/{name}/pause": PostByName<Schedule>;
  "/schedules/{name}/resume": PostByName<Schedule>;
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
