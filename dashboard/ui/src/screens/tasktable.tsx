// TaskTable draws the rows in sight. It is a table to screen readers; the one row in the tab order is the cursor.

import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Task } from "../api/types";
import { busy } from "../state/actions";
import { mayAct, mayNot } from "../state/me";
import { go, taskLink } from "../state/route";
import { still } from "../state/settings";
import type { TaskList } from "../state/tasklist";
import { Button, Icon, StatusMark, Time, Waiting } from "../ui/basics";
import { useKeys } from "../ui/keys";
import { useVirtual } from "../ui/virtual";
import { type Column, Note, template } from "./columns";

const narrowQuery = matchMedia("(max-width: 640px)");
const narrow = signal(narrowQuery.matches);
narrowQuery.addEventListener("change", (e) => {
  narrow.value = e.matches;
});

interface Props {
  list: TaskList;
  columns: Column[];
  sort: string;
  selected: ReadonlySet<string>;
  onSelect: (next: Set<string>) => void;
  onSort: (sort: string) => void;
  onPick: (tag: string) => void;
  onRetry: (t: Task) => void;
}

export function TaskTable({ list, columns, sort, selected, onSelect, onSort, onPick, onRetry }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState<string | null>(null); // the id, since rows move
  const begun = useRef(list.begun);
  const anchor = useRef<number>(0); // where a selection by shift begins
  void list.version.value;
  const rows = list.rows.list;
  const small = narrow.value;
  const v = useVirtual(scroller, {
    count: rows.length,
    estimateSize: () => (small ? 56 : 32),
    getItemKey: (i) => rows[i]?.task_id ?? i,
    initialOffset: list.scrollTop,
    overscan: 6,
  });
  useEffect(() => v.measure(), [small]);
  useLayoutEffect(() => {
    if (begun.current !== list.begun && scroller.current) scroller.current.scrollTop = 0;
    begun.current = list.begun;
  });

  list.reading = () => (scroller.current?.scrollTop ?? 0) > 8;
  useEffect(
    () => () => {
      list.reading = () => true; // it is shown as it was when the reader comes back
    },
    [list],
  );

  const items = v.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lastShown >= rows.length - 30) list.more();
  });

  const at = cursor ? rows.findIndex((t) => t.task_id === cursor) : -1;
  const move = (to: number) => {
    const i = Math.max(0, Math.min(rows.length - 1, to));
    const t = rows[i];
    if (!t) return;
    setCursor(t.task_id);
    v.scrollToIndex(i, { align: "auto" });
    requestAnimationFrame(() =>
      scroller.current
        ?.querySelector<HTMLElement>(`[data-id="${CSS.escape(t.task_id)}"]`)
        ?.focus({ preventScroll: true }),
    );
  };
  const toggle = (i: number, through: boolean) => {
    const next = new Set(selected);
    const t = rows[i];
    if (!t) return;
    const on = !next.has(t.task_id);
    const [from, to] = through ? [Math.min(anchor.current, i), Math.max(anchor.current, i)] : [i, i];
    for (const row of rows.slice(from, to + 1)) {
      if (on) next.add(row.task_id);
      else next.delete(row.task_id);
    }
    anchor.current = i;
    onSelect(next);
  };
  useKeys({
    j: () => move(at + 1),
    k: () => move(at < 0 ? 0 : at - 1),
    ArrowDown: () => move(at + 1),
    ArrowUp: () => move(at < 0 ? 0 : at - 1),
    Enter: () => rows[at] && go(taskLink(rows[at].task_id).slice(1)),
    x: () => (mayAct() ? at >= 0 && toggle(at, false) : mayNot("selected")),
    r: () => (mayAct() ? rows[at] && onRetry(rows[at]) : mayNot("replayed")),
  });

  const on = useRef<Handlers>({ focus: setCursor, toggle, pick: onPick });
  on.current = { focus: setCursor, toggle, pick: onPick };
  const { cols, min } = template(columns, mayAct());
  const all = rows.length > 0 && rows.every((t) => selected.has(t.task_id));
  const fresh = list.rows.fresh;
  const changed = list.rows.stale || list.rows.gone.size > 0;
  const { loading, first } = list.state.value;
  // Rows of the filter before grow pale, should the answer take its time.
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!first || !loading) return;
    const timer = setTimeout(() => setSlow(true), 300);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [first, loading]);
  const toTop = () => {
    list.settle();
    scroller.current?.scrollTo({ top: 0, behavior: still.matches ? "auto" : "smooth" });
  };

  return (
    <div class="table-place">
      {(fresh > 0 || changed) && !first && (
        <div class="fresh" role="status">
          <Button small kind="primary" icon="arrow-up" onClick={toTop}>
            {fresh > 0 ? `${fresh} new` : "Show the changes"}
          </Button>
        </div>
      )}
      <div
        ref={scroller}
        class="table"
        role="table"
        aria-label="Tasks"
        aria-rowcount={list.rows.next ? -1 : rows.length + 1}
        aria-busy={loading}
        style={{ "--cols": cols, "--min": min }}
        onScroll={(e) => {
          list.scrollTop = e.currentTarget.scrollTop;
        }}
      >
        <div role="rowgroup" class="thead">
          <div role="row" class="tr">
            {mayAct() && (
              <span role="columnheader" class="c-check">
                <input
                  type="checkbox"
                  aria-label="Select all that are loaded"
                  checked={all}
                  disabled={rows.length === 0}
                  onChange={() => onSelect(all ? new Set() : new Set(rows.map((t) => t.task_id)))}
                />
              </span>
            )}
            <span role="columnheader">Status</span>
            <span role="columnheader">Function</span>
            {columns.map((c) => (
              <Head key={c.id} c={c} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
        {first && loading && rows.length === 0 ? (
          <Waiting lines={8} />
        ) : (
          <div role="rowgroup" class={slow ? "tbody former" : "tbody"} style={{ height: `${v.getTotalSize()}px` }}>
            {items.map((item) => {
              const t = rows[item.index];
              if (!t) return null;
              return (
                <Row
                  key={t.task_id}
                  t={t}
                  index={item.index}
                  top={item.start}
                  height={item.size}
                  columns={columns}
                  small={small}
                  gone={list.rows.gone.has(t.task_id)}
                  selected={selected.has(t.task_id)}
                  tabbed={at >= 0 ? at === item.index : item.index === 0}
                  on={on}
                />
              );
            })}
          </div>
        )}
        {!first && loading && <p class="dim table-end">loading …</p>}
        {!first && !loading && rows.length > 0 && !list.rows.next && (
          <p class="dim table-end">
            {rows.length >= 5000 ? "Only the first 5,000 are shown; narrow the filter to see others." : "That is all."}
          </p>
        )}
      </div>
    </div>
  );
}

interface Handlers {
  focus: (id: string) => void;
  toggle: (index: number, through: boolean) => void;
  pick: (tag: string) => void;
}

interface RowProps {
  t: Task;
  index: number;
  top: number;
  height: number;
  columns: Column[];
  small: boolean;
  gone: boolean;
  selected: boolean;
  tabbed: boolean;
  on: { current: Handlers };
}

// Row is drawn again only when something of it has changed: it reads signals, and of such components the same props mean the same picture.
function Row({ t, index, top, height, columns, small, gone, selected, tabbed, on }: RowProps) {
  const act = mayAct();
  const pick = (tag: string) => on.current.pick(tag); // the filter that it adds to may have changed since
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the table's, for all rows
    <div
      role="row"
      class={`tr ${gone ? "gone" : ""} ${busy.value.has(t.task_id) ? "busy" : ""}`}
      data-id={t.task_id}
      aria-rowindex={index + 2}
      aria-selected={act ? selected : undefined}
      tabIndex={tabbed ? 0 : -1}
      style={{ top: `${top}px`, height: `${height}px` }}
      onFocus={() => on.current.focus(t.task_id)}
      onClick={(e) => {
        if ((e.target as HTMLElement).closest("a, button, input, label") || getSelection()?.toString()) return;
        go(taskLink(t.task_id).slice(1));
      }}
    >
      {act && (
        <span role="cell" class="c-check">
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={`Select ${t.func_name} ${t.task_id}`}
            checked={selected}
            onClick={(e) => on.current.toggle(index, e.shiftKey)}
          />
        </span>
      )}
      <span role="cell" class="c-status">
        <StatusMark status={t.status} />
      </span>
      <span role="cell" class="c-name">
        <a href={taskLink(t.task_id)} tabIndex={-1} class="mono clip">
          <bdi>{t.func_name}</bdi>
        </a>
        {t.retried_by && <Icon name="rotate-ccw" label="replayed" class="faint" />}
      </span>
      {small ? (
        <>
          <span role="cell" class="c-note">
            <Note t={t} />
          </span>
          <span role="cell" class="c-added num dim">
            <Time iso={t.created_at} />
          </span>
        </>
      ) : (
        columns.map((c) => (
          <span role="cell" key={c.id} class={`c-${c.id} ${c.number ? "num" : ""}`}>
            {c.cell(t, pick)}
          </span>
        ))
      )}
    </div>
  );
}

function Head({ c, sort, onSort }: { c: Column; sort: string; onSort: (s: string) => void }) {
  if (!c.sort) {
    return (
      <span role="columnheader" class={c.number ? "num" : ""}>
        {c.head}
      </span>
    );
  }
  const down = sort === `-${c.sort}`;
  const up = sort === c.sort;
  return (
    <span role="columnheader" class={c.number ? "num" : ""} aria-sort={down ? "descending" : up ? "ascending" : "none"}>
      <button type="button" class="sorter" onClick={() => onSort(down ? (c.sort as string) : `-${c.sort}`)}>
        {(down || up) && <Icon name={down ? "arrow-down" : "arrow-up"} />}
        {c.head}
      </button>
    </span>
  );
}
