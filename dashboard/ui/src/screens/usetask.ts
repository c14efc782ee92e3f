import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, api, data } from "../api/client";
import type { Task } from "../api/types";
import { isLive } from "../api/types";
import { unseen } from "../lib/log";
import { outdated } from "../lib/rows";
import { type LogEvent, listen } from "../live/live";
import { message } from "../state/actions";

const attempt = (t: Task): string => `${t.attempts} ${t.status}`;

// useTask loads a task and follows it: its states, its progress, and the lines it logs.
export function useTask(id: string) {
  const [task, setTask] = useState<Task | null>(null);
  const [lines, setLines] = useState<string[]>([]);
  const [error, setError] = useState<ApiError | null>(null);
  const told = useRef<{ attempt: string; count: number; loading: number; logs: LogEvent[]; state: Task | null }>({
    attempt: "",
    count: 0,
    loading: 0,
    logs: [],
    state: null,
  });

  const load = async () => {
    const mine = ++told.current.loading;
    told.current.logs = [];
    told.current.state = null;
    try {
      const got = (await data(api.GET("/{id}", { params: { path: { id } } }))) as Task;
      if (mine !== told.current.loading) return;
      const newer = told.current.state as Task | null;
      setTask(newer && !outdated(newer, got) ? { ...got, ...newer, logs: got.logs, stacktrace: got.stacktrace } : got);
      told.current.count = got.log_count;
      told.current.attempt ||= attempt(got);
      setLines(got.logs);
      setError(null);
      const waiting = told.current.logs;
      told.current.loading = 0;
      for (const e of waiting) append(e);
      if (newer && !isLive(newer.status) && isLive(got.status)) void load(); // it ended meanwhile: stack, result
    } catch (err) {
      if (mine !== told.current.loading) return;
      told.current.loading = 0;
      setError(err instanceof ApiError ? err : new ApiError(0, "", message(err)));
    }
  };

  const append = (e: LogEvent) => {
    const t = told.current;
    if (t.loading) {
      t.logs.push(e);
      return;
    }
    const full = e.log_count >= 1000 && e.log_count === t.count; // the server drops lines from the middle by now
    if (!full && e.log_count <= t.count) return;
    if (!full && e.log_count - e.lines.length > t.count) {
      void load(); // some are missing
      return;
    }
    const fresh = full ? e.lines : e.lines.slice(t.count - e.log_count);
    t.count = e.log_count;
    setLines((before) => before.concat(full ? unseen(before, fresh) : fresh).slice(-50_000));
  };

  useEffect(() => {
    void load();
    return listen({
      tasks: (changed, how) => {
        for (const t of changed) {
          if (t.task_id !== id) continue;
          told.current.state = t;
          setTask((known) => {
            if (!known) return known;
            if (outdated(t, known) && how !== "corrected") return known;
            return {
              ...known,
              ...t,
              logs: known.logs,
              stacktrace: t.stacktrace ?? known.stacktrace,
              progress: t.progress ?? known.progress,
            };
          });
          // The stream tells neither stack nor result, nor how the attempts before this one went.
          if (how === "guessed") continue;
          if (!isLive(t.status) || attempt(t) !== told.current.attempt) void load();
          told.current.attempt = attempt(t);
        }
      },
      progress: (e) => {
        if (e.task_id === id) setTask((known) => known && { ...known, progress: e.progress });
      },
      log: (e) => {
        if (e.task_id === id) append(e);
      },
      reset: () => void load(),
    });
  }, []);
  return { task, lines, error, reload: () => void load() };
}
