// A live list of tasks: the rows, what is being loaded, and whether somebody reads them. It lives longer than the screen that shows it, so
// that a reader who comes back finds it as it was, and up to date.

import { signal } from "@preact/signals";
import { ApiError, api, nextCursor } from "../api/client";
import type { Task } from "../api/types";
import { type Filter, filterParams, matches, noFilter } from "../lib/filter";
import { Rows } from "../lib/rows";
import { listen, miss, paused } from "../live/live";
import { now } from "./clock";

export const usualSort = "-created_at";

// listQuery is the query string's parameters for GET / and what has the same filters.
export function listQuery(f: Filter): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.fromEntries(filterParams(f));
  if (f.tag.length) query.tag = f.tag;
  return query;
}

export class TaskList {
  readonly rows = new Rows();
  readonly version = signal(0); // goes up with every change of rows
  readonly state = signal<{ loading: boolean; error: ApiError | null; first: boolean }>({
    loading: false,
    error: null,
    first: true,
  });
  reading = () => false; // whether rows must stay where they are
  begun = 0; // goes up when other rows are there, to be seen from the first one
  scrollTop = 0;
  private filter: Filter = noFilter;
  private sort = usualSort;
  private key = "";
  private turn = 0;
  private former = false; // the rows are those of the filter before
  private loads = Promise.resolve();
  private reloadTimer: ReturnType<typeof setTimeout> | undefined;
  private lastReload = 0;

  constructor(private readonly pageSize = 100) {}

  // open shows the tasks of a filter, in an order. The same as before changes nothing. Until they are there the former ones stay: one change of the
  // page is faster than two, and calmer.
  open(filter: Filter, sort: string): void {
    const key = `${filterParams(filter)}|${sort}`;
    if (key === this.key) return;
    this.key = key;
    this.filter = filter;
    this.sort = sort;
    this.former = true;
    this.state.value = { loading: true, error: null, first: true };
    void this.load("");
  }

  // loaded resolves when the tasks that are being loaded are there, or have failed: what is less urgent waits for that.
  loaded = (): Promise<void> => this.loads;

  reload = (): void => {
    void this.load("");
  };

  more = (): void => {
    if (!this.state.value.loading && !this.state.value.error && this.rows.next) void this.load(this.rows.next);
  };

  settle = (): void => {
    if (this.rows.stale || this.sort !== usualSort) {
      this.reload();
      return;
    }
    this.rows.settle(true);
    this.changed();
  };

  // follow applies the stream's changes until the function it returns is called.
  follow(): () => void {
    return listen({
      tasks: (changed, how) => {
        const reading = this.reading() || paused.value;
        for (const t of changed) this.rows.apply(t, matches(this.filter, t, now.value), how === "corrected");
        if (!reading) this.rows.settle(this.sort === usualSort);
        if (!reading && this.rows.stale) this.reloadSoon();
        this.changed();
      },
      progress: ({ task_id, progress }) => {
        if (this.rows.progress(task_id, progress)) this.changed();
      },
      reset: () => {
        if (!this.reading()) return this.reloadSoon();
        this.rows.stale = true;
        this.changed();
      },
    });
  }

  private arrived(): void {
    if (!this.former) return;
    this.former = false;
    if (this.scrollTop > 0) this.begun++;
    this.scrollTop = 0;
  }

  private changed(): void {
    this.version.value++;
  }

  // reloadSoon loads again, but not more often than people read.
  private reloadSoon(): void {
    if (this.reloadTimer) return;
    this.reloadTimer = setTimeout(
      () => {
        this.reloadTimer = undefined;
        if (paused.value) return miss();
        this.lastReload = Date.now();
        this.reload();
      },
      Math.max(50, this.lastReload + 1500 - Date.now()),
    );
  }

  private load(cursor: string): Promise<void> {
    this.loads = this.fetch(cursor);
    return this.loads;
  }

  private async fetch(cursor: string): Promise<void> {
    const mine = ++this.turn;
    this.rows.loading();
    this.state.value = { ...this.state.value, loading: true, error: null };
    const query: Record<string, unknown> = { limit: this.pageSize, ...listQuery(this.filter) };
    if (this.sort !== usualSort) query.sort = this.sort;
    if (cursor) query.cursor = cursor;
    try {
      const { data, response } = await api.GET("/", { params: { query } });
      if (mine !== this.turn) return;
      const page = (data ?? []) as Task[];
      if (cursor) this.rows.append(page, nextCursor(response));
      else this.rows.replace(page, nextCursor(response));
      const reading = this.reading() && !this.former; // of others nobody has read anything yet
      this.arrived();
      if (!reading && !paused.value) this.rows.settle(this.sort === usualSort);
      this.state.value = { loading: false, error: null, first: false };
    } catch (err) {
      if (mine !== this.turn) return;
      const error = err instanceof ApiError ? err : new ApiError(0, "Failed", String(err));
      if (this.former) this.rows.replace([], "");
      this.arrived();
      this.state.value = { ...this.state.value, loading: false, error };
    }
    this.changed();
  }
}
