import type { Task } from "../api/types";

// task is a task for tests, with what some sets.
export function task(some: Partial<Task> = {}): Task {
  return {
    task_id: "019ca8d7-2d00-7000-8000-000000000001",
    func_name: "send",
    status: "pending",
    created_at: "2026-01-31T11:59:00.000Z",
    start_time: null,
    end_time: null,
    duration: null,
    retries_used: 0,
    error: null,
    logs: [],
    stacktrace: null,
    tags: {},
    source: "manual",
    priority: 0,
    executor: "default",
    closure: false,
    run_at: null,
    attempts: 0,
    max_retries: 0,
    retry_of: null,
    retried_by: null,
    log_count: 0,
    requeue: false,
    durable: false,
    owner: null,
    idempotency_key: null,
    crashes: 0,
    ...some,
  };
}
