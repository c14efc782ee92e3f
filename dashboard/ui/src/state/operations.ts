// Bulk operations under way: told by the stream, or asked for each second where it does not tell.

import { signal } from "@preact/signals";
import { api, data } from "../api/client";
import type { Bulk, Operation, Preview } from "../api/types";
import { listen, reset } from "../live/live";
import { message } from "./actions";
import { say } from "./toasts";

export const operations = signal<Operation[]>([]); // those that this page shows, newest first

const words = { retry: "Replay", cancel: "Cancel", delete: "Delete" } as const;
export const actionWord = (a: Bulk["action"]): string => words[a];

export function put(op: Operation): void {
  const known = operations.value.find((o) => o.operation_id === op.operation_id);
  if (known && known.state !== "running" && op.state === "running") return; // an older state
  const ended = known?.state === "running" && op.state !== "running";
  operations.value = known
    ? operations.value.map((o) => (o === known ? op : o))
    : [op, ...operations.value].slice(0, 5);
  if (ended) reset(); // the stream tells neither deletions nor what became of groups of failures
  if (ended && op.state === "done") setTimeout(() => hide(op.operation_id), 20_000);
}

export function hide(id: string): void {
  operations.value = operations.value.filter((o) => o.operation_id !== id);
}

export async function preview(bulk: Bulk): Promise<Preview> {
  return (await data(api.POST("/bulk", { body: { ...bulk, dry_run: true } }))) as unknown as Preview;
}

export async function startBulk(bulk: Bulk): Promise<void> {
  const answer = (await data(api.POST("/bulk", { body: bulk }))) as unknown as { operation: Operation };
  put(answer.operation);
  void follow(answer.operation.operation_id);
}

export async function stop(op: Operation): Promise<void> {
  try {
    put(await data(api.POST("/operations/{id}/stop", { params: { path: { id: op.operation_id } } })));
  } catch (err) {
    say(`It was not stopped: ${message(err)}`, { tone: "error" });
  }
}

// loadOperations shows those that run already, started in another tab or by somebody else.
export async function loadOperations(): Promise<void> {
  try {
    for (const op of await data(api.GET("/operations"))) {
      if (op.state !== "running") continue;
      put(op);
      void follow(op.operation_id);
    }
  } catch {
    // this server has none
  }
}

async function follow(id: string): Promise<void> {
  for (;;) {
    await new Promise((r) => setTimeout(r, 1000));
    const op = operations.value.find((o) => o.operation_id === id);
    if (op?.state !== "running") return;
    try {
      put(await data(api.GET("/operations/{id}", { params: { path: { id } } })));
    } catch {
      return; // the stream may still tell
    }
  }
}

listen({
  operation(op) {
    if (op.state === "running" || operations.value.some((o) => o.operation_id === op.operation_id)) put(op);
  },
});
