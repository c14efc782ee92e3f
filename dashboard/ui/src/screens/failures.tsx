// Failures: those of a kind are one group, with what can be done about all of it.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, api, data } from "../api/client";
import type { BulkFilter, FailureGroup } from "../api/types";
import { failureRanges } from "../lib/failures";
import { clip, unknown } from "../lib/filter";
import { count, plural, shortID } from "../lib/format";
import { message } from "../state/actions";
import { mayAct, mayNot } from "../state/me";
import { go, link, search, taskLink } from "../state/route";
import { say } from "../state/toasts";
import {
  Button,
  Dialog,
  Empty,
  Failed,
  Icon,
  Missing,
  NotUnderstood,
  Segments,
  Spark,
  Time,
  Waiting,
} from "../ui/basics";
import { BulkDialog, type BulkTarget } from "../ui/bulk";
import { useKeys } from "../ui/keys";
import { useResource } from "../ui/resource";

const words = { retry: "Replay", delete: "Discard" } as const;

export function FailuresScreen() {
  const params = new URLSearchParams(search.value);
  const wrong = unknown(params, ["since", "q", "func_name", "open"]);
  const asked = params.get("since") || "24h";
  const since = failureRanges.some(([v]) => v === asked) ? asked : "24h";
  if (since !== asked) wrong.push(`since “${clip(asked)}” is none of ${failureRanges.map(([v]) => v).join(", ")}`);
  const q = (params.get("q") ?? "").slice(0, 200);
  const func = (params.get("func_name") ?? "").slice(0, 200);
  const open = params.get("open") ?? "";
  const [text, setText] = useState(q);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [bulk, setBulk] = useState<BulkTarget | null>(null);
  const found = useResource(
    `failures ${since} ${q} ${func}`,
    () =>
      data(
        api.GET("/failures", {
          params: { query: { since, limit: 100, ...(q ? { q } : {}), ...(func ? { func_name: func } : {}) } },
        }),
      ),
    15,
  );

  const set = (name: string, value: string) => {
    const p = new URLSearchParams(search.value);
    if (value) p.set(name, value);
    else p.delete(name);
    go(`/failures${p.size ? `?${p}` : ""}`, { replace: true });
  };
  useEffect(() => {
    if (text.trim() === q) return;
    const t = setTimeout(() => set("q", text.trim()), 150);
    return () => clearTimeout(t);
  }, [text]);

  const groups = found.data?.groups ?? [];
  const picked = groups.filter((g) => selected.has(g.failure_group));
  const filterOf = (g: FailureGroup): BulkFilter => ({
    status: ["failed", "interrupted"],
    since,
    func_name: g.func_name,
    failure_group: g.failure_group,
  });
  const start = (action: "retry" | "delete", some: FailureGroup[]) =>
    setBulk({
      action,
      word: words[action],
      filters: some.map(filterOf),
      what: some.length === 1 ? `the failures of ${some[0]?.func_name}` : `${some.length} groups of failures`,
    });
  const every = (action: "retry" | "delete") =>
    setBulk({
      action,
      word: words[action],
      filters: [
        { status: ["failed", "interrupted"], since, ...(q ? { q } : {}), ...(func ? { func_name: func } : {}) },
      ],
      what: "all failures that match",
    });
  const toggle = (g: FailureGroup) => {
    const next = new Set(selected);
    if (!next.delete(g.failure_group)) next.add(g.failure_group);
    setSelected(next);
  };
  const heads = () => [...document.querySelectorAll<HTMLElement>(".group-head")];
  const at = () => heads().indexOf(document.activeElement as HTMLElement);
  useKeys({
    j: () => heads()[at() + 1]?.focus(),
    k: () => heads()[Math.max(0, at() - 1)]?.focus(),
    x: () => {
      if (!mayAct()) return mayNot("selected");
      const one = groups[at()];
      if (one) toggle(one);
    },
    r: () => {
      if (!mayAct()) return mayNot("replayed");
      const one = groups[at()];
      const some = picked.length ? picked : one ? [one] : [];
      if (some.length) start("retry", some);
    },
    Escape: () => {
      const active = document.activeElement as HTMLElement | null;
      if (active?.matches("input")) active.blur();
      else setSelected(new Set());
    },
  });

  return (
    <div class="page">
      <div class="page-head">
        <h1>Failures</h1>
        <Segments
          label="Time range"
          value={since}
          options={failureRanges}
          onPick={(v) => set("since", v === "24h" ? "" : v)}
        />
        {groups.length > 0 && mayAct() && (
          <div class="head-do">
            <Button icon="rotate-ccw" onClick={() => (picked.length ? start("retry", picked) : every("retry"))}>
              Replay {picked.length ? picked.length : "all"}
            </Button>
            <Button icon="trash-2" onClick={() => (picked.length ? start("delete", picked) : every("delete"))}>
              Discard {picked.length ? picked.length : "all"}
            </Button>
          </div>
        )}
      </div>
      {!found.error?.missing && (
        <div class="filter" role="search" aria-label="Filter">
          <label class="search">
            <Icon name="search" />
            <span class="sr-only">Search in function and error</span>
            <input
              type="search"
              value={text}
              maxLength={200}
              placeholder="Function or error"
              onInput={(e) => setText(e.currentTarget.value)}
            />
            <kbd>/</kbd>
          </label>
          {func && (
            <span class="pill">
              <span class="dim">function</span> <bdi class="mono">{func}</bdi>
              <button type="button" aria-label="Any function" onClick={() => set("func_name", "")}>
                <Icon name="x" />
              </button>
            </span>
          )}
        </div>
      )}
      <NotUnderstood wrong={wrong} />
      {found.error && !found.data ? (
        found.error.missing ? (
          <Ungrouped since={since} />
        ) : (
          <Failed error={found.error} what="The failures" reload={found.reload} />
        )
      ) : !found.data ? (
        <Waiting lines={6} />
      ) : groups.length === 0 ? (
        <Empty title={q || func ? "No failure matches" : "Nothing failed"}>
          <p>
            {q || func
              ? "No failure of that kind in this time."
              : `No task failed or was interrupted in the last ${since}.`}
          </p>
        </Empty>
      ) : (
        <>
          <ul class="groups">
            {groups.map((g) => (
              <Group
                key={g.failure_group}
                g={g}
                open={open === g.failure_group}
                selected={selected.has(g.failure_group)}
                onOpen={() => set("open", open === g.failure_group ? "" : g.failure_group)}
                onSelect={() => toggle(g)}
                onReplay={() => start("retry", [g])}
                onDiscard={() => start("delete", [g])}
                href={link("/tasks", {
                  status: "failed,interrupted",
                  func_name: g.func_name,
                  failure_group: g.failure_group,
                  since,
                })}
              />
            ))}
          </ul>
          {open && !groups.some((g) => g.failure_group === open) && (
            <p class="notice" role="status">
              <Icon name="circle-help" /> The group that this address names is not among these: nothing of it failed in
              the last {since}.
            </p>
          )}
          {!found.data.complete && (
            <p class="dim">
              The newest {plural(found.data.scanned, "failure")} were looked at; older ones of this time are not in
              these groups.
            </p>
          )}
        </>
      )}
      {bulk && (
        <BulkDialog
          target={bulk}
          onClose={() => setBulk(null)}
          onStarted={() => {
            setSelected(new Set());
            found.reload();
          }}
        />
      )}
    </div>
  );
}

