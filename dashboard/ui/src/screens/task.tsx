// One task: its story, its log, its error, what it was given and what it left.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, api, data } from "../api/client";
import type { Task } from "../api/types";
import { isLive, isRetryable } from "../api/types";
import { curl, loginCurl } from "../lib/curl";
import { duration, firstLine, plural, shortID } from "../lib/format";
import { unseen } from "../lib/log";
import { outdated } from "../lib/rows";
import { type LogEvent, listen } from "../live/live";
import { busy, cancel, message, retry } from "../state/actions";
import { hasLogin, mayAct, me } from "../state/me";
import { link, taskLink } from "../state/route";
import { Button, Copy, Empty, Failed, Icon, Menu, StatusMark, Time, Waiting } from "../ui/basics";
import { useKeys } from "../ui/keys";
import { Progress } from "../ui/progress";
import { useResource } from "../ui/resource";
import { LogView } from "./log";
import { Story } from "./story";

// useTask loads a task and follows it: its states, its progress, and the lines it logs.
function useTask(id: string) {
  const [task, setTask] = useState<Task | null>(null);
  const [lines, setLines] = useState<string[]>([]);
  const [error, setError] = useState<ApiError | null>(null);
  const told = useRef<{ count: number; loading: number; logs: LogEvent[]; state: Task | null }>({
    count: 0,
    loading: 0,
    logs: [],
    state: null,
  });

  const load = async () => {
    const mine = ++told.current.loading;
    told.current.logs = [];
    told.current.state = null;
    try {
      const got = (await data(api.GET("/{id}", { params: { path: { id } } }))) as Task;
      if (mine !== told.current.loading) return;
      const newer = told.current.state as Task | null;
      setTask(newer && !outdated(newer, got) ? { ...got, ...newer, logs: got.logs, stacktrace: got.stacktrace } : got);
      told.current.count = got.log_count;
      setLines(got.logs);
      setError(null);
      const waiting = told.current.logs;
      told.current.loading = 0;
      for (const e of waiting) append(e);
      if (newer && !isLive(newer.status) && isLive(got.status)) void load(); // it ended meanwhile: stack, result
    } catch (err) {
      if (mine !== told.current.loading) return;
      told.current.loading = 0;
      setError(err instanceof ApiError ? err : new ApiError(0, "", message(err)));
    }
  };

  const append = (e: LogEvent) => {
    const t = told.current;
    if (t.loading) {
      t.logs.push(e);
      return;
    }
    const full = e.log_count >= 1000 && e.log_count === t.count; // the server drops lines from the middle by now
    if (!full && e.log_count <= t.count) return;
    if (!full && e.log_count - e.lines.length > t.count) {
      void load(); // some are missing
      return;
    }
    const fresh = full ? e.lines : e.lines.slice(t.count - e.log_count);
    t.count = e.log_count;
    setLines((before) => before.concat(full ? unseen(before, fresh) : fresh).slice(-50_000));
  };

  useEffect(() => {
    void load();
    return listen({
      tasks: (changed, corrected) => {
        for (const t of changed) {
          if (t.task_id !== id) continue;
          told.current.state = t;
          setTask((known) => {
            if (!known) return known;
            if (outdated(t, known) && !corrected) return known;
            return {
              ...known,
              ...t,
              logs: known.logs,
              stacktrace: t.stacktrace ?? known.stacktrace,
              progress: t.progress ?? known.progress,
            };
          });
          if (!isLive(t.status)) void load(); // with its stack, attempts and result
        }
      },
      progress: (e) => {
        if (e.task_id === id) setTask((known) => known && { ...known, progress: e.progress });
      },
      log: (e) => {
        if (e.task_id === id) append(e);
      },
      reset: () => void load(),
    });
  }, []);
  return { task, lines, error, reload: () => void load() };
}

