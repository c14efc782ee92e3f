// Overview: what is wrong now, how it went, what runs.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, data } from "../api/client";
import type { Metrics, Series, Task, Trouble } from "../api/types";
import { noFilter } from "../lib/filter";
import { about, compact, count, duration, percent } from "../lib/format";
import { marks, rate, sum, whole } from "../lib/series";
import { addTask } from "../lib/teach";
import { counts } from "../live/live";
import { now } from "../state/clock";
import { me } from "../state/me";
import { link, taskLink } from "../state/route";
import { range } from "../state/settings";
import { TaskList, usualSort } from "../state/tasklist";
import { Code, Empty, Failed, Icon, Missing, Segments, StatusMark, Time, Waiting } from "../ui/basics";
import { Chart } from "../ui/chart";
import { Progress } from "../ui/progress";
import { type Resource, useResource } from "../ui/resource";

const ranges: [string, string][] = [
  ["1h", "1 h"],
  ["24h", "24 h"],
  ["7d", "7 d"],
];

export function Overview() {
  const totals = useResource("metrics", () => data(api.GET("/metrics")), 5);
  const since = range.value ?? "1h";
  const series = useResource(
    `series ${since}`,
    () => data(api.GET("/series", { params: { query: { since } } })),
    since === "1h" ? 10 : 60,
  );
  if (totals.data?.total === 0) return <First />;
  return (
    <div class="page">
      <div class="page-head">
        <h1>Overview</h1>
        <Segments
          label="Time range"
          value={since}
          options={ranges}
          onPick={(v) => {
            range.value = v;
          }}
        />
      </div>
      <Problems />
      {totals.error && !totals.data ? (
        <Failed error={totals.error} what="The totals" reload={totals.reload} />
      ) : (
        <Figures m={totals.data} s={series.data} known={!!series.data || !!series.error} since={since} />
      )}
      <Running />
      <Charts series={series} />
    </div>
  );
}

function First() {
  return (
    <div class="page">
      <div class="page-head">
        <h1>Overview</h1>
      </div>
      <Empty icon="hourglass" title="Nothing has been added yet">
        <p>Tasks appear here as soon as a handler adds one:</p>
        <Code text={addTask(me.value?.framework ?? "")} />
      </Empty>
    </div>
  );
}

const kinds: Record<Trouble["kind"], string> = {
  failing: "circle-x",
  stuck: "hourglass",
  late: "hourglass",
  parked: "layers",
  degraded: "unplug",
  silent: "wifi-off",
  queue_full: "layers",
  schedule: "calendar-clock",
};

