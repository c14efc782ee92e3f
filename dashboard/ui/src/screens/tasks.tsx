// Tasks: the live list, with its filter in the URL.

import { effect, untracked } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, data } from "../api/client";
import type { Task } from "../api/types";
import { isLive, isRetryable } from "../api/types";
import { bulkFilter, clip, type Filter, filterParams, isEmpty, noFilter, parseFilter } from "../lib/filter";
import { count, plural } from "../lib/format";
import { addTask } from "../lib/teach";
import { paused } from "../live/live";
import { retry } from "../state/actions";
import { mayAct, me } from "../state/me";
import { go, path, search } from "../state/route";
import { columns as savedColumns } from "../state/settings";
import { listQuery, TaskList, usualSort } from "../state/tasklist";
import { Button, Code, Empty, Failed, Menu, NotUnderstood } from "../ui/basics";
import { BulkDialog, type BulkTarget } from "../ui/bulk";
import { useKeys } from "../ui/keys";
import { useResource } from "../ui/resource";
import { allColumns, columnsOf, usualColumns } from "./columns";
import { FilterBar } from "./filterbar";
import { DeleteHistory, Export } from "./history";
import { TaskTable } from "./tasktable";

const list = new TaskList();
list.reading = () => true;
list.follow();

const sorts = ["created_at", "duration", "end_time"].flatMap((s) => [`-${s}`, s]);

function read(params: URLSearchParams) {
  const asked = params.get("sort") ?? usualSort;
  const { filter, wrong } = parseFilter(params);
  const sort = sorts.includes(asked) ? asked : usualSort;
  if (sort !== asked) wrong.push(`sort “${clip(asked)}” is none of ${sorts.join(", ")}`);
  return { filter, wrong, sort };
}

// The list follows the address by itself: it is asked for before the screen is drawn.
effect(() => {
  if (path.value !== "/tasks") return;
  const { filter, sort } = read(new URLSearchParams(search.value));
  untracked(() => list.open(filter, sort));
});

export function TasksScreen() {
  const params = useMemo(() => new URLSearchParams(search.value), [search.value]);
  const { filter, wrong, sort } = useMemo(() => read(params), [params]);
  const named = (params.get("cols") ?? "").split(",").filter(Boolean);
  const wanted = columnsOf(named.length ? named : (savedColumns.value ?? []));
  const columns = useMemo(() => wanted, [wanted.map((c) => c.id).join()]); // the same as before, where they are
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [bulk, setBulk] = useState<BulkTarget | null>(null);
  const [deleting, setDeleting] = useState(false);

  const key = `${filterParams(filter)}|${sort}`;
  useEffect(() => setSelected((was) => (was.size > 0 ? new Set() : was)), [key]);

  // show puts a filter into the URL, from where it comes back.
  const show = (next: Partial<Filter>, replace = false) => {
    const p = filterParams({ ...filter, ...next });
    for (const keep of ["sort", "cols"]) if (params.has(keep)) p.set(keep, params.get(keep) as string);
    go(`/tasks${p.size ? `?${p}` : ""}`, { replace });
  };
  const set = (name: string, value: string) => {
    const p = new URLSearchParams(params);
    if (value) p.set(name, value);
    else p.delete(name);
    go(`/tasks${p.size ? `?${p}` : ""}`, { replace: true });
  };

  void list.version.value;
  const { error, first, loading } = list.state.value;
  const rows = list.rows.list;
  const picked = rows.filter((t) => selected.has(t.task_id));

  // Where there are no rows, nobody is in the middle of reading them.
  useEffect(() => {
    if (list.rows.list.length === 0 && list.rows.fresh > 0 && !paused.value) list.settle();
  });

  useKeys({
    Escape: () => {
      const active = document.activeElement as HTMLElement | null;
      if (active?.matches("input")) active.blur();
      else if (selected.size) setSelected(new Set());
    },
  });

  const start = (action: BulkTarget["action"], some: Task[]) =>
    setBulk({
      action,
      ids: some.map((t) => t.task_id),
      what: some.length === 1 ? "1 task" : `${some.length} selected tasks`,
    });
  const onRetry = (t: Task) => {
    const some = picked.filter(isRetryable);
    if (some.length) start("retry", some);
    else if (isRetryable(t)) void retry(t);
  };

  return (
    <div class="page full">
      <div class="page-head">
        <h1>Tasks</h1>
        <Count filter={filter} />
        <div class="head-do">
          <ColumnMenu
            shown={columns.map((c) => c.id)}
            onPick={(ids) => {
              savedColumns.value = ids;
              set("cols", ids.join() === usualColumns.join() ? "" : ids.join());
            }}
          />
          <Menu icon="ellipsis" label="More">
            <Export query={listQuery(filter)} />
            {mayAct() && (
              <>
                <hr />
                <Button kind="ghost" icon="trash-2" onClick={() => setDeleting(true)}>
                  Delete history …
                </Button>
              </>
            )}
          </Menu>
        </div>
      </div>
      <FilterBar filter={filter} show={show} after={list.loaded} />
      <NotUnderstood wrong={wrong} />
      {picked.length > 0 && mayAct() && (
        <Selection
          picked={picked}
          filter={filter}
          more={list.rows.next !== ""}
          clear={() => setSelected(new Set())}
          start={start}
          onBulk={setBulk}
        />
      )}
      {error && <Failed error={error} what="The list" reload={list.reload} />}
      {error?.status === 400 && error.message.includes("sort") && sort !== usualSort && (
        <p>
          <Button icon="arrow-down" onClick={() => set("sort", "")}>
            Sort by time instead
          </Button>
        </p>
      )}
      {!error && !first && !loading && rows.length === 0 && list.rows.fresh === 0 ? (
        <Nothing filter={filter} next={list.rows.next} show={show} />
      ) : (
        (!error || rows.length > 0) && (
          <TaskTable
            list={list}
            columns={columns}
            sort={sort}
            selected={selected}
            onSelect={setSelected}
            onSort={(s) => set("sort", s === usualSort ? "" : s)}
            onPick={(tag) => show({ tag: [...new Set([...filter.tag, tag])] })}
            onRetry={onRetry}
          />
        )
      )}
      {bulk && <BulkDialog target={bulk} onClose={() => setBulk(null)} onStarted={() => setSelected(new Set())} />}
      {deleting && <DeleteHistory onClose={() => setDeleting(false)} onDone={list.reload} />}
    </div>
  );
}

