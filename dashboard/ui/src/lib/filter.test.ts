import { expect, test } from "vitest";
import { bulkFilter, filterParams, isEmpty, matches, moment, noFilter, parseFilter } from "./filter";
import { task } from "./testtask";

const now = Date.UTC(2026, 0, 31, 12);

test("a filter and its URL are the same, both ways", () => {
  for (const query of [
    "",
    "status=failed%2Cinterrupted&func_name=send&q=a+b%26c&since=6h&tag=user%3A7&tag=k",
    "source=retry&instance=i1&priority=-5&failure_group=00ff&until=2026-01-31T12%3A00%3A00Z",
  ]) {
    const { filter, wrong } = parseFilter(new URLSearchParams(query));
    expect(wrong).toEqual([]);
    expect(parseFilter(filterParams(filter)).filter).toEqual(filter);
    expect(isEmpty(filter)).toBe(query === "");
  }
});

test.each([
  ["status=failed,nonsense", "status “nonsense” does not exist"],
  ["since=yesterday", "since “yesterday” is neither"],
  ["source=elsewhere", "source “elsewhere” is none of"],
  ["stauts=failed", "“stauts” is no filter, “status” is"],
  ["tags=user:7", "“tags” is no filter, “tag” is"],
  ["colour=red&sort=duration&cols=id", "“colour” is no filter"],
  ["tag=:&tag=user:7", "tag “:” has no key"],
  ["since=1h&until=2h", "until “2h” is not after since “1h”"],
  ["priority=high", "priority “high” is no number"],
  [`q=${"x".repeat(201)}`, "q is longer than"],
  [Array(11).fill("tag=a").join("&"), "only the first ten tags"],
])("%s is named and left out", (query, want) => {
  const { filter, wrong } = parseFilter(new URLSearchParams(query));
  expect(wrong.join()).toContain(want);
  expect(parseFilter(filterParams(filter)).wrong).toEqual([]);
});

const t = task({
  status: "failed",
  func_name: "send",
  error: "Dial TCP: refused",
  tags: { user: "7", k: "" },
  source: "retry",
  owner: "i1",
});

test.each([
  [{}, true],
  [{ status: ["failed" as const] }, true],
  [{ status: ["success" as const] }, false],
  [{ func_name: "sen" }, false],
  [{ q: "dial tcp" }, true],
  [{ q: t.task_id.slice(0, 8) }, true],
  [{ q: "absent" }, false],
  [{ tag: ["user:7", "k"] }, true],
  [{ tag: ["user:8"] }, false],
  [{ tag: ["toString"] }, false],
  [{ source: "manual" }, false],
  [{ instance: "i1" }, true],
  [{ since: "1h" }, true],
  [{ until: "1h" }, false],
  [{ failure_group: "00ff" }, null],
])("%j: %s", (some, want) => expect(matches({ ...noFilter, ...some }, t, now)).toBe(want));

test("moments are ages or times", () => {
  expect(moment("6h", now)).toBe(now - 6 * 36e5);
  expect(moment("2026-01-31T12:00:00 02:00", 0)).toBe(now - 2 * 36e5);
  expect(moment("6 hours", now)).toBeNull();
});

test("a bulk filter has what is set", () => {
  expect(bulkFilter({ ...noFilter, status: ["failed"], source: "retry" })).toEqual({
    status: ["failed"],
    source: ["retry"],
  });
});
