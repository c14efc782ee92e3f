// Columns of a time series as charts draw them.

import type { Mark, Series } from "../api/types";

type Column = (number | null)[];

// rate turns counts a step into counts a minute; null stays null: nobody was counting, which is not zero.
export const rate = (column: Column, step: number): Column => column.map((n) => (n == null ? null : (n * 60) / step));

// whole leaves out the last step while it is under way, unless it is all there is: a minute that has just begun is no drop.
export function whole(column: Column, times: number[], step: number, now: number): Column {
  const underWay = (times.at(-1) ?? 0) + step > now / 1000;
  return underWay && column.slice(0, -1).some((n) => n != null) ? column.with(-1, null) : column;
}

// sum adds up what is known.
export const sum = (column: Column): number => column.reduce<number>((all, n) => all + (n ?? 0), 0);

// newest is the last value that is known; null when none is.
export const newest = (column: Column): number | null => column.findLast((n) => n != null) ?? null;

// add adds columns value by value.
export function add(...columns: Column[]): Column {
  return (columns[0] ?? []).map((_, i) => {
    const known = columns.map((c) => c[i]).filter((n) => n != null);
    return known.length ? known.reduce((a, b) => a + b, 0) : null;
  });
}

export interface AxisMark {
  at: number; // Unix seconds
  kind: Mark["kind"];
  label: string;
}

// marks are what happened to instances; several starts within a step are one, of the newest version.
export function marks(s: Series): AxisMark[] {
  const all: AxisMark[] = [];
  let version = "";
  for (const m of s.marks) {
    const at = Date.parse(m.time) / 1000;
    const before = all.at(-1);
    const deployed = m.kind === "start" && version !== "" && m.version !== version;
    if (m.kind === "start") version = m.version;
    const label = m.kind === "start" ? (deployed ? m.version : "start") : m.kind;
    if (before && before.kind === m.kind && at - before.at < s.step_seconds) {
      if (deployed) before.label = label;
    } else all.push({ at, kind: m.kind, label });
  }
  return all;
}

// nice is a round number at or above n: for the top of a scale.
export function nice(n: number): number {
  if (n <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(n));
  for (const m of [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]) if (n <= m * size * 1.0000001) return m * size;
  return 10 * size;
}

// level sorts a cell of the heatmap into six: -1 nobody was counting, 0 none failed, up to 4 all failed.
export function level(failed: number | null | undefined, total: number | null | undefined): number {
  if (failed == null) return -1;
  if (failed === 0) return 0;
  const share = failed / Math.max(failed, total ?? 0, 1);
  return share >= 0.75 ? 4 : share >= 0.3 ? 3 : share >= 0.05 ? 2 : 1;
}
