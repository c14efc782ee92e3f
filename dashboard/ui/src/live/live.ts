// The page's side of the stream: connection and pause as signals, changes handed on once an animation frame.

import { signal } from "@preact/signals";
import type { Operation, Progress, Task } from "../api/types";
import { outdated } from "../lib/rows";
import type { ServerEvent } from "../lib/sse";
import { type Holder, openHolder } from "./holder";
import type { Connection, ToPage } from "./protocol";

export interface LogEvent {
  task_id: string;
  lines: string[];
  log_count: number; // after these lines
}

// How a state is known: told by the server; guessed, until it has agreed to an action; corrected, in the place of what was guessed.
export type How = "told" | "guessed" | "corrected";

export interface Listener {
  tasks?(changed: Task[], how: How): void; // of each task its newest state
  log?(lines: LogEvent): void;
  operation?(op: Operation): void;
  progress?(of: { task_id: string; progress: Progress }): void;
  reset?(): void; // changes were missed: load again
}

export const connection = signal<Connection>({ state: "connecting", reason: "connecting", status: 0, instance: "" });
export const paused = signal(false);
export const held = signal(0); // tasks that changed while paused
export const counts = signal<Record<string, number> | null>(null); // by status, when the server tells

const maxHeld = 2000;
const listeners = new Set<Listener>();
let holder: Holder | null = null;
let queue: ServerEvent[] = [];
let flushing = false;
let flood = false; // the last batch was a large one
let heldTasks = new Map<string, Task>();
let missed = false; // while paused

export function listen(l: Listener): () => void {
  listeners.add(l);
  return () => listeners.delete(l);
}

// start opens the stream. It is told again when the page comes back from the browser's cache, where it missed everything.
export function start(): void {
  const url = new URL("dashboard/stream", document.baseURI).href.split("#")[0] as string;
  holder = openHolder(url, receive);
  addEventListener("pagehide", () => holder?.leave());
  addEventListener("pageshow", (e) => {
    if (!e.persisted) return;
    holder = openHolder(url, receive);
    reset();
  });
}

export const reconnect = (): void => holder?.retry();

// miss notes that something is to be loaded when the pause is over.
export function miss(): void {
  missed = true;
}

export function setPaused(on: boolean): void {
  paused.value = on;
  if (on) return;
  const tasks = [...heldTasks.values()];
  heldTasks = new Map();
  held.value = 0;
  if (missed) reset();
  else if (tasks.length) for (const l of listeners) l.tasks?.(tasks, "told");
  missed = false;
}

// inject shows a state that the server has not told yet: that of an action which it will hopefully confirm.
export function inject(t: Task, how: How = "told"): void {
  for (const l of listeners) l.tasks?.([t], how);
}

function receive(m: ToPage): void {
  if (m.kind === "connection") {
    connection.value = m.connection;
    if (m.connection.state !== "live") counts.value = null; // they would grow old
    return;
  }
  if (m.kind !== "events") return;
  queue.push(...m.events);
  if (flushing) return;
  flushing = true;
  // A hidden page gets no animation frames; it is kept up to date at leisure. Hundreds of changes at once nobody can follow: they come in
  // steps that can be seen, and leave the reader's machine time for the reader.
  if (document.hidden) setTimeout(flush, 1000);
  else if (flood) setTimeout(flush, 300);
  else requestAnimationFrame(flush);
}

function flush(): void {
  flushing = false;
  const events = queue;
  flood = events.length > 200;
  queue = [];
  const tasks = new Map<string, Task>();
  let again = false;
  for (const e of events) {
    const data = JSON.parse(e.data);
    switch (e.name) {
      case "task": {
        const known = tasks.get(data.task_id);
        if (!known || !outdated(data, known)) tasks.set(data.task_id, data);
        break;
      }
      case "log":
        if (paused.value) missed = true;
        else for (const l of listeners) l.log?.(data);
        break;
      case "progress":
        if (!paused.value) for (const l of listeners) l.progress?.(data);
        break;
      case "counts":
        counts.value = data;
        break;
      case "operation":
        for (const l of listeners) l.operation?.(data);
        break;
      case "hello":
        again ||= !data.resumed;
        break;
      case "reset":
        again = true;
        break;
    }
  }
  if (paused.value) {
    missed ||= again;
    for (const [id, t] of tasks) {
      if (heldTasks.size < maxHeld || heldTasks.has(id)) heldTasks.set(id, t);
      else missed = true;
    }
    held.value = heldTasks.size;
    return;
  }
  if (tasks.size) {
    const changed = [...tasks.values()];
    for (const l of listeners) l.tasks?.(changed, "told");
  }
  if (again) reset();
}

// reset has everything that is shown loaded again: changes were missed, or are of a kind that the stream does not tell.
export function reset(): void {
  for (const l of listeners) l.reset?.();
}
