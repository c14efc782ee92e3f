// Short messages at the edge of the page, read out politely.

import { signal } from "@preact/signals";

export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "error";
  href?: string; // leads to what it is about
  hrefText?: string;
}

export const toasts = signal<Toast[]>([]);
let last = 0;

export function say(text: string, more: Partial<Omit<Toast, "id" | "text">> = {}): void {
  const same = toasts.value.find((t) => t.text === text && t.href === more.href);
  if (same) dismiss(same.id); // said once more, not twice
  const t: Toast = { id: ++last, text, tone: "plain", ...more };
  toasts.value = [...toasts.value.slice(-3), t];
  setTimeout(() => dismiss(t.id), t.tone === "error" ? 12_000 : 6_000);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((t) => t.id !== id);
}
