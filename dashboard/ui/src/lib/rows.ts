// The window of tasks that the list shows: pages from the server, newest first, with the live stream's changes applied.
// While somebody reads (has scrolled down, or paused) the rows stay where they are: what is new is kept aside and what does not match any
// more stays, marked, until settle.

import { isLive, type Progress, type Task } from "../api/types";

export const maxRows = 5000;
const maxAside = 1000;

export class Rows {
  list: Task[] = [];
  next = ""; // cursor of the page after the last row; "" when there is none
  gone = new Set<string>(); // rows that do not match any more
  stale = false; // something changed that only the server can sort in
  private aside = new Map<string, Task>(); // new ones that are not shown yet
  private since = new Map<string, Task>(); // told by the stream while a page was on its way

  // fresh is how many new tasks wait to be shown.
  get fresh(): number {
    return this.aside.size;
  }

  // loading must be called before a page is asked for: what the stream tells from then on is newer than what the page brings.
  loading(): void {
    this.since.clear();
  }

  replace(page: Task[], next: string): void {
    this.aside.clear();
    this.gone.clear();
    this.stale = false;
    this.list = page.map((t) => this.newest(t));
    this.next = next;
  }

  append(page: Task[], next: string): void {
    const known = new Set(this.list.map((t) => t.task_id));
    this.list = this.list.concat(page.filter((t) => !known.has(t.task_id)).map((t) => this.newest(t)));
    this.next = this.list.length >= maxRows ? "" : next;
  }

  private newest(t: Task): Task {
    const told = this.since.get(t.task_id);
    return told && !outdated(told, t) ? told : t;
  }

  // apply takes a change. fits: whether it matches the filter, null when only the server can tell. sorted: rows are in the order of
  // ids, newest first, so that a new one has its place. corrected: an earlier state is not an outdated one.
  apply(t: Task, fits: boolean | null, reading: boolean, sorted: boolean, corrected = false): void {
    if (this.since.size < maxAside) this.since.set(t.task_id, t);
    const i = this.list.findIndex((row) => row.task_id === t.task_id);
    if (i >= 0) {
      const known = this.list[i] as Task;
      if (!corrected && outdated(t, known)) return;
      if (fits === false && !reading) {
        this.list = this.list.toSpliced(i, 1);
        this.gone.delete(t.task_id);
        return;
      }
      this.list = this.list.with(i, t);
      if (fits === false) this.gone.add(t.task_id);
      else this.gone.delete(t.task_id);
      return;
    }
    if (fits === false) {
      this.aside.delete(t.task_id);
      return;
    }
    if (fits === null) {
      this.stale = true;
      return;
    }
    const last = this.list.at(-1);
    if (sorted && this.next && last && t.task_id < last.task_id) return; // on a page that is not loaded
    const waiting = this.aside.get(t.task_id);
    if (waiting && outdated(t, waiting)) return;
    if (this.aside.size < maxAside || waiting) this.aside.set(t.task_id, t);
    else this.stale = true;
    if (!reading && sorted) this.settle();
  }

  // progress notes how far a running task is, and reports whether it is among the rows.
  progress(id: string, progress: Progress): boolean {
    const i = this.list.findIndex((row) => row.task_id === id);
    const known = this.list[i];
    if (!known || !isLive(known.status)) return false;
    this.list = this.list.with(i, { ...known, progress });
    return true;
  }

  // settle shows what waits and drops what is gone.
  settle(): void {
    const rows = this.gone.size ? this.list.filter((t) => !this.gone.has(t.task_id)) : this.list.slice();
    this.gone.clear();
    const fresh = [...this.aside.values()].sort((a, b) => (a.task_id < b.task_id ? 1 : -1));
    this.aside.clear();
    let i = 0;
    for (const t of fresh) {
      while (i < rows.length && (rows[i] as Task).task_id > t.task_id) i++;
      rows.splice(i, 0, t);
    }
    if (rows.length > maxRows) {
      rows.length = maxRows;
      this.next = (rows.at(-1) as Task).task_id;
    }
    this.list = rows;
  }
}

// outdated reports whether t is an older state than known, of the same task: nothing that has ended goes on.
export function outdated(t: Task, known: Task): boolean {
  return isLive(t.status) && !isLive(known.status);
}
