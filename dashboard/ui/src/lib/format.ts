// Numbers for people: durations, counts, rates. Everything is short enough for a table's cell.

const whole = new Intl.NumberFormat("en");

export const count = (n: number): string => whole.format(n);

// compact is a count of at most four characters or so: 950, 1.2k, 34k, 5.6M.
export function compact(n: number): string {
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (n >= size) {
      const v = n / size;
      return `${v < 10 ? trim(v.toFixed(1)) : Math.floor(v)}${unit}`;
    }
  }
  return Number.isInteger(n) ? String(n) : trim(n.toFixed(n < 10 ? 1 : 0));
}

const trim = (s: string): string => s.replace(/\.0+$/, "");

// duration is a span of seconds, with two units at most: <1 ms, 85 ms, 1.24 s, 3 min 5 s, 2 h 10 min, 3 d 4 h.
export function duration(seconds: number | null | undefined): string {
  if (seconds == null || Number.isNaN(seconds)) return "";
  if (seconds < 0) return `−${duration(-seconds)}`;
  if (seconds < 0.001) return "<1 ms";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${trim(seconds.toFixed(seconds < 10 ? 2 : 1))} s`;
  const s = Math.round(seconds);
  const two = (a: number, ua: string, b: number, ub: string) => (b ? `${a} ${ua} ${b} ${ub}` : `${a} ${ua}`);
  if (s < 3600) return two(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min");
  return two(Math.floor(s / 86400), "d", Math.floor((s % 86400) / 3600), "h");
}

// about is a span of seconds that is an estimate, of two digits: percentiles are counted in steps, and are at most 13 % too high.
export function about(seconds: number | null | undefined): string {
  if (seconds == null || Number.isNaN(seconds)) return "";
  if (seconds >= 0.9995 && seconds < 9.95) return `${trim(seconds.toFixed(1))} s`;
  return duration(seconds < 60 ? Number(seconds.toPrecision(2)) : seconds);
}

// rough is a duration to one unit, for ages that nobody needs exactly.
export function rough(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

export function percent(part: number, of: number): string {
  if (of <= 0) return "";
  const p = (part / of) * 100;
  if (p > 0 && p < 0.1) return "<0.1 %";
  if (p < 100 && p > 99.9) return ">99.9 %";
  return `${trim(p.toFixed(p < 10 ? 1 : 0))} %`;
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(n < 10240 ? 1 : 0)} KiB`;
  return `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

// plural(3, "task") is "3 tasks".
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

export const firstLine = (text: string | null | undefined): string => (text ?? "").split("\n", 1)[0] ?? "";

// shortID keeps the random end of an id: ids made at the same time begin alike.
export const shortID = (id: string): string => (id.length > 12 ? id.slice(-8) : id);