export function TaskScreen({ id }: { id: string }) {
  const { task, lines, error, reload } = useTask(id);
  useKeys({
    r: () => task && mayAct() && isRetryable(task) && void retry(task),
    Escape: () => history.back(),
  });
  if (!task) {
    return (
      <div class="page">
        <Crumb />
        {!error ? (
          <Waiting lines={6} />
        ) : error.status === 404 || error.status === 400 ? (
          <Empty icon="search" title="There is no such task">
            <p>
              <bdi class="mono">{id.slice(0, 80)}</bdi>
            </p>
            <p>It may have been deleted with its history, or it was in the memory of a program that has ended.</p>
            <p class="row">
              <a class="button plain" href="#/tasks">
                All tasks
              </a>
            </p>
          </Empty>
        ) : (
          <Failed error={error} what="The task" reload={reload} />
        )}
      </div>
    );
  }
  const working = busy.value.has(id);
  return (
    <div class="page task">
      <Crumb name={task.func_name} />
      <div class="page-head">
        <h1 class="mono">
          <bdi>{task.func_name}</bdi>
        </h1>
        <StatusMark status={task.status} />
        <div class="head-do">
          {mayAct() && isLive(task.status) && (
            <Button icon="square" disabled={working} onClick={() => void cancel(task)}>
              {working ? "Cancelling" : task.status === "running" ? "Tell it to stop" : "Cancel"}
            </Button>
          )}
          {mayAct() && !isLive(task.status) && task.status !== "success" && (
            <Button
              kind="primary"
              icon="rotate-ccw"
              disabled={working || !isRetryable(task)}
              title={
                task.closure
                  ? "A plain function cannot be run again from here: only a task made with Define can."
                  : undefined
              }
              onClick={() => void retry(task)}
            >
              {task.retried_by ? "Retry once more" : "Retry"}
            </Button>
          )}
          <CopyMenu t={task} />
        </div>
      </div>
      <p class="ids">
        <span class="mono dim">{task.task_id}</span>
        <Copy text={task.task_id} what="id" />
      </p>
      {error && <Failed error={error} what="Its newest state" reload={reload} />}
      <div class="task-body">
        <div class="task-main">
          {task.status === "pending" && <WhyNot t={task} />}
          {task.progress && (
            <section aria-label="Progress" class="progress-big">
              <Progress t={task} full />
            </section>
          )}
          <Story t={task} />
          {task.error && (
            <section aria-labelledby="h-error">
              <h2 id="h-error">
                {task.status === "cancelled" ? "Reason" : isLive(task.status) ? "Last error" : "Error"}
              </h2>
              <div class={`code ${task.status === "cancelled" ? "" : "bad"}`}>
                <pre>
                  <bdi>{task.error}</bdi>
                </pre>
                <Copy text={task.error} what="error" />
              </div>
            </section>
          )}
          {task.stacktrace && (
            <details class="stack" open={task.stacktrace.length < 4000}>
              <summary>
                <h2>Stack</h2>
              </summary>
              <div class="code">
                <pre>
                  <bdi>{task.stacktrace}</bdi>
                </pre>
                <Copy text={task.stacktrace} what="stack" />
              </div>
            </details>
          )}
          <LogView raw={lines} live={isLive(task.status)} />
          {task.result !== undefined && task.result !== null && (
            <section aria-labelledby="h-result">
              <h2 id="h-result">Result</h2>
              <Json value={task.result} what="result" />
            </section>
          )}
        </div>
        <aside class="task-side" aria-label="About it">
          <Facts t={task} />
          <Arguments t={task} />
          <TagList tags={task.tags} />
          <Relatives t={task} />
        </aside>
      </div>
    </div>
  );
}

function Crumb({ name }: { name?: string }) {
  return (
    <nav class="crumb" aria-label="Where this is">
      <a href="#/tasks">Tasks</a>
      {name && (
        <>
          <Icon name="chevron-right" />
          <a href={link("/tasks", { func_name: name })}>
            <bdi class="mono">{name}</bdi>
          </a>
        </>
      )}
    </nav>
  );
}

