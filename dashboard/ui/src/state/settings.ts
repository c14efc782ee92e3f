// What a reader has chosen, kept in this browser.

import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

function kept<T>(name: string, initial: T): ReturnType<typeof signal<T>> & { value: T } {
  const key = `taskflow.${name}`;
  let first = initial;
  try {
    const text = localStorage.getItem(key);
    if (text !== null) first = JSON.parse(text);
  } catch {
    // no storage, or somebody else's text in it
  }
  const s = signal<T>(first);
  effect(() => {
    try {
      localStorage.setItem(key, JSON.stringify(s.value));
    } catch {
      // it lasts as long as the page, then
    }
  });
  return s;
}

export const theme = kept<Theme>("theme", "system");
export const utc = kept("utc", false);
export const wrapLog = kept("wrap", true);
export const range = kept("range", "1h"); // of the overview
export const columns = kept<string[]>("columns", []); // of the task list; [] are the usual ones

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

// dark is what the page is in now.
const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);
system.addEventListener("change", (e) => {
  systemDark.value = e.matches;
});
export const isDark = (): boolean => (theme.value === "system" ? systemDark.value : theme.value === "dark");

export const still = matchMedia("(prefers-reduced-motion: reduce)");
