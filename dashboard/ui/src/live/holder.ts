// Finds who holds the stream: the SharedWorker; without one, one of the pages, elected by a lock, for all others; without locks (plain
// HTTP), each page for itself. Decision 0042 says why.

import type { ToHolder, ToPage } from "./protocol";
import { Stream } from "./stream";

export interface Holder {
  retry(): void;
  leave(): void;
}

export function openHolder(url: string, onMessage: (m: ToPage) => void): Holder {
  if (typeof SharedWorker === "function") {
    try {
      return inWorker(url, onMessage);
    } catch {
      // forbidden by a setting of the browser
    }
  }
  if (typeof BroadcastChannel === "function" && navigator.locks) return elected(url, onMessage);
  return alone(url, onMessage);
}

function inWorker(url: string, onMessage: (m: ToPage) => void): Holder {
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "taskflow stream" });
  let fallback: Holder | null = null;
  worker.port.onmessage = (e: MessageEvent<ToPage>) => onMessage(e.data);
  worker.onerror = () => {
    fallback ??= alone(url, onMessage); // its script could not be loaded
  };
  const send = (m: ToHolder) => worker.port.postMessage(m);
  send({ kind: "open", url });
  return {
    retry: () => (fallback ? fallback.retry() : send({ kind: "retry" })),
    leave: () => (fallback ? fallback.leave() : send({ kind: "leave" })),
  };
}

function elected(url: string, onMessage: (m: ToPage) => void): Holder {
  const channel = new BroadcastChannel(`taskflow stream ${url}`);
  const gone = new AbortController();
  let stream: Stream | null = null;
  const tell = (m: ToPage) => {
    channel.postMessage(m);
    onMessage(m);
  };
  channel.onmessage = (e: MessageEvent<ToPage | ToHolder>) => {
    if (e.data.kind === "open" && stream)
      channel.postMessage({ kind: "connection", connection: stream.connection } satisfies ToPage);
    else if (e.data.kind === "retry") stream?.retry();
    else if (e.data.kind === "events" || e.data.kind === "connection") onMessage(e.data);
  };
  channel.postMessage({ kind: "open", url } satisfies ToHolder); // the leader answers with how the stream is
  // Held as long as the page lives: the browser passes it on to the next page that waits.
  void navigator.locks
    .request(`taskflow stream ${url}`, { signal: gone.signal }, () => {
      stream = new Stream(
        url,
        (events) => tell({ kind: "events", events }),
        (connection) => tell({ kind: "connection", connection }),
      );
      return new Promise<void>((resolve) => gone.signal.addEventListener("abort", () => resolve()));
    })
    .catch(() => {}); // it left before it had its turn
  return {
    retry: () => (stream ? stream.retry() : channel.postMessage({ kind: "retry" } satisfies ToHolder)),
    leave: () => {
      gone.abort();
      stream?.close();
      channel.close();
    },
  };
}

function alone(url: string, onMessage: (m: ToPage) => void): Holder {
  const stream = new Stream(
    url,
    (events) => onMessage({ kind: "events", events }),
    (connection) => onMessage({ kind: "connection", connection }),
  );
  return { retry: () => stream.retry(), leave: () => stream.close() };
}
