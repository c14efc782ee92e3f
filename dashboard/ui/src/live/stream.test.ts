import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ServerEvent } from "../lib/sse";
import type { Connection } from "./protocol";
import { Stream } from "./stream";

const hello = 'id: a-1\nevent: hello\ndata: {"instance":"i1","resumed":false}\n\n';
const sse = { headers: { "Content-Type": "text/event-stream" } };

const broken = new Map<Response, () => void>(); // what an abort does to an answer's body

// open is an answer whose body goes on until the test ends it.
function open(first: string) {
  let feed: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (c) => {
      feed = c;
    },
  });
  const say = (text: string) => feed?.enqueue(new TextEncoder().encode(text));
  say(first);
  const answer = new Response(body, sse);
  broken.set(answer, () => feed?.error(new Error("aborted")));
  return { answer, say, end: () => feed?.close() };
}

const asked: { url: string; lastID: string | undefined }[] = [];
let answers: (Response | Error)[] = [];
const states: Connection[] = [];
const events: ServerEvent[] = [];
let stream: Stream;

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = states.length = events.length = 0;
  vi.stubGlobal("fetch", async (url: string, init: { headers: Record<string, string>; signal: AbortSignal }) => {
    asked.push({ url, lastID: init.headers["Last-Event-ID"] });
    const next = answers.shift() ?? new Error("away");
    if (next instanceof Error) throw next;
    init.signal.addEventListener("abort", () => broken.get(next)?.());
    return next;
  });
});
afterEach(() => {
  stream.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function start(...some: (Response | Error)[]) {
  answers = some;
  stream = new Stream(
    "http://x/stream",
    (e) => events.push(...e),
    (c) => states.push(c),
  );
  await vi.advanceTimersByTimeAsync(1);
}

test("it is live after hello, and hands events on", async () => {
  const s = open(hello);
  await start(s.answer);
  expect(states.at(-1)).toMatchObject({ state: "live", reason: "", instance: "i1" });
  s.say('id: a-2\nevent: task\ndata: {"x":1}\n\n');
  await vi.advanceTimersByTimeAsync(1);
  expect(events.map((e) => e.name)).toEqual(["hello", "task"]);
});

test("a lost connection is taken up after the last event", async () => {
  const s = open(`${hello}id: a-7\nevent: task\ndata: {}\n\n`);
  await start(s.answer, open(hello).answer);
  s.end();
  await vi.advanceTimersByTimeAsync(1);
  expect(states.at(-1)).toMatchObject({ state: "off", reason: "the connection was lost" });
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked.map((a) => a.lastID)).toEqual([undefined, "a-7"]);
  expect(states.at(-1)?.state).toBe("live");
});

test("a refusal is told in the server's words, and Retry-After is kept to", async () => {
  const refusal = new Response(JSON.stringify({ detail: "100 viewers are watching" }), {
    status: 503,
    headers: { "Retry-After": "30" },
  });
  await start(refusal, open(hello).answer);
  expect(states.at(-1)).toMatchObject({ state: "off", reason: "100 viewers are watching", status: 503 });
  await vi.advanceTimersByTimeAsync(29_000);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(states.at(-1)?.state).toBe("live");
});

test("a goodbye says why", async () => {
  const s = open(`${hello}event: bye\ndata: {"reason":"shutdown"}\n\n`);
  await start(s.answer);
  s.end();
  await vi.advanceTimersByTimeAsync(1);
  expect(states.at(-1)?.reason).toBe("the server is stopping");
});

test("a server that is away is asked less and less often, and at once when the reader says so", async () => {
  await start();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(asked.length).toBeGreaterThan(4);
  expect(asked.length).toBeLessThan(16);
  const before = asked.length;
  stream.retry();
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toHaveLength(before + 1);
});

test("silence is noticed, a heartbeat is not silence", async () => {
  const s = open(hello);
  await start(s.answer);
  await vi.advanceTimersByTimeAsync(40_000);
  s.say(": hb\n\n");
  await vi.advanceTimersByTimeAsync(40_000);
  expect(states.at(-1)?.state).toBe("live");
  await vi.advanceTimersByTimeAsync(6_000);
  expect(states.map((c) => c.reason)).toContain("the server has gone silent");
});
