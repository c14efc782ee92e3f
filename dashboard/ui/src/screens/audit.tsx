// Audit: who did what, newest first.

import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { api, nextCursor } from "../api/client";
import type { AuditEntry } from "../api/types";
import { count, shortID } from "../lib/format";
import { actionWord } from "../lib/words";
import { message } from "../state/actions";
import { link, taskLink } from "../state/route";
import { say } from "../state/toasts";
import { Button, Empty, Failed, Icon, Time, Waiting } from "../ui/basics";
import { useResource } from "../ui/resource";

interface Trail {
  entries: AuditEntry[];
  next: string;
}

async function page(cursor: string): Promise<Trail> {
  const { data, response } = await api.GET("/audit", {
    params: { query: { limit: 100, ...(cursor ? { cursor } : {}) } },
  });
  return { entries: data ?? [], next: nextCursor(response) };
}

const icons: Record<string, string> = {
  retry: "rotate-ccw",
  bulk_retry: "rotate-ccw",
  retry_failed: "rotate-ccw",
  cancel: "status-cancelled",
  delete_history: "trash-2",
  operation_start: "layers",
  operation_end: "layers",
  schedule_run: "calendar-clock",
  login: "user",
  login_failed: "triangle-alert",
  logout: "log-out",
};

export function AuditScreen() {
  const newest = useResource("audit", () => page(""), 15);
  const [older, setOlder] = useState<Trail | null>(null);
  const [busy, setBusy] = useState(false);
  const first = newest.data;
  const seen = new Set(first?.entries.map((e) => e.entry_id));
  const entries = [...(first?.entries ?? []), ...(older?.entries ?? []).filter((e) => !seen.has(e.entry_id))];
  const next = older ? older.next : (first?.next ?? "");
  const more = async () => {
    setBusy(true);
    try {
      const got = await page(next);
      setOlder({ entries: [...(older?.entries ?? first?.entries ?? []), ...got.entries], next: got.next });
    } catch (err) {
      say(`Older entries cannot be loaded: ${message(err)}`, { tone: "error" });
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="page">
      <div class="page-head">
        <h1>Audit</h1>
      </div>
      {newest.error && !first && <Failed error={newest.error} what="The audit trail" reload={newest.reload} />}
      {!first && !newest.error && <Waiting lines={6} />}
      {first && entries.length === 0 && (
        <Empty icon="scroll-text" title="Nobody has done anything yet">
          <p>Replays, cancellations, deletions and logins are written down here, with who did them and from where.</p>
        </Empty>
      )}
      {entries.length > 0 && (
        <div class="scroll-x">
          <table class="plain audit">
            <thead>
              <tr>
                <th>When</th>
                <th>Who</th>
                <th>What</th>
                <th>Details</th>
                <th>From</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((e) => (
                <tr key={e.entry_id} class={e.action === "login_failed" ? "bad" : ""}>
                  <td class="num when" data-label="When">
                    <Time iso={e.timestamp} />
                  </td>
                  <td data-label="Who">
                    <bdi>{e.actor}</bdi>
                  </td>
                  <td class="what" data-label="What">
                    <span>
                      <Icon name={icons[e.action] ?? "activity"} /> {actionWord(e.action)}
                      {e.task_id && (
                        <>
                          {" "}
                          <a class="mono" href={taskLink(e.task_id)}>
                            {shortID(e.task_id)}
                          </a>
                        </>
                      )}
                    </span>
                  </td>
                  <td class="dim" data-label="Details">
                    <Detail of={e.detail} />
                  </td>
                  <td class="dim" data-label="From">
                    <bdi>{e.remote}</bdi>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next && (
        <p>
          <Button disabled={busy} onClick={() => void more()}>
            Older entries
          </Button>
        </p>
      )}
    </div>
  );
}

// Detail is a few words for each field; ids lead to their tasks, and a filter to what it selects now.
function Detail({ of }: { of: Record<string, unknown> }) {
  return (
    <span class="detail">
      {Object.entries(of)
        .filter(([, v]) => v !== "" && v !== null && v !== false)
        .map(([k, v]) => (
          <span key={k}>
            {k.replaceAll("_", " ")} <Value name={k} v={v} />
          </span>
        ))}
    </span>
  );
}

const id = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
const mostIDs = 5;

function Value({ name, v }: { name: string; v: unknown }) {
  if (typeof v === "string" && id.test(v)) {
    if (!name.includes("task")) return <bdi class="mono">{shortID(v)}</bdi>; // an operation, say
    return <TaskID id={v} />;
  }
  if (Array.isArray(v)) {
    const ids = v.filter((one): one is string => typeof one === "string" && id.test(one));
    if (ids.length < v.length || ids.length === 0) return <bdi>{v.join(", ")}</bdi>;
    return (
      <>
        {ids.slice(0, mostIDs).map((one) => (
          <Fragment key={one}>
            <TaskID id={one} />{" "}
          </Fragment>
        ))}
        {ids.length > mostIDs && `and ${count(ids.length - mostIDs)} more`}
      </>
    );
  }
  if (name === "filter" && typeof v === "object" && v !== null) {
    const params = new URLSearchParams();
    for (const [k, some] of Object.entries(v)) {
      if (k === "tag" && Array.isArray(some)) for (const t of some) params.append(k, String(t));
      else params.set(k, String(some));
    }
    return (
      <a href={link("/tasks", params)} title="What it selects now">
        <bdi>{[...params].map(([k, some]) => `${k}=${some}`).join(" ") || "all tasks"}</bdi>
      </a>
    );
  }
  if (name === "action") return <bdi>{actionWord(String(v))}</bdi>;
  return <bdi>{typeof v === "object" ? JSON.stringify(v) : String(v)}</bdi>;
}

function TaskID({ id }: { id: string }) {
  return (
    <a class="mono" href={taskLink(id)} title={id}>
      {shortID(id)}
    </a>
  );
}
