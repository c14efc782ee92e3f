// Who is looking, and what they may do.

import { signal } from "@preact/signals";
import { ApiError, api, data } from "../api/client";
import type { Me } from "../api/types";
import { setServerTime } from "./clock";
import { say } from "./toasts";

// me is null until it is known; older servers do not tell, and whoever may look there may act.
export const me = signal<Me | null>(null);
export const failed = signal<ApiError | null>(null); // the server could not even tell that

export async function loadMe(): Promise<void> {
  try {
    const got = await data(api.GET("/me"));
    me.value = got;
    failed.value = null;
    setServerTime(got.now);
  } catch (err) {
    if (!(err instanceof ApiError)) throw err;
    failed.value = err.missing ? null : err;
    if (err.missing) me.value = unknown();
  }
}

const unknown = (): Me => ({
  user: "",
  role: "operator",
  auth: document.documentElement.dataset.login === "true",
  title: "",
  version: "",
  framework: "",
  instance_id: "",
  now: new Date().toISOString(),
  capabilities: [],
});

// mayAct: a viewer sees no buttons that change something.
export const mayAct = (): boolean => me.value?.role === "operator";

// mayNot says why nothing happens when a viewer presses the key of an action.
export function mayNot(what: string): void {
  if (!me.value) return; // nobody knows yet
  say(`${me.value?.user ? `${me.value.user} may` : "You may"} only look here: nothing was ${what}.`);
}

// hasLogin: the mount asks for a login of its own.
export const hasLogin = (): boolean => me.value?.auth ?? document.documentElement.dataset.login === "true";