function CopyMenu({ t }: { t: Task }) {
  const mount = new URL(".", document.baseURI).href;
  const auth = hasLogin();
  return (
    <Menu icon="copy" text="Copy" label="Copy">
      <Copy text={`${document.baseURI.split("#")[0]}${taskLink(t.task_id)}`} what="link" icon="link">
        Link
      </Copy>
      <Copy text={t.task_id} what="id" icon="hash">
        Id
      </Copy>
      <Copy text={curl(mount, t.task_id, "GET", auth)} what="curl command" icon="terminal">
        curl
      </Copy>
      {!isLive(t.status) && (
        <Copy text={curl(mount, `${t.task_id}/retry`, "POST", auth)} what="curl command of a retry" icon="terminal">
          curl, to retry
        </Copy>
      )}
      {auth && (
        <Copy text={loginCurl(mount, me.value?.user ?? "")} what="curl command of the login" icon="terminal">
          curl, to log in first
        </Copy>
      )}
    </Menu>
  );
}

// WhyNot answers the question that a waiting task raises.
function WhyNot({ t }: { t: Task }) {
  const { data: why, error } = useResource(
    `why ${t.task_id} ${t.attempts}`,
    () => data(api.GET("/{id}/why", { params: { path: { id: t.task_id } } })),
    3,
  );
  if (error || !why || why.state !== "waiting") return null;
  const place = [
    why.pool &&
      why.pool_limit !== undefined &&
      `pool ${why.pool}: ${why.pool_running ?? 0} of ${why.pool_limit} at work`,
    why.ahead !== undefined && `${plural(why.ahead, "task")} ahead`,
  ].filter(Boolean);
  return (
    <section class="why" aria-label="Why it is not running">
      <Icon name="hourglass" />
      <div>
        <strong>Why is it not running?</strong>
        <p>
          <bdi>{why.text}</bdi>
        </p>
        {place.length > 0 && <p class="dim">{place.join(" · ")}</p>}
        {why.run_at && (
          <p class="dim">
            due <Time iso={why.run_at} as="ago" />, <Time iso={why.run_at} />
          </p>
        )}
      </div>
    </section>
  );
}

function Facts({ t }: { t: Task }) {
  const facts: [string, preact.ComponentChildren][] = [
    ["Added", <Time key="a" iso={t.created_at} as="full" />],
    ["Due", isLive(t.status) && t.run_at && <Time key="d" iso={t.run_at} as="full" />],
    ["Started", t.start_time && <Time key="s" iso={t.start_time} as="full" />],
    ["Ended", t.end_time && <Time key="e" iso={t.end_time} as="full" />],
    ["Ran", t.duration != null && duration(t.duration)],
    ["Attempts", `${t.attempts} of at most ${Math.max(t.max_retries + 1, t.attempts)}`],
    ["Kind", t.closure ? "plain function" : t.durable ? "durable" : t.requeue ? "saved over a restart" : "in memory"],
    ["Source", t.source],
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
function Arguments({ t }: { t: Task }) {
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

function Json({ value, what }: { value: unknown; what: string }) {
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

function TagList({ tags }: { tags: Record<string, string> }) {
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

function Relatives({ t }: { t: Task }) {
  const { data: family } = useResource(`family ${t.task_id} ${t.retried_by}`, () =>
    data(api.GET("/{id}/family", { params: { path: { id: t.task_id } } })),
  );
  const groups: [string, (Task | { task_id: string })[]][] = family
    ? [
        ["Added by", family.parent ? [family.parent] : []],
        ["Repeats", family.retry_of],
        ["Repeated by", family.retries],
        ["It added", family.children],
      ]
    : [
        ["Added by", t.parent_id ? [{ task_id: t.parent_id }] : []],
        ["Repeats", t.retry_of ? [{ task_id: t.retry_of }] : []],
        ["Repeated by", t.retried_by ? [{ task_id: t.retried_by }] : []],
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
