// Points in time, in the reader's zone or in UTC.

import { rough } from "./format";

const two = (n: number): string => String(n).padStart(2, "0");

interface Parts {
  y: number;
  mo: number;
  d: number;
  h: number;
  mi: number;
  s: number;
  ms: number;
}

function parts(at: Date, utc: boolean): Parts {
  return utc
    ? {
        y: at.getUTCFullYear(),
        mo: at.getUTCMonth() + 1,
        d: at.getUTCDate(),
        h: at.getUTCHours(),
        mi: at.getUTCMinutes(),
        s: at.getUTCSeconds(),
        ms: at.getUTCMilliseconds(),
      }
    : {
        y: at.getFullYear(),
        mo: at.getMonth() + 1,
        d: at.getDate(),
        h: at.getHours(),
        mi: at.getMinutes(),
        s: at.getSeconds(),
        ms: at.getMilliseconds(),
      };
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// stamp is as short as it can be told apart from now: the time of today, the day of this year, or all of it.
export function stamp(iso: string, utc: boolean, now: number): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const a = parts(at, utc);
  const n = parts(new Date(now), utc);
  const clock = `${two(a.h)}:${two(a.mi)}:${two(a.s)}`;
  if (a.y === n.y && a.mo === n.mo && a.d === n.d) return clock;
  if (a.y === n.y) return `${two(a.d)} ${months[a.mo - 1]} ${two(a.h)}:${two(a.mi)}`;
  return `${a.y}-${two(a.mo)}-${two(a.d)}`;
}

// full is everything, to the millisecond, with the zone.
export function full(iso: string, utc: boolean): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const a = parts(at, utc);
  const ms = String(a.ms).padStart(3, "0");
  return `${a.y}-${two(a.mo)}-${two(a.d)} ${two(a.h)}:${two(a.mi)}:${two(a.s)}.${ms} ${zone(at, utc)}`;
}

// clock is the time of a log's line.
export function clock(at: number, utc: boolean): string {
  const a = parts(new Date(at), utc);
  return `${two(a.h)}:${two(a.mi)}:${two(a.s)}.${String(a.ms).padStart(3, "0")}`;
}

// axis is a label on a chart's time axis whose ticks are step seconds apart.
export function axis(unix: number, step: number, utc: boolean): string {
  const a = parts(new Date(unix * 1000), utc);
  if (step >= 86400 || (a.h === 0 && a.mi === 0 && step >= 3600)) return `${two(a.d)} ${months[a.mo - 1]}`;
  return `${two(a.h)}:${two(a.mi)}`;
}

// zone is how far the times that are shown are from UTC.
export function zone(at: Date, utc: boolean): string {
  if (utc) return "UTC";
  const m = -at.getTimezoneOffset();
  if (m === 0) return "UTC";
  return `UTC${m < 0 ? "−" : "+"}${two(Math.floor(Math.abs(m) / 60))}:${two(Math.abs(m) % 60)}`;
}

// ago is how long before now, or how soon after.
export function ago(iso: string, now: number): string {
  const s = (now - Date.parse(iso)) / 1000;
  if (Number.isNaN(s)) return iso;
  if (s < -1) return `in ${rough(-s)}`;
  if (s < 2) return "just now";
  return `${rough(s)} ago`;
}

// unix is a point in time in seconds; null for none.
export const unix = (iso: string | null | undefined): number | null => (iso ? Date.parse(iso) / 1000 : null);
