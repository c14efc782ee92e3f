// SignIn asks for name and password when the session has ended, over the page as it is: whatever the reader was doing goes on afterwards.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { onSessionEnd, toError } from "../api/client";
import { connection, reconnect } from "../live/live";
import { hasLogin, loadMe, me } from "../state/me";
import { Button, Dialog } from "./basics";

let waiting: ((ok: boolean) => void)[] = [];
const asking = signal(false);

function finish(ok: boolean): void {
  asking.value = false;
  for (const resolve of waiting) resolve(ok);
  waiting = [];
}

// ask is called once for each request that was refused; all share one dialog.
onSessionEnd(() => {
  if (!hasLogin()) return Promise.resolve(false); // the login is the application's
  asking.value = true;
  return new Promise((resolve) => waiting.push(resolve));
});

export function SignIn() {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const ended = connection.value.status === 401 && hasLogin();
  if (!asking.value && !ended) return null;

  const submit = async (e: SubmitEvent) => {
    e.preventDefault();
    setBusy(true);
    setError("");
    const form = new URLSearchParams(new FormData(e.target as HTMLFormElement) as unknown as Record<string, string>);
    try {
      const answer = await fetch("auth/login", { method: "POST", body: form, headers: { Accept: "application/json" } });
      if (!answer.ok) throw await toError(answer);
      finish(true);
      void loadMe();
      reconnect();
    } catch (err) {
      setError(err instanceof Error ? err.message : String(err));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title="Your session has ended" onClose={() => finish(false)}>
      <form class="signin" onSubmit={submit}>
        <p>Sign in again; the page stays as it is.</p>
        {error && (
          <p class="refused" role="alert">
            {error}
          </p>
        )}
        <label>
          User name
          <input name="username" autocomplete="username" maxLength={64} required defaultValue={me.value?.user ?? ""} />
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <div class="dialog-foot">
          <Button kind="primary" type="submit" disabled={busy}>
            Sign in
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
