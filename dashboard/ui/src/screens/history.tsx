// What is done to the history as a whole: taking it along, and deleting what is old.

import { useEffect, useState } from "preact/hooks";
import { ApiError, api, data, toError } from "../api/client";
import type { Task } from "../api/types";
import { plural } from "../lib/format";
import { message } from "../state/actions";
import { say } from "../state/toasts";
import { Button, Dialog, Failed, StatusMark, Time } from "../ui/basics";

export function Export({ query }: { query: Record<string, string | string[]> }) {
  const get = async (format: string) => {
    const params = new URLSearchParams({ format });
    for (const [name, value] of Object.entries(query)) for (const v of [value].flat()) params.append(name, v);
    const url = `export?${params}`;
    // Asked first, so that a refusal is a message here and not a file with an error in it.
    const stop = new AbortController();
    try {
      const answer = await fetch(url, { signal: stop.signal });
      if (!answer.ok) throw await toError(answer);
      stop.abort();
      const a = document.createElement("a");
      a.href = url;
      a.download = "";
      a.click();
    } catch (err) {
      const missing = err instanceof ApiError && err.missing;
      say(missing ? "This server does not offer exports." : `Nothing was exported: ${message(err)}`, { tone: "error" });
    }
  };
  return (
    <>
      {["csv", "json", "ndjson"].map((format) => (
        <Button key={format} kind="ghost" icon="download" onClick={() => void get(format)}>
          Export {format.toUpperCase()}
        </Button>
      ))}
    </>
  );
}

type Unit = "min" | "hour" | "day";
interface WouldDelete {
  would_delete: number;
  exact: boolean;
  samples: Task[];
}

export function DeleteHistory({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [value, setValue] = useState(30);
  const [unit, setUnit] = useState<Unit>("day");
  const [seen, setSeen] = useState<WouldDelete | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    setSeen(null);
    setError(null);
    setSure(false);
    if (!(value >= 1)) return;
    let mine = true;
    const t = setTimeout(() => {
      data(
        api.DELETE("/history", { params: { query: { value, unit, dry_run: true } as { value: number; unit: Unit } } }),
      ).then(
        (got) => mine && setSeen(got as unknown as WouldDelete),
        (err) => mine && setError(err instanceof ApiError ? err : new ApiError(0, "", message(err))),
      );
    }, 300);
    return () => {
      mine = false;
      clearTimeout(t);
    };
  }, [value, unit]);

  // an older server does not know the parameter, and says so without deleting anything
  const blind = error?.status === 400;
  const remove = async () => {
    setBusy(true);
    try {
      const done = (await data(api.DELETE("/history", { params: { query: { value, unit } } }))) as { deleted: number };
      say(`${plural(done.deleted, "task")} deleted.`);
      onDone();
      onClose();
    } catch (err) {
      say(`Nothing was deleted: ${message(err)}`, { tone: "error" });
      setBusy(false);
    }
  };
  return (
    <Dialog title="Delete history" onClose={onClose}>
      <p>
        Finished tasks that were added longer ago than this leave the history, with their logs. Pending and running ones
        stay.
      </p>
      <p class="row">
        <input
          type="number"
          aria-label="How many"
          min={1}
          max={9999}
          value={value}
          onInput={(e) => setValue(Math.floor(e.currentTarget.valueAsNumber))}
        />
        <select aria-label="Unit" value={unit} onChange={(e) => setUnit(e.currentTarget.value as Unit)}>
          <option value="min">minutes</option>
          <option value="hour">hours</option>
          <option value="day">days</option>
        </select>
        <span class="dim">and older</span>
      </p>
      {error && !blind && <Failed error={error} what="The preview" />}
      {blind && <p class="dim">This server cannot say beforehand how many that are.</p>}
      {seen && (
        <>
          <p>
            <strong class="big-number">
              {seen.exact ? plural(seen.would_delete, "task") : `more than ${plural(seen.would_delete, "task")}`}
            </strong>
          </p>
          <ul class="samples" aria-label="Some of them">
            {seen.samples.map((t) => (
              <li key={t.task_id}>
                <StatusMark status={t.status} bare />
                <bdi class="mono clip">{t.func_name}</bdi>
                <Time iso={t.created_at} />
              </li>
            ))}
          </ul>
        </>
      )}
      <label class="inline">
        <input
          type="checkbox"
          checked={sure}
          disabled={!seen && !blind}
          onChange={(e) => setSure(e.currentTarget.checked)}
        />
        I know that this cannot be undone
      </label>
      <div class="dialog-foot">
        <Button onClick={onClose}>Keep them</Button>
        <Button kind="danger" disabled={!sure || busy || seen?.would_delete === 0} onClick={() => void remove()}>
          Delete {seen ? plural(seen.would_delete, "task") : ""}
        </Button>
      </div>
    </Dialog>
  );
}
