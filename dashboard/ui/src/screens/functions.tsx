// Functions: what can be run here, by which rules, and how it went.

import { useState } from "preact/hooks";
import { api, data } from "../api/client";
import type { Func, Heatmap } from "../api/types";
import { about, compact, count, duration, firstLine, percent } from "../lib/format";
import { level, sum } from "../lib/series";
import { defineTask } from "../lib/teach";
import { axis, full } from "../lib/time";
import { me } from "../state/me";
import { link } from "../state/route";
import { utc } from "../state/settings";
import { Code, Empty, Failed, Icon, Segments, Time, Waiting } from "../ui/basics";
import { useResource } from "../ui/resource";

const ranges: [string, string][] = [
  ["24h", "24 h"],
  ["7d", "7 d"],
];

export function FunctionsScreen() {
  const [since, setSince] = useState("24h");
  const [text, setText] = useState("");
  const found = useResource(
    `functions ${since}`,
    () => data(api.GET("/functions", { params: { query: { since } } })),
    15,
  );
  const all = found.data ?? [];
  const shown = all.filter((f) => f.func_name.toLowerCase().includes(text.trim().toLowerCase()));
  const withStats = all.some((f) => f.stats);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Functions</h1>
        {withStats && <Segments label="Time range" value={since} options={ranges} onPick={setSince} />}
      </div>
      {found.error && !found.data && <Failed error={found.error} what="The functions" reload={found.reload} />}
      {!found.data && !found.error && <Waiting lines={6} />}
      {found.data && all.length === 0 && (
        <Empty icon="square-function" title="No function has a name yet">
          <p>A function that is defined can be replayed, kept over a restart, and has rules of its own:</p>
          <Code text={defineTask(me.value?.framework ?? "")} />
        </Empty>
      )}
      {all.length > 8 && (
        <div class="filter" role="search" aria-label="Filter">
          <label class="search">
            <Icon name="search" />
            <span class="sr-only">Find a function</span>
            <input
              type="search"
              value={text}
              placeholder="Find a function"
              onInput={(e) => setText(e.currentTarget.value)}
            />
            <kbd>/</kbd>
          </label>
        </div>
      )}
      {shown.length > 0 && (
        <div class="scroll-x">
          <table class="plain functions">
            <thead>
              <tr>
                <th>Function</th>
                <th>Rules</th>
                {withStats && (
                  <>
                    <th class="num">Added</th>
                    <th class="num">Failed</th>
                    <th class="num" title="Of its attempts. Counted in steps: at most 13 % too high">
                      Waited ≈ p50 / p95
                    </th>
                    <th class="num" title="Of its attempts. Counted in steps: at most 13 % too high">
                      Ran ≈ p50 / p95
                    </th>
                    <th>Last run, last error</th>
                  </>
                )}
              </tr>
            </thead>
            <tbody>
              {shown.map((f) => (
                <Row key={f.func_name} f={f} withStats={withStats} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {all.length > 0 && shown.length === 0 && <p class="dim">No function is called like that.</p>}
      {withStats && <Heat since={since === "24h" ? "24h" : "7d"} />}
    </div>
  );
}

// rules are a function's policy in a few words.
function rules(f: Func): string[] {
  if (f.registered === false) return ["not registered here: it cannot be replayed"];
  return [
    f.retry_rule
      ? "retries by a rule of its own"
      : f.max_retries > 0
        ? `${f.max_retries} ${f.max_retries === 1 ? "retry" : "retries"}`
        : "no retry",
    f.timeout_seconds > 0 ? `timeout ${duration(f.timeout_seconds)}` : "",
    f.deadline_seconds > 0 ? `deadline ${duration(f.deadline_seconds)}` : "",
    f.pool && f.pool !== "default" ? `pool ${f.pool}` : "",
    f.priority !== 0 ? `priority ${f.priority}` : "",
    f.idempotent ? "idempotent" : "",
    f.requeue ? "saved over a restart" : "",
  ].filter(Boolean);
}

function Row({ f, withStats }: { f: Func; withStats: boolean }) {
  const s = f.stats;
  const ended = s ? s.success + s.failed + s.interrupted : 0;
  return (
    <tr>
      <th scope="row">
        <a class="mono function" href={link("/tasks", { func_name: f.func_name })} title={f.func_name}>
          <bdi>{f.func_name}</bdi>
        </a>
        {f.arg_type && <small class="mono dim">{f.arg_type}</small>}
        {f.aliases.length > 0 && <small class="dim">also {f.aliases.join(", ")}</small>}
      </th>
      <td class="dim" data-label="Rules">
        {rules(f).join(" · ")}
      </td>
      {withStats && (
        <>
          <td class="num" data-label="Added">
            {s ? count(s.added) : ""}
          </td>
          <td class="num" data-label="Failed">
            {s && s.failed > 0 ? (
              <a class="bad" href={link("/failures", { func_name: f.func_name })} title={firstLine(s.last_error)}>
                <Icon name="status-failed" /> {count(s.failed)}{" "}
                <span class="share dim">{percent(s.failed, ended)}</span>
              </a>
            ) : (
              <>
                0 <span class="share">{"\u00a0"}</span>
              </>
            )}
          </td>
          <td class="num" data-label="Waited ≈">
            {pair(s?.wait_p50, s?.wait_p95)}
          </td>
          <td class="num" data-label="Ran ≈">
            {pair(s?.run_p50, s?.run_p95)}
          </td>
          <td data-label="Last run">
            <div>
              {s?.last_run_at ? <Time iso={s.last_run_at} as="ago" /> : <span class="dim">not in this time</span>}
              {s?.last_error && (
                <small class="clip dim">
                  error {s.last_failed_at && <Time iso={s.last_failed_at} as="ago" />}:{" "}
                  <bdi title={s.last_error}>{firstLine(s.last_error)}</bdi>
                </small>
              )}
            </div>
          </td>
        </>
      )}
    </tr>
  );
}

const pair = (a: number | null | undefined, b: number | null | undefined): string =>
  a == null && b == null ? "–" : `${about(a) || "–"} / ${about(b) || "–"}`;

// Heat shows for each function when it failed: the darker, the larger the share.
function Heat({ since }: { since: string }) {
  const { data: got, error } = useResource(
    `heatmap ${since}`,
    () => data(api.GET("/heatmap", { params: { query: { since } } })),
    60,
  );
  if (error && !got) return error.missing ? null : <Failed error={error} what="The heatmap" />;
  if (!got || got.functions.length === 0 || got.times.length === 0) return null;
  if (got.functions.every((f) => sum(f.failed) === 0)) {
    return (
      <p class="allwell">
        <Icon name="status-success" /> No function failed in this time.
      </p>
    );
  }
  return <HeatTable h={got} />;
}

function HeatTable({ h }: { h: Heatmap }) {
  const cells = h.times.length;
  const every = Math.max(1, Math.ceil(cells / 8));
  return (
    <section aria-labelledby="h-heat">
      <div class="section-head">
        <h2 id="h-heat">Failures by time</h2>
        <p class="heat-key dim">
          <i class="heat-0" /> none <i class="heat-1" /> few <i class="heat-2" /> 5 % <i class="heat-3" /> 30 %{" "}
          <i class="heat-4" /> most <i class="heat-gap" /> not counted
        </p>
      </div>
      <div class="scroll-x">
        <table class="heat">
          <colgroup>
            <col class="heat-name" />
            <col span={cells} />
            <col class="heat-total" />
          </colgroup>
          <thead class="sr-only">
            <tr>
              <th>Function</th>
              {h.times.map((t) => (
                <th key={t}>{axis(t, h.step_seconds, utc.value)}</th>
              ))}
              <th>Failed</th>
            </tr>
          </thead>
          <tbody>
            {h.functions.map((f) => (
              <tr key={f.func_name}>
                <th scope="row">
                  <a class="mono clip" href={link("/failures", { func_name: f.func_name })}>
                    <bdi>{f.func_name}</bdi>
                  </a>
                </th>
                {h.times.map((t, i) => {
                  const l = level(f.failed[i], f.total[i]);
                  const text = l < 0 ? "not counted" : `${f.failed[i] ?? 0} of ${f.total[i] ?? 0} failed`;
                  return (
                    <td
                      key={t}
                      class={l < 0 ? "heat-gap" : `heat-${l}`}
                      title={`${full(new Date(t * 1000).toISOString(), utc.value).slice(0, 16)}: ${text}`}
                    >
                      <span class="sr-only">{text}</span>
                    </td>
                  );
                })}
                <td class="num heat-sum">{compact(sum(f.failed))}</td>
              </tr>
            ))}
          </tbody>
          <tfoot aria-hidden="true">
            <tr>
              <th />
              {h.times.map((t, i) => (
                <td key={t}>{i % every === 0 && <span>{axis(t, h.step_seconds * every, utc.value)}</span>}</td>
              ))}
              <td />
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}
