// Without locks, which browsers offer only over HTTPS and to the machine itself, worker and pages notice by their silence that the other one is
// dead. With locks it is tested in the browser.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openHolder } from "./holder";
import { beat, deadAfter, type ToHolder, type ToPage } from "./protocol";

const asked: AbortSignal[] = [];

// Port is one end of a channel to the worker, as the worker has it.
class Port {
  onmessage: ((e: { data: ToHolder }) => void) | null = null;
  readonly got: ToPage[] = [];
  postMessage = (m: ToPage) => this.got.push(m);
  say = (data: ToHolder) => this.onmessage?.({ data });
  get names(): string[] {
    return this.got.flatMap((m) => (m.kind === "events" ? m.events.map((e) => e.name) : []));
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  asked.length = 0;
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("fetch", (_: string, init: { signal: AbortSignal }) => {
    asked.push(init.signal);
    return new Promise(() => {}); // it connects for ever
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function worker(): Promise<() => Port> {
  const scope: { onconnect?: (e: { ports: Port[] }) => void } = {};
  vi.stubGlobal("self", scope);
  await import("./worker");
  return () => {
    const port = new Port();
    scope.onconnect?.({ ports: [port] });
    port.say({ kind: "open", url: "http://x/stream" });
    return port;
  };
}

test("a page that has fallen silent is forgotten, and the stream ends with the last one", async () => {
  const connect = await worker();
  const [lives, dies] = [connect(), connect()];
  expect(asked).toHaveLength(1);
  for (let time = 0; time < deadAfter * 2; time += beat) {
    lives.say({ kind: "alive", lock: "" });
    await vi.advanceTimersByTimeAsync(beat);
  }
  expect(asked[0]?.aborted).toBe(false);
  lives.say({ kind: "leave" });
  expect(asked[0]?.aborted, "the silent page does not keep it open").toBe(true);
  expect(dies.names).toEqual([]);
});

test("a page that was taken for dead and speaks again gets the stream, and is told to load again", async () => {
  const connect = await worker();
  const page = connect();
  await vi.advanceTimersByTimeAsync(deadAfter + 2 * beat);
  expect(asked[0]?.aborted).toBe(true);
  page.say({ kind: "alive", lock: "" });
  expect(asked).toHaveLength(2);
  expect(page.names).toEqual(["reset"]);
});

test("a worker that does not answer is replaced, once a beat, and the page loads again", async () => {
  const made: { sent: ToHolder[]; answers: boolean }[] = [];
  vi.stubGlobal(
    "SharedWorker",
    class {
      readonly port: { onmessage?: (e: { data: ToPage }) => void; postMessage: (m: ToHolder) => void };
      constructor() {
        const one = { sent: [] as ToHolder[], answers: true };
        made.push(one);
        this.port = {
          postMessage: (m) => {
            one.sent.push(m);
            if (one.answers) this.port.onmessage?.({ data: { kind: "alive", lock: "" } });
          },
        };
      }
    },
  );
  const got: ToPage[] = [];
  const holder = openHolder("http://x/stream", (m) => got.push(m));
  await vi.advanceTimersByTimeAsync(5 * beat);
  expect(made).toHaveLength(1);
  expect(got).toEqual([]);
  (made[0] as { answers: boolean }).answers = false;
  await vi.advanceTimersByTimeAsync(2 * beat);
  expect(made).toHaveLength(2);
  expect(made[1]?.sent[0]).toEqual({ kind: "open", url: "http://x/stream" });
  expect(got).toMatchObject([{ kind: "events", events: [{ name: "reset" }] }]);
  await vi.advanceTimersByTimeAsync(5 * beat);
  expect(made).toHaveLength(2);
  holder.leave();
  expect(made[1]?.sent.at(-1)).toEqual({ kind: "leave" });
  await vi.advanceTimersByTimeAsync(5 * beat);
  expect(made).toHaveLength(2);
});
