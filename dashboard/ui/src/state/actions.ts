// What a reader can do to one task. The page shows the outcome at once, and takes it back with the server's reason when that refuses.

import { signal } from "@preact/signals";
import { api, data } from "../api/client";
import type { Task } from "../api/types";
import { inject } from "../live/live";
import { taskLink } from "./route";
import { say } from "./toasts";

// busy are the tasks that something is being done to: their buttons wait.
export const busy = signal<ReadonlySet<string>>(new Set());

function setBusy(id: string, on: boolean): void {
  const next = new Set(busy.value);
  if (on) next.add(id);
  else next.delete(id);
  busy.value = next;
}

export const message = (err: unknown): string => (err instanceof Error ? err.message : String(err));

// act runs one action on a task; busy tasks are left alone.
async function act(t: Task, what: string, run: () => Promise<void>, undo?: Task): Promise<void> {
  if (busy.value.has(t.task_id)) return;
  setBusy(t.task_id, true);
  try {
    await run();
  } catch (err) {
    // The task may have changed since the reader saw it: what the server has now counts, and not what was shown before.
    if (undo)
      inject(await data(api.GET("/{id}", { params: { path: { id: t.task_id } } })).catch(() => undo), "corrected");
    say(`${t.func_name} was not ${what}: ${message(err)}`, { tone: "error" });
  } finally {
    setBusy(t.task_id, false);
  }
}

export function retry(t: Task): Promise<void> {
  return act(t, "replayed", async () => {
    const done = await data(api.POST("/{id}/retry", { params: { path: { id: t.task_id } } }));
    inject({ ...t, retried_by: done.task_id });
    inject(done.task);
    say(`${t.func_name} was added again.`, { href: taskLink(done.task_id), hrefText: "Open the replay" });
  });
}

export function cancel(t: Task): Promise<void> {
  if (t.status === "pending") inject({ ...t, status: "cancelled", error: "cancelling …" }, "guessed");
  return act(
    t,
    "cancelled",
    async () => {
      const done = await data(api.POST("/{id}/cancel", { params: { path: { id: t.task_id } } }));
      inject(done.task);
      say(done.task.status === "running" ? `${t.func_name} was told to stop.` : `${t.func_name} was cancelled.`);
    },
    t,
  );
}
