// The window of tasks that a list shows: pages from the server, newest first, with the live stream's changes applied. A change alters a
// row where it is; what is new is kept aside and what does not match any more is marked, until settle. While somebody reads (has scrolled
// down, or paused) nobody calls settle, and no row moves.

import { isLive, type Progress, type Task } from "../api/types";

export const maxRows = 5000;
export const settledRows = 500; // kept when new ones come in: nobody reads, and older pages can be asked for again
const maxAside = 1000;

// Fits: whether a task matches the filter; null when only the server can tell.
type Fits = boolean | null;

export class Rows {
  list: Task[] = [];
  next = ""; // cursor of the page after the last row; "" when there is none
  gone = new Set<string>(); // rows that do not match any more
  stale = false; // something changed that only the server can sort in
  private aside = new Map<string, Task>(); // new ones that are not shown yet
  private told = new Map<string, { task: Task; fits: Fits }>(); // by the stream, while a page is on its way
  private reported = new Map<string, Progress>(); // the same of progress

  // fresh is how many new tasks wait to be shown.
  get fresh(): number {
    return this.aside.size;
  }

  // loading must be called before a page is asked for: what the stream tells from then on is newer than what the page brings.
  loading(): void {
    this.told.clear();
    this.reported.clear();
  }

  replace(page: Task[], next: string): void {
    this.aside.clear();
    this.gone.clear();
    this.stale = false;
    this.list = page;
    this.next = next;
    this.tellAgain();
  }

  append(page: Task[], next: string): void {
    const known = new Set(this.list.map((t) => t.task_id));
    this.list = this.list.concat(page.filter((t) => !known.has(t.task_id)));
    this.next = this.list.length >= maxRows ? "" : next;
    this.tellAgain();
  }

  // tellAgain tells the new rows what the stream has told meanwhile: what the page did not know is on top of it.
  private tellAgain(): void {
    for (const { task, fits } of [...this.told.values()]) this.apply(task, fits);
    for (const [id, progress] of [...this.reported]) this.progress(id, progress);
  }

  // apply takes a change. corrected: an earlier state is not an outdated one, but what an action was taken back to.
  apply(t: Task, fits: Fits, corrected = false): void {
    if (this.told.size < maxAside) this.told.set(t.task_id, { task: t, fits });
    const i = this.list.findIndex((row) => row.task_id === t.task_id);
    const known = this.list[i] ?? this.aside.get(t.task_id);
    if (known && !corrected && outdated(t, known)) return;
    // a page that was asked for later may know more than the stream had told by then
    if (known?.progress && !t.progress && isLive(t.status) && known.attempts === t.attempts)
      t = { ...t, progress: known.progress };
    if (i >= 0) {
      this.list = this.list.with(i, t);
      if (fits === false) this.gone.add(t.task_id);
      else this.gone.delete(t.task_id);
    } else if (fits === false) {
      this.aside.delete(t.task_id);
    } else if (fits === null || (this.aside.size >= maxAside && !known)) {
      this.stale = true;
    } else {
      this.aside.set(t.task_id, t);
    }
  }

  // progress notes how far a running task is, and reports whether it is among the rows.
  progress(id: string, progress: Progress): boolean {
    if (this.reported.size < maxAside) this.reported.set(id, progress);
    const waiting = this.aside.get(id);
    if (waiting && isLive(waiting.status)) this.aside.set(id, { ...waiting, progress });
    const i = this.list.findIndex((row) => row.task_id === id);
    const known = this.list[i];
    if (!known || !isLive(known.status)) return false;
    this.list = this.list.with(i, { ...known, progress });
    return true;
  }

  // settle drops what is gone and shows what waits. In another order than the usual one only the server knows the places of new ones:
  // they go on waiting.
  settle(usualOrder: boolean): void {
    if (this.gone.size > 0) {
      this.list = this.list.filter((t) => !this.gone.has(t.task_id));
      this.gone.clear();
    }
    if (!usualOrder || this.aside.size === 0) return;
    const rows = this.list.slice();
    const last = rows.at(-1);
    let i = 0;
    for (const t of [...this.aside.values()].sort((a, b) => (a.task_id < b.task_id ? 1 : -1))) {
      if (this.next && last && t.task_id < last.task_id) break; // on a page that is not loaded
      while (i < rows.length && (rows[i] as Task).task_id > t.task_id) i++;
      rows.splice(i, 0, t);
    }
    this.aside.clear();
    if (rows.length > settledRows) {
      rows.length = settledRows;
      this.next = (rows.at(-1) as Task).task_id;
    }
    this.list = rows;
  }
}

// outdated reports whether t is an older state than known, of the same task: nothing that has ended goes on.
export function outdated(t: Task, known: Task): boolean {
  return isLive(t.status) && !isLive(known.status);
}
