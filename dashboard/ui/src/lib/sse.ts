// Server-sent events from the text of a response, however it was cut into pieces.

export interface ServerEvent {
  id: string; // "" when the event has none
  name: string;
  data: string;
}

export class EventParser {
  private rest = "";
  private event: ServerEvent = { id: "", name: "message", data: "" };
  retry = 0; // milliseconds to wait before connecting again, when the server said so

  // feed takes a piece of the text and returns the events that are complete with it.
  feed(text: string): ServerEvent[] {
    const done: ServerEvent[] = [];
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") {
        if (this.event.data !== "") done.push(this.event);
        this.event = { id: "", name: "message", data: "" };
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue; // a comment: the heartbeat
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "id") this.event.id = value;
      else if (field === "event") this.event.name = value;
      else if (field === "data") this.event.data += (this.event.data ? "\n" : "") + value;
      else if (field === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
    }
    return done;
  }
}