interface GroupProps {
  g: FailureGroup;
  open: boolean;
  selected: boolean;
  href: string;
  onOpen: () => void;
  onSelect: () => void;
  onReplay: () => void;
  onDiscard: () => void;
}

function Group({ g, open, selected, href, onOpen, onSelect, onReplay, onDiscard }: GroupProps) {
  const id = `g-${g.failure_group}`;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (open) item.current?.scrollIntoView({ block: "nearest" }); // a link may lead to the last of many
  }, []);
  return (
    <li ref={item} class={selected ? "selected" : ""}>
      <div class="group">
        {mayAct() && (
          <input
            type="checkbox"
            aria-label={`Select the failures of ${g.func_name}: ${g.error}`}
            checked={selected}
            onChange={onSelect}
          />
        )}
        <button type="button" class="group-head" aria-expanded={open} aria-controls={id} onClick={onOpen}>
          <Icon name="chevron-right" class={open ? "turned" : ""} />
          <span class="group-text">
            <bdi class="mono">{g.func_name}</bdi>
            <bdi class="group-error">{g.error || "no error text"}</bdi>
          </span>
        </button>
        <Spark values={g.trend} label={`Over time: ${g.trend.join(", ")}`} />
        <span class="group-count">
          <b class="num">{count(g.count)}</b>
          <small>
            {g.outstanding === g.count
              ? "none replayed"
              : g.outstanding === 0
                ? "all replayed"
                : `${count(g.outstanding)} not replayed`}
          </small>
        </span>
        <span class="group-seen dim">
          <Time iso={g.last_seen} as="ago" />
          <small>
            since <Time iso={g.first_seen} />
          </small>
        </span>
      </div>
      {open && (
        <div class="group-more" id={id}>
          <pre class="code-plain">
            <bdi>{g.error}</bdi>
          </pre>
          <p class="row">
            Newest:
            {g.task_ids.map((t) => (
              <a key={t} class="mono" href={taskLink(t)}>
                {shortID(t)}
              </a>
            ))}
            <a href={href}>All of them</a>
          </p>
          {mayAct() && (
            <p class="row">
              <Button small icon="rotate-ccw" onClick={onReplay}>
                Replay …
              </Button>
              <Button small icon="trash-2" onClick={onDiscard}>
                Discard …
              </Button>
            </p>
          )}
        </div>
      )}
    </li>
  );
}

// Ungrouped is for servers that do not group: the list has the same tasks, and what failed can still be replayed.
function Ungrouped({ since }: { since: string }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      const done = await data(api.POST("/retry-failed", { params: { query: { since } } }));
      say(
        `${plural(done.dispatched, "task")} added again${done.skipped ? `, ${done.skipped} left out` : ""}${done.more ? "; there are more" : ""}.`,
      );
      setAsking(false);
    } catch (err) {
      say(`Nothing was replayed: ${err instanceof ApiError ? err.message : message(err)}`, { tone: "error" });
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Missing what="Groups of failures" />
      <p class="row">
        <a class="button plain" href={link("/tasks", { status: "failed,interrupted", since })}>
          List what failed
        </a>
        {mayAct() && (
          <Button icon="rotate-ccw" onClick={() => setAsking(true)}>
            Replay what failed …
          </Button>
        )}
      </p>
      {asking && (
        <Dialog title="Replay what failed" onClose={() => setAsking(false)}>
          <p>
            All failed tasks of the last {since} that nobody has replayed yet are added again, at most 1,000 at a time.
            The old ones stay.
          </p>
          <div class="dialog-foot">
            <Button onClick={() => setAsking(false)}>Keep them</Button>
            <Button kind="primary" disabled={busy} onClick={() => void run()}>
              Replay them
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
