// Story draws what happened to a task: a bar of where the time went, and the steps below it.

import type { Task } from "../api/types";
import { isLive } from "../api/types";
import { duration, shortID } from "../lib/format";
import { type Step, story } from "../lib/story";
import { now } from "../state/clock";
import { taskLink } from "../state/route";
import { Icon, Time } from "../ui/basics";

const icons: Record<Step["kind"], string> = {
  added: "status-pending",
  attempt: "play",
  failed: "status-failed",
  waiting: "hourglass",
  running: "status-running",
  success: "status-success",
  interrupted: "status-interrupted",
  cancelled: "status-cancelled",
  retried: "rotate-ccw",
};

export function Story({ t }: { t: Task }) {
  const { steps, spans } = story(t, now.value);
  const from = spans[0]?.from ?? 0;
  const to = spans.at(-1)?.to ?? 0;
  const whole = Math.max(0.001, to - from);
  return (
    <section class="story" aria-labelledby="h-story">
      <h2 id="h-story">Story</h2>
      {spans.length > 0 && (
        <>
          <svg
            class="spans"
            role="img"
            viewBox="0 0 1000 10"
            preserveAspectRatio="none"
            aria-label={spans.map((s) => s.label).join(", ")}
          >
            {spans.map((s) => (
              <rect
                key={`${s.kind}${s.from}`}
                class={`span-${s.kind}`}
                x={Math.min(997, ((s.from - from) / whole) * 1000)}
                y={s.kind === "wait" ? 3.5 : 0}
                // what was short is still to be seen
                width={Math.max(3, ((s.to - s.from) / whole) * 1000)}
                height={s.kind === "wait" ? 3 : 10}
              >
                <title>{s.label}</title>
              </rect>
            ))}
          </svg>
          <p class="spans-axis num dim">
            <span>0</span>
            <span>
              {duration(whole)}
              {isLive(t.status) ? " so far" : ""}
            </span>
          </p>
        </>
      )}
      <ol class="steps">
        {steps.map((s, i) => (
          <li key={i} class={`step-${s.kind}`}>
            <Icon name={icons[s.kind]} />
            <span class="step-at num dim">{s.at !== null && <Time iso={new Date(s.at * 1000).toISOString()} />}</span>
            <p>
              <strong>{s.title}</strong>{" "}
              {s.task && (
                <a class="mono" href={taskLink(s.task)}>
                  {shortID(s.task)}
                </a>
              )}
              {s.detail && <bdi class="step-detail">{s.detail}</bdi>}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
