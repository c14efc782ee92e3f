// Schedules: what runs by the clock, when next, how the last runs went.

import { useEffect, useState } from "preact/hooks";
import { api, data } from "../api/client";
import type { Schedule } from "../api/types";
import { count, duration } from "../lib/format";
import { addSchedule } from "../lib/teach";
import { full, zone } from "../lib/time";
import { listen } from "../live/live";
import { message } from "../state/actions";
import { mayAct } from "../state/me";
import { link, taskLink } from "../state/route";
import { utc } from "../state/settings";
import { say } from "../state/toasts";
import { Button, Code, Empty, Failed, Icon, StatusMark, Time, Waiting } from "../ui/basics";
import { useResource } from "../ui/resource";

export function SchedulesScreen() {
  const found = useResource("schedules", () => data(api.GET("/schedules")), 10);
  const all = found.data ?? [];
  useEffect(() => {
    // A run is in the list when it begins, and ends there, without waiting for the next load.
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    const forget = listen({
      tasks(changed) {
        if (timer || !changed.some((t) => t.source === "scheduled")) return;
        timer = setTimeout(
          () => {
            timer = undefined;
            last = Date.now();
            found.reload();
          },
          Math.max(50, last + 1500 - Date.now()),
        );
      },
    });
    return () => {
      clearTimeout(timer);
      forget();
    };
  }, [found.reload]);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Schedules</h1>
      </div>
      {found.error && !found.data && <Failed error={found.error} what="The schedules" reload={found.reload} />}
      {!found.data && !found.error && <Waiting lines={4} />}
      {found.data && all.length === 0 && (
        <Empty icon="calendar-clock" title="Nothing runs by the clock">
          <p>
            A schedule adds a task at set times, once for all instances that share the backend. This program has none.
          </p>
          <Code text={addSchedule()} />
        </Empty>
      )}
      {all.length > 0 && (
        <div class="scroll-x">
          <table class="plain schedules">
            <thead>
              <tr>
                <th>Schedule</th>
                <th>When</th>
                <th>Next</th>
                <th>Last runs</th>
                {mayAct() && (
                  <th>
                    <span class="sr-only">Actions</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {all.map((s) => (
                <Row key={s.name} s={s} onChange={found.reload} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

const why = {
  overlap: "because the run before had not ended",
  stopped: "because its instance was stopped",
} as const;

function Row({ s, onChange }: { s: Schedule; onChange: () => void }) {
  const [busy, setBusy] = useState(false);
  const act = async (what: string, run: () => Promise<void>) => {
    setBusy(true);
    try {
      await run();
      onChange();
    } catch (err) {
      say(`${s.name} was not ${what}: ${message(err)}`, { tone: "error" });
      onChange(); // it may have changed since it was listed
    } finally {
      setBusy(false);
    }
  };
  const params = { params: { path: { name: s.name } } };
  const runNow = () =>
    act("run", async () => {
      const done = await data(api.POST("/schedules/{name}/run", params));
      say(`${s.name} was added now.`, { href: taskLink(done.task_id), hrefText: "Open the task" });
    });
  const pause = () =>
    act(s.paused ? "resumed" : "paused", async () => {
      await data(s.paused ? api.POST("/schedules/{name}/resume", params) : api.POST("/schedules/{name}/pause", params));
    });
  return (
    <tr class={s.paused ? "paused" : ""}>
      <th scope="row">
        <bdi>{s.name}</bdi>
        <small>
          <a class="mono" href={link("/tasks", { func_name: s.func_name, source: "scheduled" })}>
            <bdi>{s.func_name}</bdi>
          </a>
        </small>
      </th>
      <td data-label="When">
        <div>
          {s.description || s.spec}
          <small class="dim">
            <span class="mono">{s.spec}</span> {s.timezone}
            {s.jitter_seconds > 0 && ` · up to ${duration(s.jitter_seconds)} later`}
            {s.overlap === "skip" ? " · skips while one runs" : s.overlap === "queue" ? " · one at a time" : ""}
            {s.catch_up && " · makes up for the latest missed run"}
          </small>
        </div>
      </td>
      <td data-label="Next">
        <div>
          {s.paused ? (
            <span class="status status-cancelled">
              <Icon name="pause" /> paused
              {s.paused_by && <small class="dim"> by {s.paused_by}</small>}
            </span>
          ) : s.next_run ? (
            <>
              <Time iso={s.next_run} as="ago" />
              <small class="dim">
                <Time iso={s.next_run} /> {zone(new Date(s.next_run), utc.value)}
              </small>
            </>
          ) : (
            <span class="dim">never again</span>
          )}
        </div>
      </td>
      <td data-label="Last runs">
        <div>
          {s.recent.length === 0 && <span class="dim">none yet</span>}
          <span class="runs">
            {s.recent.toReversed().map((r) => (
              <a key={r.slot} href={taskLink(r.task_id)} title={`${r.status ?? "unknown"}, ${r.slot}`}>
                <StatusMark status={r.status ?? "pending"} bare word={r.status ?? "unknown"} />
              </a>
            ))}
          </span>
          {s.last_run && (
            <small class="dim">
              last <Time iso={s.last_run.slot} as="ago" />
              {s.skipped > 0 && (
                <span title={s.last_skipped_at ? `last ${full(s.last_skipped_at, utc.value)}` : undefined}>
                  {" "}
                  · {count(s.skipped)} skipped
                  {s.last_skipped_reason && `, ${s.skipped > 1 ? "the last " : ""}${why[s.last_skipped_reason]}`}
                </span>
              )}
            </small>
          )}
        </div>
      </td>
      {mayAct() && (
        <td class="do">
          <Button small icon="play" disabled={busy} onClick={() => void runNow()}>
            Run now
          </Button>
          <Button small icon={s.paused ? "play" : "pause"} disabled={busy} onClick={() => void pause()}>
            {s.paused ? "Resume" : "Pause"}
          </Button>
        </td>
      )}
    </tr>
  );
}
