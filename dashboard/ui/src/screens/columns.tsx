// The columns that the task list can show.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Task } from "../api/types";
import { duration, firstLine, shortID } from "../lib/format";
import { sourceWord } from "../lib/words";
import { now } from "../state/clock";
import { Tags, Time } from "../ui/basics";
import { Progress } from "../ui/progress";

export interface Column {
  id: string;
  head: string;
  width: string; // of a CSS grid's track: pixels, or minmax of pixels and a share
  number?: boolean;
  sort?: string; // what the server calls it
  cell: (t: Task, pick: (tag: string) => void) => ComponentChildren;
}

const seconds = (iso: string): number => Date.parse(iso) / 1000;

function lasted(t: Task): number | null {
  if (t.status === "running" && t.start_time) return Math.max(0, now.value / 1000 - seconds(t.start_time));
  return t.duration;
}

function waited(t: Task): number | null {
  if (t.start_time) return Math.max(0, seconds(t.start_time) - seconds(t.created_at));
  return t.status === "pending" ? Math.max(0, now.value / 1000 - seconds(t.created_at)) : null;
}

function attempts(t: Task): string {
  if (t.attempts === 0) return "";
  return t.max_retries > 0 ? `${t.attempts} of ${Math.max(t.max_retries + 1, t.attempts)}` : String(t.attempts);
}

// Note is what there is to say about a task: how far it is, when it is due, why it ended.
export function Note({ t }: { t: Task }) {
  if (t.status === "running") return t.progress ? <Progress t={t} /> : null;
  const due = t.status === "pending" && t.run_at ? seconds(t.run_at) - now.value / 1000 : 0;
  return (
    <span class="clip">
      {due > 0 && <span class="dim">due in {duration(due)} </span>}
      {t.error && <bdi title={t.error}>{firstLine(t.error)}</bdi>}
    </span>
  );
}

export const allColumns: Column[] = [
  { id: "note", head: "Error or progress", width: "minmax(110px, 2fr)", cell: (t) => <Note t={t} /> },
  { id: "tags", head: "Tags", width: "minmax(150px, 1.7fr)", cell: (t, pick) => <Tags tags={t.tags} onPick={pick} /> },
  {
    id: "attempts",
    head: "Attempts",
    width: "76px",
    number: true,
    cell: attempts,
  },
  { id: "waited", head: "Waited", width: "84px", number: true, cell: (t) => duration(waited(t)) },
  { id: "duration", head: "Took", width: "84px", number: true, sort: "duration", cell: (t) => duration(lasted(t)) },
  {
    id: "added",
    head: "Added",
    width: "96px",
    number: true,
    sort: "created_at",
    cell: (t) => <Time iso={t.created_at} />,
  },
  {
    id: "ended",
    head: "Ended",
    width: "96px",
    number: true,
    sort: "end_time",
    cell: (t) => t.end_time && <Time iso={t.end_time} />,
  },
  {
    id: "id",
    head: "Id",
    width: "92px",
    cell: (t) => (
      <span class="mono dim" title={t.task_id}>
        {shortID(t.task_id)}
      </span>
    ),
  },
  { id: "pool", head: "Pool", width: "90px", cell: (t) => <bdi class="clip">{t.executor}</bdi> },
  { id: "source", head: "Source", width: "86px", cell: (t) => sourceWord(t.source) },
  { id: "priority", head: "Priority", width: "72px", number: true, cell: (t) => t.priority },
  {
    id: "owner",
    head: "Instance",
    width: "100px",
    cell: (t) =>
      t.owner && (
        <span class="mono dim" title={t.owner}>
          {shortID(t.owner)}
        </span>
      ),
  },
];

export const usualColumns = ["note", "tags", "attempts", "duration", "added"];

// Where there is little room, tags and attempts are for those who ask for them.
const littleQuery = matchMedia("(max-width: 1000px)");
const little = signal(littleQuery.matches);
littleQuery.addEventListener("change", (e) => {
  little.value = e.matches;
});
const initial = (): string[] =>
  little.value ? usualColumns.filter((id) => id !== "tags" && id !== "attempts") : usualColumns;

// columnsOf are the columns of those names, in our order; unknown names are left out. No names are the usual ones for the width of the window:
// a component that calls it is drawn again when that changes.
export function columnsOf(names: string[]): Column[] {
  const wanted = names.length ? names : initial();
  const found = allColumns.filter((c) => wanted.includes(c.id));
  return found.length ? found : columnsOf([]);
}

// template is the grid of a row, the same for the head and all rows, and the width below which it scrolls sideways.
export function template(columns: Column[], checks: boolean): { cols: string; min: string } {
  const tracks = [...(checks ? ["28px"] : []), "104px", "minmax(150px, 1.3fr)", ...columns.map((c) => c.width)];
  const least = tracks.reduce((sum, t) => sum + Number(/\d+/.exec(t)?.[0] ?? 0), 0);
  return { cols: tracks.join(" "), min: `${least + 12 * (tracks.length - 1)}px` };
}
