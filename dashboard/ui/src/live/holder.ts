// Finds who holds the stream: the SharedWorker; without one, one of the pages, elected by a lock, for all others; without locks (plain
// HTTP), each page for itself. Decision 0042 says why.

import { beat, reset, type ToHolder, type ToPage } from "./protocol";
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
  const gone = new AbortController();
  let port: MessagePort;
  let fallback: Holder | null = null;
  let answered = true;
  let watched = ""; // the worker's lock
  const send = (m: ToHolder) => port.postMessage(m);
  const connect = () => {
    const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), {
      type: "module",
      name: "taskflow stream",
    });
    port = worker.port;
    answered = true;
    port.onmessage = ({ data }: MessageEvent<ToPage>) => {
      if (data.kind !== "alive") return onMessage(data);
      answered = true;
      if (data.lock) watch(data.lock);
    };
    worker.onerror = () => {
      fallback ??= alone(url, onMessage); // its script could not be loaded
    };
    send({ kind: "open", url });
  };
  // The worker lives in the process of one of the pages, and dies when that crashes.
  const again = () => {
    if (gone.signal.aborted || fallback) return;
    connect();
    if (held) send({ kind: "alive", lock: held });
    onMessage(reset);
  };
  const watch = (lock: string) => {
    if (lock === watched || !navigator.locks) return;
    watched = lock;
    navigator.locks.request(lock, { mode: "shared", signal: gone.signal }, again).catch(() => {}); // it left before
  };
  let held = "";
  connect();
  if (navigator.locks) {
    const name = `taskflow page ${crypto.randomUUID()}`;
    navigator.locks
      .request(name, { signal: gone.signal }, () => {
        held = name;
        send({ kind: "alive", lock: name });
        return new Promise<void>((resolve) => gone.signal.addEventListener("abort", () => resolve()));
      })
      .catch(() => {}); // it left before it had it
  } else {
    const timer = setInterval(() => {
      if (!answered) return again();
      answered = false;
      send({ kind: "alive", lock: "" });
    }, beat);
    gone.signal.addEventListener("abort", () => clearInterval(timer));
  }
  return {
    retry: () => (fallback ? fallback.retry() : send({ kind: "retry" })),
    leave: () => {
      gone.abort();
      if (fallback) fallback.leave();
      else send({ kind: "leave" });
    },
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
