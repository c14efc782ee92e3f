// Lines of a task's log: "2026-01-31T12:00:00.000Z INFO text key=value", and marks of taskflow's own: "--- Retry 2 ---".

export type Level = "DEBUG" | "INFO" | "WARN" | "ERROR";
export const levels: Level[] = ["DEBUG", "INFO", "WARN", "ERROR"];

export interface Line {
  at: number | null; // Unix milliseconds
  level: Level | null;
  text: string;
  mark: boolean; // between attempts, or where lines were dropped
  attempt: number; // the one that wrote it, 1 is the first
}

const stamped = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (DEBUG|INFO|WARN|ERROR)([+-]\d+)? ?/;
const retried = /^--- Retry (\d+) ---$/;
const dropped = /^--- (\d+) lines dropped ---$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of terminals are what is taken out
const colours = /\u001b\[[0-9;?]*[A-Za-z]/g;

// parse reads lines that follow those of the attempt before.
export function parse(lines: string[], attempt = 1): Line[] {
  return lines.map((raw) => {
    const retry = retried.exec(raw);
    if (retry) {
      attempt = Number(retry[1]) + 1;
      return { at: null, level: null, text: `Attempt ${attempt}`, mark: true, attempt };
    }
    const gap = dropped.exec(raw);
    if (gap) return { at: null, level: null, text: `${gap[1]} lines are not kept`, mark: true, attempt };
    const head = stamped.exec(raw);
    const text = (head ? raw.slice(head[0].length) : raw).replace(colours, "");
    return {
      at: head ? Date.parse(head[1] as string) : null,
      level: head ? (head[2] as Level) : null,
      text,
      mark: false,
      attempt,
    };
  });
}

// atLeast keeps the lines of that level and above, the marks, and what follows a line without a level of its own.
export function atLeast(lines: Line[], level: Level): Line[] {
  const from = levels.indexOf(level);
  if (from <= 0) return lines;
  let kept = true;
  return lines.filter((l) => {
    if (l.mark) return true;
    if (l.level) kept = levels.indexOf(l.level) >= from;
    return kept;
  });
}

// unseen are the lines of fresh that do not repeat the end of seen. A log at its limit has no count to tell them apart by.
export function unseen(seen: string[], fresh: string[]): string[] {
  for (let n = Math.min(seen.length, fresh.length); n > 0; n--) {
    const from = seen.length - n;
    if (fresh.slice(0, n).every((line, i) => line === seen[from + i])) return fresh.slice(n);
  }
  return fresh;
}
