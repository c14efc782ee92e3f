// What the holder of the stream and the pages tell each other.

import type { ServerEvent } from "../lib/sse";

// Connection is how the stream is: live, on its way, or off with the reason.
export interface Connection {
  state: "connecting" | "live" | "off";
  reason: string; // for people; "" while live
  status: number; // of the HTTP answer that refused it; 0 for none
  instance: string; // that answers
}

export type ToPage = { kind: "events"; events: ServerEvent[] } | { kind: "connection"; connection: Connection };

export type ToHolder =
  | { kind: "open"; url: string } // an absolute URL: the holder may live elsewhere
  | { kind: "retry" } // connect now, not later
  | { kind: "leave" };
