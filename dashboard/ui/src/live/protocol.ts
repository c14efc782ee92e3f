// What the holder of the stream and the pages tell each other.

import type { ServerEvent } from "../lib/sse";

// Connection is how the stream is: live, on its way, or off with the reason.
export interface Connection {
  state: "connecting" | "live" | "off";
  reason: string; // for people; "" while live
  status: number; // of the HTTP answer that refused it; 0 for none
  instance: string; // that answers
}

export type ToPage =
  | { kind: "events"; events: ServerEvent[] }
  | { kind: "connection"; connection: Connection }
  | { kind: "alive"; lock: string }; // of the worker: the lock that it holds as long as it lives; "" where there are none

export type ToHolder =
  | { kind: "open"; url: string } // an absolute URL: the holder may live elsewhere
  | { kind: "retry" } // connect now, not later
  | { kind: "alive"; lock: string } // the lock that the page holds as long as it lives; "" where there are none: then told each beat
  | { kind: "leave" };

// beat is how often a page without locks says that it lives. The worker takes one for dead that was silent for longer than browsers slow
// the timers of hidden pages down, which is to one a minute.
export const beat = 20_000;
export const deadAfter = 150_000;

// reset has a page load again what it shows.
export const reset: ToPage = { kind: "events", events: [{ id: "", name: "reset", data: "{}" }] };
