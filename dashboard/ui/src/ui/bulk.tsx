// BulkDialog says what a bulk action would do before it does it: how many tasks, five of them, and over what time.

import { useEffect, useState } from "preact/hooks";
import { ApiError, api, data } from "../api/client";
import type { Bulk, BulkFilter, Preview } from "../api/types";
import { duration, firstLine, plural } from "../lib/format";
import { leftOut } from "../lib/words";
import { message } from "../state/actions";
import { actionWord, preview, startBulk } from "../state/operations";
import { say } from "../state/toasts";
import { Button, Dialog, Failed, StatusMark, Time, Waiting } from "./basics";

export interface BulkTarget {
  action: Bulk["action"];
  ids?: string[];
  filters?: BulkFilter[]; // what any of them matches; each is an operation of its own
  word?: string; // what the screen calls the action
  what: string; // "the 3 selected tasks", "all tasks that match"
}

const spreads: [number, string][] = [
  [0, "at once"],
  [60, "over 1 min"],
  [600, "over 10 min"],
  [3600, "over 1 h"],
  [6 * 3600, "over 6 h"],
];

const effects = {
  retry: "Each is added again as a new task; the old ones stay.",
  cancel: "Waiting tasks end at once; running ones are told to stop. This cannot be undone.",
  delete: "They leave the history, with their logs. This cannot be undone.",
} as const;

export function BulkDialog({
  target,
  onClose,
  onStarted,
}: {
  target: BulkTarget;
  onClose: () => void;
  onStarted?: () => void;
}) {
  const [seen, setSeen] = useState<Preview | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [spread, setSpread] = useState(0);
  const [busy, setBusy] = useState(false);
  const word = target.word ?? actionWord(target.action);
  const bulks: Bulk[] = target.ids
    ? [{ action: target.action, task_ids: target.ids }]
    : (target.filters ?? []).map((filter) => ({ action: target.action, filter }));

  useEffect(() => {
    Promise.all(bulks.map(preview)).then(
      (all) => setSeen(total(all)),
      (err) => setError(err instanceof ApiError ? err : new ApiError(0, "", message(err))),
    );
    // asked once, when the dialog opens
  }, []);

  const begin = async () => {
    setBusy(true);
    try {
      for (const b of bulks) await startBulk(spread ? { ...b, spread_seconds: spread } : b);
      onStarted?.();
      onClose();
    } catch (err) {
      say(`It was not started: ${message(err)}`, { tone: "error" });
      setBusy(false);
    }
  };

  // Servers without /bulk can still retry what is named one by one.
  const retryByID = async () => {
    setBusy(true);
    try {
      const done = await data(api.POST("/bulk-retry", { body: { task_ids: target.ids ?? [] } }));
      say(`${plural(done.dispatched, "task")} added again${done.skipped ? `, ${done.skipped} left out` : ""}.`);
      onStarted?.();
      onClose();
    } catch (err) {
      say(`They were not replayed: ${message(err)}`, { tone: "error" });
      setBusy(false);
    }
  };

  const left = seen ? seen.matched - seen.skipped : 0; // it is done to them
  const old = error?.missing && target.action === "retry" && target.ids;
  return (
    <Dialog title={`${word} ${target.what}`} onClose={onClose}>
      <p>{effects[target.action]}</p>
      {error && !old && <Failed error={error} what={`${word} in bulk`} />}
      {old && <p class="dim">This server cannot preview it. Tasks that were replayed before are left out.</p>}
      {!seen && !error && <Waiting lines={4} />}
      {seen && (
        <>
          <p>
            <strong class="big-number">
              {seen.exact ? plural(left, "task") : `more than ${plural(left, "task")}`}
            </strong>
            {seen.skipped > 0 && <span class="dim"> · {leftOut(seen.skipped, seen.skipped_reasons)}</span>}
          </p>
          <ul class="samples" aria-label="Some of them">
            {seen.samples.map((t) => (
              <li key={t.task_id}>
                <StatusMark status={t.status} bare />
                <bdi class="mono">{t.func_name}</bdi>
                <span class="dim clip">{firstLine(t.error)}</span>
                <Time iso={t.created_at} />
              </li>
            ))}
          </ul>
          {target.action === "retry" && left > 1 && (
            <label class="inline">
              Add them
              <select value={spread} onChange={(e) => setSpread(Number(e.currentTarget.value))}>
                {spreads.map(([s, text]) => (
                  <option key={s} value={s}>
                    {text}
                  </option>
                ))}
              </select>
              {spread > 0 && <span class="dim">one each {duration(spread / left)}</span>}
            </label>
          )}
        </>
      )}
      <div class="dialog-foot">
        <Button onClick={onClose}>Keep them</Button>
        {old ? (
          <Button kind="primary" disabled={busy} onClick={() => void retryByID()}>
            {word} {plural(target.ids?.length ?? 0, "task")}
          </Button>
        ) : (
          <Button
            kind={target.action === "retry" ? "primary" : "danger"}
            disabled={busy || !seen || left === 0}
            onClick={() => void begin()}
          >
            {word} {seen ? plural(left, "task") : ""}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

// total is what several previews say together.
function total(all: Preview[]): Preview {
  const reasons: Record<string, number> = {};
  for (const p of all) for (const [why, n] of Object.entries(p.skipped_reasons)) reasons[why] = (reasons[why] ?? 0) + n;
  return {
    action: all[0]?.action ?? "retry",
    matched: all.reduce((n, p) => n + p.matched, 0),
    exact: all.every((p) => p.exact),
    samples: all.flatMap((p) => p.samples).slice(0, 5),
    skipped: all.reduce((n, p) => n + p.skipped, 0),
    skipped_reasons: reasons,
  };
}
