// Stream keeps one connection to the server's event stream. It reads it with fetch and not with EventSource, because that tells neither
// why it was refused nor lets a new one go on after the last event.

import { EventParser, type ServerEvent } from "../lib/sse";
import type { Connection } from "./protocol";

const silence = 45_000; // the server's heartbeat comes every 15 s; after three it is dead
const longestWait = 30_000;

export class Stream {
  private lastID = "";
  private wait = 1000;
  private failures = 0;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ended = false;
  connection: Connection = { state: "connecting", reason: "connecting", status: 0, instance: "" };

  constructor(
    private readonly url: string,
    private readonly onEvents: (events: ServerEvent[]) => void,
    private readonly onConnection: (c: Connection) => void,
  ) {
    void this.run();
  }

  // retry connects at once when it waits.
  retry(): void {
    if (this.connection.state !== "off" || this.ended) return;
    clearTimeout(this.timer);
    void this.run();
  }

  close(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.abort?.abort();
  }

  private tell(some: Partial<Connection>): void {
    this.connection = { ...this.connection, ...some };
    this.onConnection(this.connection);
  }

  private async run(): Promise<void> {
    this.tell({ state: "connecting", status: 0 });
    const abort = new AbortController();
    this.abort = abort;
    let reason = "the connection was lost";
    let status = 0;
    let after = 0;
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (this.lastID) headers["Last-Event-ID"] = this.lastID;
      const answer = await fetch(this.url, { headers, signal: abort.signal, cache: "no-store" });
      if (answer.ok && answer.body && (answer.headers.get("Content-Type") ?? "").startsWith("text/event-stream")) {
        reason = await this.read(answer.body, abort);
      } else {
        status = answer.status;
        after = Number(answer.headers.get("Retry-After")) * 1000 || 0;
        const problem = await answer.json().catch(() => null);
        reason =
          typeof problem?.detail === "string" ? problem.detail : `the server answered ${answer.status} to the stream`;
      }
    } catch {
      if (!abort.signal.aborted) reason = "the server does not answer";
    }
    if (this.ended) return;
    this.failures++;
    this.tell({ state: "off", reason, status });
    const backoff = Math.min(longestWait, this.wait * 1.6 ** Math.min(this.failures - 1, 8));
    this.timer = setTimeout(() => void this.run(), Math.max(after, backoff * (0.75 + Math.random() / 2)));
  }

  // read returns why the stream ended.
  private async read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<string> {
    const parser = new EventParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let reason = "the connection was lost";
    let quiet = setTimeout(() => abort.abort(), silence);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return reason;
        clearTimeout(quiet);
        quiet = setTimeout(() => abort.abort(), silence);
        const events = parser.feed(decoder.decode(value, { stream: true }));
        if (parser.retry) this.wait = parser.retry;
        for (const e of events) {
          if (e.id) this.lastID = e.id;
          if (e.name === "hello") {
            this.failures = 0;
            this.tell({ state: "live", reason: "", status: 0, instance: String(JSON.parse(e.data).instance ?? "") });
          } else if (e.name === "bye") {
            reason = JSON.parse(e.data).reason === "session" ? "your session has ended" : "the server is stopping";
          }
        }
        if (events.length) this.onEvents(events);
      }
    } catch {
      return abort.signal.aborted ? "the server has gone silent" : reason;
    } finally {
      clearTimeout(quiet);
    }
  }
}
