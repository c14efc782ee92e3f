// Instances: the running programs that share the backend.

import { api, data } from "../api/client";
import type { Instance } from "../api/types";
import { count, rough, shortID } from "../lib/format";
import { now } from "../state/clock";
import { link } from "../state/route";
import { Empty, Failed, Icon, Time, Waiting } from "../ui/basics";
import { useResource } from "../ui/resource";

export function InstancesScreen() {
  const found = useResource("instances", () => data(api.GET("/instances")), 5);
  const all = found.data ?? [];
  return (
    <div class="page">
      <div class="page-head">
        <h1>Instances</h1>
        {all.length > 0 && <span class="dim num">{all.length}</span>}
      </div>
      {found.error && !found.data && <Failed error={found.error} what="The instances" reload={found.reload} />}
      {!found.data && !found.error && <Waiting lines={4} />}
      {found.data && all.length === 0 && (
        <Empty icon="server" title="No instance is known">
          <p>This backend keeps no list of the programs that use it.</p>
        </Empty>
      )}
      <ul class="instances">
        {all.map((i) => (
          <One key={i.instance_id} i={i} />
        ))}
      </ul>
    </div>
  );
}

function One({ i }: { i: Instance }) {
  const overdue = !i.self && Date.parse(i.lease_expires) < now.value; // the one that answers is there
  const quiet = (now.value - Date.parse(i.last_seen)) / 1000;
  const state = i.degraded_since ? "degraded" : overdue ? "silent" : "healthy";
  return (
    <li class={`instance ${state}`}>
      <div class="instance-head">
        <h2>
          <bdi>{i.host}</bdi> <span class="dim num">{i.pid}</span>
        </h2>
        {i.self && <span class="badge">this instance</span>}
        <span
          class={`status ${state === "healthy" ? "status-success" : state === "silent" ? "status-failed" : "status-interrupted"}`}
        >
          <Icon name={state === "healthy" ? "status-success" : state === "silent" ? "wifi-off" : "unplug"} />
          {state}
        </span>
      </div>
      <p class="dim instance-facts">
        <bdi>{i.program}</bdi> {i.version} · up {rough((now.value - Date.parse(i.started_at)) / 1000)} · seen{" "}
        {quiet < 20 ? "just now" : <Time iso={i.last_seen} as="ago" />} ·{" "}
        <a class="mono" title={i.instance_id} href={link("/tasks", { instance: i.instance_id })}>
          {shortID(i.instance_id)}
        </a>
      </p>
      {i.degraded_since && (
        <p class="bad">
          Its writes to the backend have failed since <Time iso={i.degraded_since} />. What it does is kept in memory
          until they succeed.
        </p>
      )}
      {overdue && (
        <p class="bad">
          Its heartbeat is overdue: it may have died, or cannot reach the backend. Its tasks are taken over by others.
        </p>
      )}
      <table class="pools">
        <thead class="sr-only">
          <tr>
            <th>Pool</th>
            <th>Use</th>
            <th>Running</th>
            <th>Waiting</th>
          </tr>
        </thead>
        <tbody>
          {i.pools.map((p) => (
            <tr key={p.name}>
              <th scope="row">
                <bdi>{p.name}</bdi>
              </th>
              <td>
                <div
                  class="gauge"
                  role="meter"
                  aria-valuemin={0}
                  aria-valuemax={p.limit}
                  aria-valuenow={Math.min(p.running, p.limit)}
                  aria-label={`${p.name}: ${p.running} of ${p.limit} at work`}
                >
                  <i style={{ width: `${p.limit > 0 ? Math.min(100, (100 * p.running) / p.limit) : 0}%` }} />
                </div>
              </td>
              <td class="num">
                {count(p.running)} of {count(p.limit)}
              </td>
              <td class="num dim">{count(p.waiting)} waiting</td>
            </tr>
          ))}
        </tbody>
      </table>
    </li>
  );
}
