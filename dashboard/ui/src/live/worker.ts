// The SharedWorker: it holds the one stream of this browser for all pages of this mount, and ends with the last of them.

import type { ToHolder, ToPage } from "./protocol";
import { Stream } from "./stream";

const scope = self as unknown as { onconnect: ((e: MessageEvent) => void) | null };
const pages = new Set<MessagePort>();
let stream: Stream | null = null;

function tell(message: ToPage): void {
  for (const page of pages) page.postMessage(message);
}

scope.onconnect = (e) => {
  const page = e.ports[0] as MessagePort;
  page.onmessage = ({ data }: MessageEvent<ToHolder>) => {
    if (data.kind === "leave") {
      pages.delete(page);
      if (pages.size === 0) {
        stream?.close();
        stream = null;
      }
      return;
    }
    pages.add(page);
    if (data.kind === "retry") stream?.retry();
    if (data.kind === "open") {
      stream ??= new Stream(
        data.url,
        (events) => tell({ kind: "events", events }),
        (connection) => tell({ kind: "connection", connection }),
      );
      page.postMessage({ kind: "connection", connection: stream.connection } satisfies ToPage);
    }
  };
};
