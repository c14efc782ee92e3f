// Progress of a running task: how far, how fast, how long still.

import type { Task } from "../api/types";
import { compact, duration, percent } from "../lib/format";
import { now } from "../state/clock";
import { Bar } from "./basics";

export function Progress({ t, full = false }: { t: Task; full?: boolean }) {
  const p = t.progress;
  if (!p) return <span class="progress" />;
  const known = p.total > 0;
  // the server's estimate is as old as the last report
  const left =
    known && p.remaining_seconds ? Math.max(0, p.remaining_seconds - (now.value - Date.parse(p.updated_at)) / 1000) : 0;
  const amount = known ? `${compact(p.done)} of ${compact(p.total)} ${p.unit}` : `${compact(p.done)} ${p.unit}`;
  const runs = t.status === "running"; // afterwards nothing is fast, nor left
  const said = [
    full && amount.trim(),
    full && runs && p.rate_per_second > 0 && `${compact(p.rate_per_second)} ${p.unit || "steps"}/s`,
    runs && left > 0 && `${duration(left)} left`,
  ].filter(Boolean);
  return (
    <span class="progress">
      <Bar done={p.done} total={p.total} label={`Progress of ${t.func_name}`} />
      <span class="num">{known ? percent(p.done, p.total) : compact(p.done)}</span>
      <span class="dim clip">
        {said.join(" · ")}
        {p.message && (
          <>
            {said.length > 0 && " · "}
            <bdi>{p.message}</bdi>
          </>
        )}
      </span>
    </span>
  );
}
