// What stands beside a task's story: facts, arguments, tags, relatives.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api, data } from "../api/client";
import type { Task } from "../api/types";
import { isLive } from "../api/types";
import { duration, firstLine, plural, shortID } from "../lib/format";
import { sourceWord } from "../lib/words";
import { message } from "../state/actions";
import { link, taskLink } from "../state/route";
import { Button, Copy, StatusMark, Time } from "../ui/basics";
import { useResource } from "../ui/resource";

export function Facts({ t }: { t: Task }) {
  const facts: [string, ComponentChildren][] = [
    ["Added", <Time key="a" iso={t.created_at} as="full" />],
    ["Due", isLive(t.status) && t.run_at && <Time key="d" iso={t.run_at} as="full" />],
    ["Started", t.start_time && <Time key="s" iso={t.start_time} as="full" />],
    ["Ended", t.end_time && <Time key="e" iso={t.end_time} as="full" />],
    [
      "Took",
      t.duration != null && (
        <span title="From the first start to the end, waits between attempts included">{duration(t.duration)}</span>
      ),
    ],
    ["Attempts", `${t.attempts} of ${Math.max(t.max_retries + 1, t.attempts)}`],
    ["Kind", t.closure ? "plain function" : t.durable ? "durable" : t.requeue ? "saved over a restart" : "in memory"],
    ["Source", sourceWord(t.source)],
    ["Pool", <bdi key="p">{t.executor}</bdi>],
    ["Priority", t.priority !== 0 && t.priority],
    [
      "Instance",
      t.owner && (
        <a key="i" class="mono" title={t.owner} href={link("/tasks", { instance: t.owner })}>
          {shortID(t.owner)}
        </a>
      ),
    ],
    [
      "Key",
      t.idempotency_key && (
        <bdi key="k" class="mono">
          {t.idempotency_key}
        </bdi>
      ),
    ],
    ["Crashes", t.crashes > 0 && `${plural(t.crashes, "process", "processes")} died while it ran`],
  ];
  return (
    <section aria-label="Facts">
      <dl class="facts">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

// Arguments may be private: they are fetched when somebody asks to see them.
export function Arguments({ t }: { t: Task }) {
  const [got, setGot] = useState<{ args: unknown } | null>(null);
  const [error, setError] = useState("");
  if (t.closure) return null;
  const show = () =>
    data(api.GET("/{id}", { params: { path: { id: t.task_id }, query: { include: "args" } } })).then(
      (full) => setGot({ args: full.args }),
      (err) => setError(message(err)),
    );
  return (
    <section aria-labelledby="h-args">
      <h2 id="h-args">Arguments</h2>
      {got ? (
        got.args === undefined || got.args === null ? (
          <p class="dim">None are kept.</p>
        ) : (
          <Json value={got.args} what="arguments" />
        )
      ) : (
        <Button small onClick={() => void show()}>
          Show them
        </Button>
      )}
      {error && <p role="alert">{error}</p>}
    </section>
  );
}

export function Json({ value, what }: { value: unknown; what: string }) {
  const text = JSON.stringify(value, null, 2) ?? "null";
  return (
    <div class="code">
      <pre>
        <bdi>{text}</bdi>
      </pre>
      <Copy text={text} what={what} />
    </div>
  );
}

const manyTags = 30;

export function TagList({ tags }: { tags: Record<string, string> }) {
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const all = Object.entries(tags);
  if (all.length === 0) return null;
  const found = text ? all.filter(([k, v]) => `${k}:${v}`.toLowerCase().includes(text.toLowerCase())) : all;
  const shown = open ? found.slice(0, 500) : found.slice(0, manyTags);
  return (
    <section aria-labelledby="h-tags">
      <h2 id="h-tags">
        Tags <span class="dim num">{all.length > manyTags ? all.length : ""}</span>
      </h2>
      {all.length > manyTags && (
        <input
          type="text"
          aria-label="Find a tag"
          placeholder="Find a tag"
          value={text}
          onInput={(e) => setText(e.currentTarget.value)}
        />
      )}
      <dl class="facts tags-list">
        {shown.map(([k, v]) => (
          <div key={k}>
            <dt title={k}>
              <bdi>{k}</bdi>
            </dt>
            <dd>
              <a href={link("/tasks", { tag: v ? `${k}:${v}` : k })} title="Tasks with this tag">
                <bdi>{v || "(no value)"}</bdi>
              </a>
            </dd>
          </div>
        ))}
      </dl>
      {found.length > shown.length && !open && (
        <Button small kind="ghost" onClick={() => setOpen(true)}>
          Show {plural(found.length - shown.length, "more", "more")}
        </Button>
      )}
      {found.length > shown.length && open && <p class="dim">The first {shown.length} are shown; search for others.</p>}
    </section>
  );
}

export function Relatives({ t }: { t: Task }) {
  const { data: family } = useResource(`family ${t.task_id} ${t.retried_by}`, () =>
    data(api.GET("/{id}/family", { params: { path: { id: t.task_id } } })),
  );
  const groups: [string, (Task | { task_id: string })[]][] = family
    ? [
        ["Added by", family.parent ? [family.parent] : []],
        ["Replay of", family.retry_of],
        ["Replayed by", family.retries],
        ["It added", family.children],
      ]
    : [
        ["Added by", t.parent_id ? [{ task_id: t.parent_id }] : []],
        ["Replay of", t.retry_of ? [{ task_id: t.retry_of }] : []],
        ["Replayed by", t.retried_by ? [{ task_id: t.retried_by }] : []],
      ];
  const some = groups.filter(([, list]) => list.length > 0);
  if (some.length === 0) return null;
  return (
    <section aria-labelledby="h-family">
      <h2 id="h-family">Relatives</h2>
      {some.map(([name, list]) => (
        <div key={name} class="relatives">
          <h3>{name}</h3>
          <ul>
            {list.map((r) => (
              <li key={r.task_id}>
                {"status" in r && <StatusMark status={r.status} bare />}
                <a href={taskLink(r.task_id)} title={"error" in r ? firstLine(r.error) : undefined}>
                  <bdi class="mono">{"func_name" in r ? r.func_name : shortID(r.task_id)}</bdi>
                </a>
                {"created_at" in r && <Time iso={r.created_at} />}
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