function Count({ filter }: { filter: Filter }) {
  const query = listQuery(filter);
  const { data: got } = useResource(
    `count ${filterParams(filter)}`,
    () => list.loaded().then(() => data(api.GET("/count", { params: { query } }))),
    30,
  );
  if (!got) return null;
  return <span class="dim num">{got.exact ? count(got.count) : `more than ${count(got.count)}`}</span>;
}

function ColumnMenu({ shown, onPick }: { shown: string[]; onPick: (ids: string[]) => void }) {
  return (
    <Menu icon="columns-3" label="Columns">
      <fieldset class="checks" aria-label="Columns">
        {allColumns.map((c) => (
          <label key={c.id}>
            <input
              type="checkbox"
              checked={shown.includes(c.id)}
              onChange={(e) =>
                onPick(
                  allColumns
                    .map((x) => x.id)
                    .filter((id) => (id === c.id ? e.currentTarget.checked : shown.includes(id))),
                )
              }
            />
            {c.head}
          </label>
        ))}
      </fieldset>
    </Menu>
  );
}

interface SelectionProps {
  picked: Task[];
  filter: Filter;
  more: boolean;
  clear: () => void;
  start: (action: BulkTarget["action"], some: Task[]) => void;
  onBulk: (t: BulkTarget) => void;
}

function Selection({ picked, filter, more, clear, start, onBulk }: SelectionProps) {
  const retryable = picked.filter(isRetryable);
  const live = picked.filter((t) => isLive(t.status));
  const ended = picked.filter((t) => !isLive(t.status));
  const every = (action: BulkTarget["action"]) =>
    onBulk({ action, filters: [bulkFilter(filter)], what: "all tasks that match the filter" });
  return (
    <div class="selection" role="toolbar" aria-label="Selected tasks">
      <strong>{plural(picked.length, "task")} selected</strong>
      <Button small icon="rotate-ccw" disabled={retryable.length === 0} onClick={() => start("retry", retryable)}>
        Replay {retryable.length || ""}
      </Button>
      <Button small icon="status-cancelled" disabled={live.length === 0} onClick={() => start("cancel", live)}>
        Cancel {live.length || ""}
      </Button>
      <Button small icon="trash-2" disabled={ended.length === 0} onClick={() => start("delete", ended)}>
        Delete {ended.length || ""}
      </Button>
      {more && (
        <Menu text="All that match" label="All that match the filter" align="left">
          <Button kind="ghost" icon="rotate-ccw" onClick={() => every("retry")}>
            Replay all that match …
          </Button>
          <Button kind="ghost" icon="status-cancelled" onClick={() => every("cancel")}>
            Cancel all that match …
          </Button>
          <Button kind="ghost" icon="trash-2" onClick={() => every("delete")}>
            Delete all that match …
          </Button>
        </Menu>
      )}
      <Button small kind="ghost" icon="x" onClick={clear}>
        Clear
      </Button>
    </div>
  );
}

function Nothing({ filter, next, show }: { filter: Filter; next: string; show: (f: Partial<Filter>) => void }) {
  if (next) {
    return (
      <Empty icon="search" title="None among the newest tasks">
        <p>The older ones are still to be searched.</p>
        <Button onClick={list.more}>Search on</Button>
      </Empty>
    );
  }
  if (isEmpty(filter)) {
    return (
      <Empty icon="hourglass" title="No tasks yet">
        <p>They appear here as soon as a handler adds one:</p>
        <Code text={addTask(me.value?.framework ?? "")} />
      </Empty>
    );
  }
  return (
    <Empty icon="search" title="No task matches">
      <p>
        {filter.since
          ? "Nothing of that kind was added in that time."
          : "Nothing of that kind was ever added, or it has been deleted."}
      </p>
      <p class="row">
        {filter.since && <Button onClick={() => show({ since: "" })}>Search all times</Button>}
        <Button onClick={() => show(noFilter)}>Clear the filter</Button>
      </p>
    </Empty>
  );
}
