import { expect, test } from "vitest";
import { leftOut } from "./words";

test.each([
  [1, { already_retried: 1 }, "1 is left out: already replayed"],
  [3, { already_retried: 1, not_found: 2, duplicate: 0 }, "3 are left out: 1 already replayed, 2 no longer there"],
  [2, { too_new_to_know: 2 }, "2 are left out: too new to know"],
  [2, {}, "2 are left out"],
])("%i left out, %j", (n, by, want) => expect(leftOut(n, by)).toBe(want));
