// The filter of the task list: what the URL holds, the server understands, and changes of the live stream are held against.

import { type BulkFilter, isLive, type Status, statuses, type Task } from "../api/types";

export interface Filter {
  status: Status[];
  func_name: string;
  q: string;
  tag: string[]; // key:value or key
  since: string; // an age like 6h, or RFC 3339
  until: string;
  source: string;
  instance: string;
  priority: string;
  failure_group: string;
}

export const noFilter: Filter = {
  status: [],
  func_name: "",
  q: "",
  tag: [],
  since: "",
  until: "",
  source: "",
  instance: "",
  priority: "",
  failure_group: "",
};

const texts = ["func_name", "q", "since", "until", "source", "instance", "priority", "failure_group"] as const;
const known = ["status", "tag", ...texts, "sort", "cols"];
const sources = ["manual", "retry", "scheduled"];

// parseFilter reads a URL's parameters. What cannot be meant is left out and named in wrong, in words.
export function parseFilter(params: URLSearchParams, now = Date.now()): { filter: Filter; wrong: string[] } {
  const filter: Filter = { ...noFilter, status: [], tag: [] };
  const wrong = unknown(params, known);
  for (const name of params.getAll("status").flatMap((s) => s.split(","))) {
    const s = name.trim() as Status;
    if (s === ("" as Status) || filter.status.includes(s)) continue;
    if (statuses.includes(s)) filter.status.push(s);
    else wrong.push(`status “${clip(name)}” does not exist`);
  }
  for (const t of params.getAll("tag")) {
    if (t.startsWith(":")) wrong.push(`tag “${clip(t)}” has no key: it is written key:value, or key`);
    else if (t !== "") filter.tag.push(t);
  }
  if (filter.tag.length > 10) wrong.push("only the first ten tags are used");
  filter.tag = filter.tag.slice(0, 10);
  for (const name of texts) {
    const value = (params.get(name) ?? "").trim();
    if (value.length > 200) wrong.push(`${name} is longer than 200 characters`);
    else filter[name] = value;
  }
  for (const name of ["since", "until"] as const) {
    if (filter[name] && moment(filter[name], 0) === null) {
      wrong.push(`${name} “${clip(filter[name])}” is neither an age like 6h nor a time like 2026-01-31T12:00:00Z`);
      filter[name] = "";
    }
  }
  const [from, to] = [moment(filter.since, now), moment(filter.until, now)];
  if (from !== null && to !== null && from >= to) {
    wrong.push(`until “${clip(filter.until)}” is not after since “${clip(filter.since)}”`);
    filter.until = "";
  }
  if (filter.source && !sources.includes(filter.source)) {
    wrong.push(`source “${clip(filter.source)}” is none of ${sources.join(", ")}`);
    filter.source = "";
  }
  if (filter.priority && !/^-?\d{1,6}$/.test(filter.priority)) {
    wrong.push(`priority “${clip(filter.priority)}” is no number`);
    filter.priority = "";
  }
  return { filter, wrong };
}

// unknown names the parameters that a screen does not have, in words. A misspelt one would show more than was meant, and say nothing.
export function unknown(params: URLSearchParams, names: string[]): string[] {
  return [...new Set(params.keys())]
    .filter((name) => !names.includes(name))
    .map((name) => {
      const meant = names.find((n) => akin(n, name.toLowerCase()));
      return `“${clip(name)}” is no filter${meant ? `, “${meant}” is` : ""}`;
    });
}

// akin: one may be a slip of the fingers for the other. They have the same letters, or differ by one or two at the end.
function akin(a: string, b: string): boolean {
  const sorted = (s: string) => [...s].sort().join("");
  return (
    sorted(a) === sorted(b) || (Math.abs(a.length - b.length) <= 2 && (a.startsWith(b) || b.startsWith(a)) && b !== "")
  );
}

export const clip = (s: string): string => (s.length > 40 ? `${s.slice(0, 40)}…` : s);

// filterParams is the shortest query that parseFilter reads as f.
export function filterParams(f: Filter): URLSearchParams {
  const params = new URLSearchParams();
  if (f.status.length) params.set("status", f.status.join(","));
  for (const name of texts) if (f[name]) params.set(name, f[name]);
  for (const t of f.tag) params.append("tag", t);
  return params;
}

export const isEmpty = (f: Filter): boolean => filterParams(f).size === 0;

// bulkFilter is the filter as POST /bulk takes it.
export function bulkFilter(f: Filter): BulkFilter {
  const b: BulkFilter = {};
  if (f.status.length) b.status = f.status;
  if (f.tag.length) b.tag = f.tag;
  if (f.source) b.source = [f.source];
  for (const name of ["func_name", "q", "since", "until", "instance", "failure_group"] as const)
    if (f[name]) b[name] = f[name];
  return b;
}

// moment is a point in time in Unix milliseconds, of RFC 3339 or an age before now; null when it is neither.
export function moment(text: string, now: number): number | null {
  const age = /^(\d{1,9})([smhdw])$/.exec(text);
  if (age) return now - Number(age[1]) * { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 }[age[2] as "s"];
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return null;
  const at = Date.parse(text.replace(" ", "+"));
  return Number.isNaN(at) ? null : at;
}

// matches says whether a task is in the filtered list; null when only the server can tell.
export function matches(f: Filter, t: Task, now: number): boolean | null {
  if (f.status.length && !f.status.includes(t.status)) return false;
  if (f.func_name && t.func_name !== f.func_name) return false;
  if (f.source && t.source !== f.source) return false;
  if (f.instance && t.owner !== f.instance) return false;
  if (f.priority && String(t.priority) !== f.priority) return false;
  const added = Date.parse(t.created_at);
  if (f.since && added < (moment(f.since, now) ?? 0)) return false;
  if (f.until && added >= (moment(f.until, now) ?? Number.POSITIVE_INFINITY)) return false;
  for (const want of f.tag) {
    const colon = want.indexOf(":");
    const key = colon < 0 ? want : want.slice(0, colon);
    if (!Object.hasOwn(t.tags, key) || (colon >= 0 && t.tags[key] !== want.slice(colon + 1))) return false;
  }
  if (f.q && !mentions(t, f.q.toLowerCase())) return false;
  if (f.failure_group) return isLive(t.status) || t.status === "success" ? false : null;
  return true;
}

function mentions(t: Task, text: string): boolean {
  return (
    t.task_id.startsWith(text) ||
    [t.func_name, t.error ?? "", ...Object.values(t.tags)].some((s) => s.toLowerCase().includes(text))
  );
}
