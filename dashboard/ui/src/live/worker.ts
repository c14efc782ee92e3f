// The SharedWorker: it holds the one stream of this browser for all pages of this mount, and ends with the last of them. A page that crashes says
// nothing: the browser frees the lock that it held, or, where there are no locks, it falls silent.

import { beat, deadAfter, reset, type ToHolder, type ToPage } from "./protocol";
import { Stream } from "./stream";

const scope = self as unknown as { onconnect: ((e: MessageEvent) => void) | null };
const pages = new Map<MessagePort, number>(); // when it was last heard of; Infinity: it holds a lock
let stream: Stream | null = null;
let url = "";
let own = ""; // the lock of this worker

function tell(message: ToPage): void {
  for (const page of pages.keys()) page.postMessage(message);
}

function open(): Stream {
  stream ??= new Stream(
    url,
    (events) => tell({ kind: "events", events }),
    (connection) => tell({ kind: "connection", connection }),
  );
  return stream;
}

function forget(page: MessagePort): void {
  pages.delete(page);
  if (pages.size > 0) return;
  stream?.close();
  stream = null;
}

scope.onconnect = (e) => {
  const page = e.ports[0] as MessagePort;
  page.onmessage = ({ data }: MessageEvent<ToHolder>) => {
    switch (data.kind) {
      case "open":
        url = data.url;
        pages.set(page, Date.now());
        page.postMessage({ kind: "connection", connection: open().connection } satisfies ToPage);
        page.postMessage({ kind: "alive", lock: own } satisfies ToPage);
        break;
      case "retry":
        stream?.retry();
        break;
      case "alive":
        if (!pages.has(page)) page.postMessage(reset); // it was taken for dead, and has missed something
        pages.set(page, data.lock ? Number.POSITIVE_INFINITY : Date.now());
        open();
        if (data.lock) void navigator.locks.request(data.lock, () => forget(page));
        else page.postMessage({ kind: "alive", lock: own } satisfies ToPage);
        break;
      case "leave":
        forget(page);
    }
  };
};

if (navigator.locks) {
  const name = `taskflow worker ${crypto.randomUUID()}`;
  void navigator.locks.request(name, () => {
    own = name;
    tell({ kind: "alive", lock: own });
    return new Promise<void>(() => {}); // until the worker ends
  });
} else {
  setInterval(() => {
    for (const [page, heard] of pages) if (Date.now() - heard > deadAfter) forget(page);
  }, beat);
}
