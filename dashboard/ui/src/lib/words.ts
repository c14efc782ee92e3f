// What the API calls things, in the words of the page: what people start again is replayed, what the program repeats by itself is retried.

const reasons: Record<string, string> = {
  not_found: "no longer there",
  duplicate: "named twice",
  not_retryable: "cannot be replayed",
  already_retried: "already replayed",
  not_registered: "not registered here",
  bad_arguments: "arguments cannot be read",
  not_cancellable: "not to be cancelled",
  held_elsewhere: "held by another instance",
  not_finished: "not finished",
};

const sources: Record<string, string> = { retry: "replay" };

// sourceWord is what the page calls a task's source; addresses have the API's names.
export const sourceWord = (source: string): string => sources[source] ?? source;

const actions: Record<string, string> = {
  retry: "replay",
  bulk_retry: "replay of several",
  retry_failed: "replay of what failed",
};

// actionWord is what the page calls what somebody has done.
export const actionWord = (action: string): string => actions[action] ?? action.replaceAll("_", " ");

const reason = (name: string): string => reasons[name] ?? name.replaceAll("_", " ");

// leftOut says how many tasks an operation does nothing to, and why.
export function leftOut(n: number, by: Record<string, number>): string {
  const all = Object.entries(by).filter(([, some]) => some > 0);
  const why =
    all.length === 1 ? reason((all[0] as [string, number])[0]) : all.map(([r, m]) => `${m} ${reason(r)}`).join(", ");
  return `${n === 1 ? "1 is" : `${n} are`} left out${why ? `: ${why}` : ""}`;
}
