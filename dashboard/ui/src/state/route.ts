// Where the reader is: everything is in the fragment of the URL, "#/tasks?status=failed". The server and what is in front of it see one
// path only, and a search stays out of their logs. Decision 0041 says why.

import { computed, signal } from "@preact/signals";

const read = (): string => location.hash.replace(/^#/, "") || "/";

const current = signal(read());
let steps = 0; // that the reader has gone within the page
addEventListener("hashchange", () => {
  steps++;
  current.value = read();
});

export const path = computed(() => current.value.split("?", 1)[0] || "/");
export const search = computed(() => current.value.slice(path.value.length).replace(/^\?/, ""));

export function go(to: string, how: { replace?: boolean } = {}): void {
  if (how.replace) {
    history.replaceState(null, "", `#${to}`);
    current.value = read();
  } else {
    location.hash = to;
  }
}

// back goes where the reader came from, or up to a screen when that was not on this page.
export function back(up: string): void {
  if (steps === 0) {
    go(up);
    return;
  }
  steps -= 2; // going back is a step, too
  history.back();
}

// useHash is the location hook of wouter.
export function useHash(): [string, (to: string, how?: { replace?: boolean }) => void] {
  return [path.value, go];
}
useHash.hrefs = (href: string): string => `#${href}`;

export const useHashSearch = (): string => search.value;

// link is the address of a screen with parameters.
export function link(to: string, params: URLSearchParams | Record<string, string> = {}): string {
  const query = new URLSearchParams(params).toString();
  return `#${to}${query ? `?${query}` : ""}`;
}

export const taskLink = (id: string): string => `#/tasks/${encodeURIComponent(id)}`;
