// One clock for all ages and durations on the page. It follows the server's: skew is what the server's is ahead.

import { signal } from "@preact/signals";

let skew = 0;
export const now = signal(Date.now());

export function setServerTime(iso: string): void {
  const at = Date.parse(iso);
  if (!Number.isNaN(at) && Math.abs(at - Date.now()) > 1500) skew = at - Date.now();
  now.value = Date.now() + skew;
}

setInterval(() => {
  if (!document.hidden) now.value = Date.now() + skew;
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) now.value = Date.now() + skew;
});
