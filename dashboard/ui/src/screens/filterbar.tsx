// The filter above the task list. It shows what the URL says, and writes what the reader picks into it.

import { useEffect, useState } from "preact/hooks";
import { api, data } from "../api/client";
import { type Status, statuses } from "../api/types";
import { type Filter, isEmpty, noFilter } from "../lib/filter";
import { sourceWord } from "../lib/words";
import { Button, Icon, Menu } from "../ui/basics";
import { useResource } from "../ui/resource";

const ages: [string, string][] = [
  ["", "any time"],
  ["15m", "last 15 min"],
  ["1h", "last hour"],
  ["6h", "last 6 h"],
  ["24h", "last 24 h"],
  ["7d", "last 7 days"],
  ["30d", "last 30 days"],
];

export function FilterBar({
  filter,
  show,
  after,
}: {
  filter: Filter;
  show: (next: Partial<Filter>, replace?: boolean) => void;
  after: () => Promise<void>; // when there is time for what is chosen from
}) {
  const names = useResource("functions", () => after().then(() => data(api.GET("/functions"))));
  const [text, setText] = useState(filter.q);
  useEffect(() => setText(filter.q), [filter.q]);
  // the search waits until the reader stops typing
  useEffect(() => {
    if (text.trim() === filter.q) return;
    const t = setTimeout(() => show({ q: text.trim() }, true), 150);
    return () => clearTimeout(t);
  }, [text]);
  const toggle = (s: Status) =>
    show({ status: filter.status.includes(s) ? filter.status.filter((x) => x !== s) : [...filter.status, s] });
  const others = (["source", "instance", "priority", "failure_group"] as const).filter((name) => filter[name]);
  const custom = filter.since && !ages.some(([v]) => v === filter.since);
  return (
    <div class="filter" role="search" aria-label="Filter">
      <label class="search">
        <Icon name="search" />
        <span class="sr-only">Search in function, error, tags, or the beginning of an id</span>
        <input
          type="search"
          value={text}
          maxLength={200}
          placeholder="Function, error, tag or id"
          onInput={(e) => setText(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key === "Enter") show({ q: text.trim() });
            if (e.key === "Escape") e.currentTarget.blur();
          }}
        />
        <kbd>/</kbd>
      </label>
      <fieldset class="chips" aria-label="Status">
        {statuses.map((s) => (
          <button
            key={s}
            type="button"
            class={`chip status-${s}`}
            aria-pressed={filter.status.includes(s)}
            onClick={() => toggle(s)}
          >
            <Icon name={`status-${s}`} />
            {s}
          </button>
        ))}
      </fieldset>
      <select
        aria-label="Function"
        value={filter.func_name}
        class={filter.func_name ? "set" : ""}
        onChange={(e) => show({ func_name: e.currentTarget.value })}
      >
        <option value="">any function</option>
        {filter.func_name && !names.data?.some((f) => f.func_name === filter.func_name) && (
          <option value={filter.func_name}>{filter.func_name}</option>
        )}
        {names.data?.map((f) => (
          <option key={f.func_name} value={f.func_name}>
            {f.func_name}
          </option>
        ))}
      </select>
      <select
        aria-label="Added"
        value={filter.since}
        class={filter.since ? "set" : ""}
        onChange={(e) => show({ since: e.currentTarget.value })}
      >
        {ages.map(([v, name]) => (
          <option key={v} value={v}>
            {name}
          </option>
        ))}
        {custom && <option value={filter.since}>since {filter.since}</option>}
      </select>
      <AddTag onAdd={(tag) => show({ tag: [...new Set([...filter.tag, tag])] })} />
      {filter.tag.map((t) => (
        <Pill key={t} name="tag" value={t} onDrop={() => show({ tag: filter.tag.filter((x) => x !== t) })} />
      ))}
      {others.map((name) => (
        <Pill
          key={name}
          name={name.replace("_", " ")}
          value={name === "source" ? sourceWord(filter[name]) : filter[name]}
          onDrop={() => show({ [name]: "" })}
        />
      ))}
      {filter.until && <Pill name="until" value={filter.until} onDrop={() => show({ until: "" })} />}
      {!isEmpty(filter) && (
        <span class="clear">
          <Button kind="ghost" small icon="x" onClick={() => show(noFilter)}>
            <span>Clear</span>
          </Button>
        </span>
      )}
    </div>
  );
}

function Pill({ name, value, onDrop }: { name: string; value: string; onDrop: () => void }) {
  return (
    <span class="pill">
      <span class="dim">{name}</span> <bdi class="clip">{value}</bdi>
      <button type="button" aria-label={`Remove ${name} ${value}`} onClick={onDrop}>
        <Icon name="x" />
      </button>
    </span>
  );
}

function AddTag({ onAdd }: { onAdd: (tag: string) => void }) {
  return (
    <Menu icon="hash" text="Tag" label="Filter by a tag" align="left">
      <form
        class="addtag"
        onSubmit={(e) => {
          e.preventDefault();
          const input = e.currentTarget.elements.namedItem("tag") as HTMLInputElement;
          if (input.value.trim()) onAdd(input.value.trim());
          input.value = "";
          e.currentTarget.closest("details")?.removeAttribute("open");
        }}
      >
        <label>
          Key, or key:value
          <input name="tag" maxLength={200} placeholder="user:42" autocomplete="off" />
        </label>
        <Button type="submit" small>
          Add
        </Button>
      </form>
    </Menu>
  );
}
