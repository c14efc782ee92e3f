// The screen of failures: how far it looks back.

export const failureRanges: [string, string][] = [
  ["1h", "1 h"],
  ["24h", "24 h"],
  ["7d", "7 d"],
  ["30d", "30 d"],
];

const hours: Record<string, number> = { "24h": 24, "7d": 168, "30d": 720 };

// windowOf is the least range, of a day or more, in which a task that was added then is found; "" when it is older than all of them.
export function windowOf(added: string, now: number): string {
  const age = (now - Date.parse(added)) / 3_600_000;
  return Object.keys(hours).find((range) => age < (hours[range] as number) - 0.02) ?? "";
}