function Problems() {
  const { data: got, error, reload } = useResource("problems", () => data(api.GET("/problems")), 10);
  if (error && !got)
    return error.missing ? (
      <Missing what="What is wrong now" />
    ) : (
      <Failed error={error} what="What is wrong now" reload={reload} />
    );
  if (!got) return <Waiting lines={1} />;
  if (got.problems.length === 0 && !got.complete) {
    return <p class="allwell dim">The storage fails: what else is wrong cannot be told now.</p>;
  }
  if (got.problems.length === 0) {
    return (
      <p class="allwell">
        <Icon name="status-success" /> Nothing is wrong now.{" "}
        <span class="dim">
          checked <Time iso={got.checked_at} as="ago" />
        </span>
      </p>
    );
  }
  return (
    <section aria-label="Wrong now">
      <h2 class="sr-only">Wrong now</h2>
      <ul class="problems">
        {got.problems.map((p, i) => (
          <li key={i} class={p.severity}>
            <Icon name={kinds[p.kind] ?? "triangle-alert"} label={p.severity} />
            <div>
              <a href={whereTo(p)}>
                <strong>
                  <bdi>{p.title}</bdi>
                </strong>
              </a>
              <p class="clip">
                <bdi>{p.detail}</bdi>
              </p>
              {p.failure_group && p.task_id && (
                <a class="newest" href={taskLink(p.task_id)} aria-label={`Open the newest task: ${p.title}`}>
                  Open the newest task
                </a>
              )}
            </div>
            {p.count !== undefined && <b class="num">{count(p.count)}</b>}
            <span class="seen">
              {p.first_seen && (
                <span>
                  first <Time iso={p.first_seen} as="ago" />
                </span>
              )}
              {p.last_seen && (
                <span>
                  last <Time iso={p.last_seen} as="ago" />
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

// whereTo leads to all that a row counts, or to the one thing that it is about.
function whereTo(p: Trouble): string {
  if (p.failure_group) return link("/failures", { since: "1h", open: p.failure_group }); // now is the last hour
  if (p.task_id) return taskLink(p.task_id);
  if (p.kind === "failing") return link("/tasks", { status: "failed", func_name: p.func_name ?? "" });
  if (p.kind === "schedule") return "#/schedules";
  if (p.kind === "degraded" || p.kind === "silent") return "#/instances";
  return link("/tasks", { status: "pending", ...(p.func_name ? { func_name: p.func_name } : {}) });
}

// Figures are of now, of the time that is chosen above, and, where a server counts by no time, of the whole history.
function Figures({ m, s: got, known, since }: { m: Metrics | null; s: Series | null; known: boolean; since: string }) {
  const c = counts.value;
  const s = got?.added.some((v) => v != null) ? got : null;
  if (!m || !known) return <Waiting lines={2} />;
  const n = (status: "success" | "failed" | "interrupted") => (s ? sum(s[status]) : (c?.[status] ?? m[status]));
  const when = s ? ranges.find(([v]) => v === since)?.[1] : "in all";
  const of = (status: string) => link("/tasks", { status, ...(s ? { since } : {}) });
  return (
    <dl class="figures">
      <Figure name="Running" note="now" href={link("/tasks", { status: "running" })}>
        {count(c?.running ?? m.running)}
      </Figure>
      <Figure name="Waiting" note="now" href={link("/tasks", { status: "pending" })}>
        {count(c?.pending ?? m.pending)}
      </Figure>
      <Figure
        name="Succeeded"
        href={of("success")}
        note={[when, percent(n("success"), n("success") + n("failed"))].filter(Boolean).join(" · ")}
      >
        {compact(n("success"))}
      </Figure>
      <Figure name="Failed" note={when} href={link("/failures", s ? { since } : {})}>
        {compact(n("failed"))}
      </Figure>
      <Figure name="Interrupted" note={when} href={of("interrupted")}>
        {compact(n("interrupted"))}
      </Figure>
      <Figure
        name="Took"
        note={
          <>
            median, in all · 95 % within <span>≈ {about(m.percentiles.p95)}</span>
          </>
        }
      >
        ≈ {about(m.percentiles.p50)}
      </Figure>
    </dl>
  );
}

function Figure({
  name,
  href,
  note,
  children,
}: {
  name: string;
  href?: string;
  note?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <div>
      <dt>{href ? <a href={href}>{name}</a> : name}</dt>
      <dd>
        {children} {note && <small>{note}</small>}
      </dd>
    </div>
  );
}

const perMinute = (v: number): string => (v > 0 && v < 0.1 ? v.toFixed(2) : compact(v));

function Charts({ series }: { series: Resource<Series> }) {
  const s = series.data;
  if (series.error && !s)
    return <Failed error={series.error} what="The history of throughput and latency" reload={series.reload} />;
  if (!s) return <Waiting lines={8} />;
  const shared = { times: s.times, step: s.step_seconds, marks: marks(s) };
  const perMin = (column: (number | null)[]) =>
    whole(rate(column, s.step_seconds), s.times, s.step_seconds, now.peek());
  const each = s.step_seconds === 60 ? "a minute" : `a minute, by ${duration(s.step_seconds)}`;
  return (
    <section class="charts" aria-label="Over time">
      <Chart
        {...shared}
        title="Throughput"
        note={each}
        format={perMinute}
        lines={[
          { name: "added", color: "dim", values: perMin(s.added), dash: true },
          { name: "succeeded", color: "success", values: perMin(s.success), fill: true },
        ]}
      />
      <Chart
        {...shared}
        title="Failures"
        note={each}
        format={perMinute}
        lines={[
          { name: "failed", color: "failed", values: perMin(s.failed), fill: true },
          { name: "attempts repeated", color: "dim", values: perMin(s.retried), dash: true },
          { name: "interrupted", color: "interrupted", values: perMin(s.interrupted) },
        ]}
      />
      <Chart
        {...shared}
        title="Time to run"
        note="an attempt, within 13 %"
        format={about}
        least={0.01}
        lines={[
          { name: "p50", color: "running", values: s.run_p50 },
          { name: "p95", color: "running", values: s.run_p95, dash: true },
        ]}
      />
      <Chart
        {...shared}
        title="Time to wait"
        note="for an attempt, within 13 %"
        format={about}
        least={0.01}
        lines={[
          { name: "p50", color: "accent", values: s.wait_p50 },
          { name: "p95", color: "accent", values: s.wait_p95, dash: true },
        ]}
      />
      <Chart
        {...shared}
        title="Queue"
        note="most in a step"
        format={compact}
        least={2}
        lines={[
          { name: "waiting", color: "interrupted", values: s.waiting, fill: true },
          { name: "running", color: "running", values: s.running },
        ]}
      />
      <Pools s={s} />
    </section>
  );
}

const poolInks = ["running", "accent", "interrupted", "success", "dim"];

// Pools are drawn as the share of each that was at work: they have different sizes.
function Pools({ s }: { s: Series }) {
  const pools = Object.entries(s.pools).slice(0, 5);
  if (pools.length === 0) return null;
  return (
    <Chart
      times={s.times}
      step={s.step_seconds}
      marks={marks(s)}
      title="Pools"
      note="share at work"
      format={(v) => `${Math.round(v)} %`}
      least={100}
      lines={pools.map(([name, p], i) => ({
        name: `${name} (${p.limit})`,
        color: poolInks[i] ?? "dim",
        values: p.running.map((n) => (n == null || p.limit <= 0 ? null : (100 * n) / p.limit)),
      }))}
    />
  );
}

const mostRunning = 6;

// Running follows what runs now. It keeps the height that it had for a while: what is below it must not jump with each task.
function Running() {
  const list = useMemo(() => new TaskList(50), []);
  useEffect(() => {
    list.open({ ...noFilter, status: ["running"] }, usualSort);
    return list.follow();
  }, [list]);
  void list.version.value;
  const { error, first } = list.state.value;
  const running = list.rows.list;
  const rows = Math.max(1, Math.min(mostRunning, running.length));
  const [room, setRoom] = useState(rows);
  useEffect(() => {
    if (rows > room) setRoom(rows);
    if (rows >= room) return;
    const t = setTimeout(() => setRoom(rows), 10_000);
    return () => clearTimeout(t);
  }, [rows, room]);
  return (
    <section aria-labelledby="running-now">
      <div class="section-head">
        <h2 id="running-now">Running now</h2>
        {running.length > mostRunning && (
          <a href={link("/tasks", { status: "running" })}>
            All {list.rows.next ? "of more than " : ""}
            {running.length}
          </a>
        )}
      </div>
      {error && running.length === 0 && <Failed error={error} what="What runs now" reload={list.reload} />}
      {!error && (
        <ul class="running" style={{ "--rows": Math.max(rows, room) }}>
          {running.length === 0 && <li class="none dim">{first ? "" : "Nothing runs at the moment."}</li>}
          {running.slice(0, mostRunning).map((t) => (
            <RunningRow key={t.task_id} t={t} />
          ))}
        </ul>
      )}
    </section>
  );
}

function RunningRow({ t }: { t: Task }) {
  return (
    <li>
      <StatusMark status={t.status} bare />
      <a class="mono clip" href={taskLink(t.task_id)}>
        <bdi>{t.func_name}</bdi>
      </a>
      <Progress t={t} />
      <span class="num">{t.start_time ? duration(Math.max(0, now.value - Date.parse(t.start_time)) / 1000) : ""}</span>
    </li>
  );
}
