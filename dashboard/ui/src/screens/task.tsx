// One task: its story, its log, its error, what it was given and what it left.

import { api, data } from "../api/client";
import type { Task } from "../api/types";
import { isLive, isRetryable } from "../api/types";
import { curl, loginCurl } from "../lib/curl";
import { windowOf } from "../lib/failures";
import { count, plural } from "../lib/format";
import { busy, cancel, retry } from "../state/actions";
import { now } from "../state/clock";
import { hasLogin, mayAct, mayNot, me } from "../state/me";
import { back, link, taskLink } from "../state/route";
import { Button, Copy, Empty, Failed, Icon, Menu, StatusMark, Time, Waiting } from "../ui/basics";
import { useKeys } from "../ui/keys";
import { Progress } from "../ui/progress";
import { useResource } from "../ui/resource";
import { LogView } from "./log";
import { Story } from "./story";
import { Arguments, Facts, Json, Relatives, TagList } from "./taskside";
import { useTask } from "./usetask";

export function TaskScreen({ id }: { id: string }) {
  const { task, lines, error, reload } = useTask(id);
  useKeys({
    r: () => {
      if (!mayAct()) return mayNot("replayed");
      if (task && isRetryable(task)) void retry(task);
    },
    Escape: () => back("/tasks"),
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
              {working ? "Cancelling" : "Cancel"}
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
              {task.retried_by ? "Replay once more" : "Replay"}
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
              {(task.status === "failed" || task.status === "interrupted") && <Alike t={task} />}
            </section>
          )}
          {task.stacktrace && (
            <details class="stack" open={task.stacktrace.length < 4000}>
              <summary>
                <h2>Stack</h2>
              </summary>
              <div class="code">
                <pre tabIndex={0} role="region" aria-label="Stack">
                  <bdi>{task.stacktrace}</bdi>
                </pre>
                <Copy text={task.stacktrace} what="stack" />
              </div>
            </details>
          )}
          {task.result !== undefined && task.result !== null && (
            <section aria-labelledby="h-result">
              <h2 id="h-result">Result</h2>
              <Json value={task.result} what="result" />
            </section>
          )}
          <LogView raw={lines} live={isLive(task.status)} />
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
        <Copy text={curl(mount, `${t.task_id}/retry`, "POST", auth)} what="curl command of a replay" icon="terminal">
          curl, to replay
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

// Alike leads from a failure to its group: how many others there are is the next question.
function Alike({ t }: { t: Task }) {
  const since = windowOf(t.created_at, now.peek());
  const { data: got } = useResource(`alike ${t.task_id}`, async () => {
    // the group is known by what a search for the id finds in it
    const query = { since: t.created_at, func_name: t.func_name, q: t.task_id, limit: 1 };
    const found = await data(api.GET("/failures", { params: { query } }));
    const id = found.groups[0]?.failure_group;
    if (!id || !since) return { id, count: 0 };
    const all = await data(api.GET("/failures", { params: { query: { since, func_name: t.func_name, limit: 100 } } }));
    return { id, count: all.groups.find((g) => g.failure_group === id)?.count ?? 0 };
  });
  if (!got?.id) return null;
  const more = got.count - 1;
  return (
    <p class="alike">
      {since && more >= 0 ? (
        <>
          <a href={link("/failures", { since, func_name: t.func_name, open: got.id })}>
            {more > 0 ? `${count(more)} more like this` : "Its group of failures"}
          </a>{" "}
          <span class="dim">in the last {since.replace(/(\d+)/, "$1 ")}</span>
        </>
      ) : (
        <a
          href={link("/tasks", {
            status: "failed,interrupted",
            func_name: t.func_name,
            failure_group: got.id,
          })}
        >
          All like this
        </a>
      )}
    </p>
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
