// OperationsTray shows bulk operations under way, with what is left and a way to stop them.

import type { Operation } from "../api/types";
import { duration, plural } from "../lib/format";
import { leftOut } from "../lib/words";
import { mayAct } from "../state/me";
import { actionWord, hide, operations, stop } from "../state/operations";
import { link, taskLink } from "../state/route";
import { Bar, Button, Icon } from "./basics";

export function OperationsTray() {
  if (operations.value.length === 0) return null;
  return (
    <section class="tray" aria-label="Bulk operations">
      {operations.value.map((op) => (
        <Row key={op.operation_id} op={op} />
      ))}
    </section>
  );
}

// replays leads to what was added again, as the list can tell it: by source and time.
function replays(op: Operation): string {
  const moment = (later: number, iso: string) => new Date(Date.parse(iso) + later).toISOString(); // tasks have no finer times
  const until = op.ended_at && moment(1000, op.ended_at);
  return link("/tasks", { source: "retry", since: moment(0, op.started_at), ...(until ? { until } : {}) });
}

const ends = { done: "finished", stopped: "stopped", failed: "failed" } as const;

function Row({ op }: { op: Operation }) {
  const word = actionWord(op.action);
  const running = op.state === "running";
  const first = op.new_task_ids[0];
  const said = [
    running && op.eta_seconds && `about ${duration(op.eta_seconds)} left`,
    op.skipped > 0 && leftOut(op.skipped, op.skipped_reasons),
    op.failed > 0 && `${op.failed} failed`,
    op.error,
  ].filter(Boolean);
  return (
    <div class="operation" role="status">
      <p>
        <Icon name={op.action === "retry" ? "rotate-ccw" : op.action === "delete" ? "trash-2" : "status-cancelled"} />
        <strong>
          {word} {running ? "" : ends[op.state as keyof typeof ends]}
        </strong>
        <span class="num">
          {op.done} of {plural(op.matched, "task")}
        </span>
      </p>
      <Bar done={op.done + op.skipped + op.failed} total={op.matched} label={`${word}: progress`} />
      <p class="dim">
        {said.join(" · ")}
        {first && (
          <>
            {" "}
            {op.done > 1 ? (
              <a href={replays(op)}>Show the replays</a>
            ) : (
              !running && <a href={taskLink(first)}>Open the replay</a>
            )}
          </>
        )}
      </p>
      <div class="operation-do">
        {running && mayAct() && (
          <Button small icon="square" onClick={() => void stop(op)}>
            Stop
          </Button>
        )}
        {!running && <Button small kind="ghost" icon="x" label="Dismiss" onClick={() => hide(op.operation_id)} />}
      </div>
    </div>
  );
}
