// Keyboard: single keys, unless the reader is typing or a dialog is open.

import { useEffect, useRef } from "preact/hooks";

export type Keys = Record<string, (e: KeyboardEvent) => void>;

export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || document.querySelector("dialog[open]")) return;
      const target = e.target as HTMLElement;
      const typing = target.matches("input, textarea, select, [contenteditable]") && !target.matches("[type=checkbox]");
      if (typing && e.key !== "Escape") return;
      // Enter and space on a button or link are its own
      if ((e.key === "Enter" || e.key === " ") && target.matches("a, button, summary, input")) return;
      const run = latest.current[e.key];
      if (!run) return;
      e.preventDefault();
      run(e);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

export const help: [string, string][] = [
  ["j k", "next, previous row"],
  ["Enter", "open it"],
  ["x", "select it"],
  ["r", "replay it, or the selected ones"],
  ["/", "search"],
  ["Esc", "leave the search, clear the selection, go back"],
  ["p", "pause and resume live changes"],
  ["?", "this help"],
];
