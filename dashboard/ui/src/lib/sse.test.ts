import { expect, test } from "vitest";
import { EventParser } from "./sse";

const text = 'retry: 2000\nid: a-1\nevent: hello\ndata: {"x":1}\n\n: hb\n\nid: a-2\nevent: task\ndata: {"y":"é"}\n\n';
const want = [
  { id: "a-1", name: "hello", data: '{"x":1}' },
  { id: "a-2", name: "task", data: '{"y":"é"}' },
];

test("pieces of any length give the same events", () => {
  for (let size = 1; size <= text.length; size++) {
    const p = new EventParser();
    const got = [];
    for (let i = 0; i < text.length; i += size) got.push(...p.feed(text.slice(i, i + size)));
    expect(got).toEqual(want);
    expect(p.retry).toBe(2000);
  }
});

test("lines end with CR LF too, and data may have several", () => {
  expect(new EventParser().feed("data: a\r\ndata: b\r\n\r\n")).toEqual([{ id: "", name: "message", data: "a\nb" }]);
});

test("an event without data, and one that is not complete, are none", () => {
  expect(new EventParser().feed("event: x\n\ndata: half")).toEqual([]);
});
