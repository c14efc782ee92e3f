// The typed client. Every call answers with data or throws an ApiError that has a text for people.

import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "./schema.gen";

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: no answer came
    readonly title: string,
    detail: string,
    readonly retryAfter = 0, // seconds
  ) {
    super(detail);
  }
  // missing: this server does not have what was asked for, which is different from having nothing to show.
  get missing(): boolean {
    return this.status === 404 || this.status === 501 || this.status === 405;
  }
  get away(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

// toError reads the problem document of an answer.
export async function toError(answer: Response): Promise<ApiError> {
  const after = Number(answer.headers.get("Retry-After")) || 0;
  try {
    const p = await answer.json();
    if (typeof p.detail === "string") return new ApiError(answer.status, String(p.title ?? ""), p.detail, after);
  } catch {
    // not a problem document: a proxy answered
  }
  return new ApiError(
    answer.status,
    answer.statusText,
    `The server answered ${answer.status} ${answer.statusText}`.trim(),
    after,
  );
}

// signIn asks for a new session; set by the page. It resolves to false when the reader gave up.
let signIn: (() => Promise<boolean>) | null = null;
export function onSessionEnd(ask: () => Promise<boolean>): void {
  signIn = ask;
}

// send is fetch, with no answer made an ApiError, and with one more try after a new login.
async function send(request: Request): Promise<Response> {
  const again = request.clone();
  let answer = await sendOnce(request);
  if (answer.status === 401 && signIn && (await signIn())) answer = await sendOnce(again);
  return answer;
}

async function sendOnce(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (err) {
    if (err instanceof DOMException && err.name === "AbortError") throw err;
    throw new ApiError(0, "No answer", "The server does not answer. It may be restarting, or the network is away.");
  }
}

const refuse: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await toError(response);
    const kind = response.headers.get("Content-Type") ?? "";
    if (response.status === 200 && !kind.includes("json")) {
      throw new ApiError(
        502,
        "Not JSON",
        `Something in front of the server answered with ${kind || "no content type"}: perhaps a login page of your own. Reload this page.`,
      );
    }
    return undefined;
  },
};

// The base is relative, as every URL of the page: it is served at …/dashboard, the API is beside it.
export const api = createClient<paths>({ baseUrl: ".", fetch: send, headers: { Accept: "application/json" } });
api.use(refuse);

// data unwraps an answer: errors were thrown before.
export async function data<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}

// nextCursor reads the cursor of the next page from a Link header; "" for none.
export function nextCursor(answer: Response): string {
  const next = /[?&]cursor=([^&>]+)/.exec(answer.headers.get("Link") ?? "");
  return next ? decodeURIComponent(next[1] as string) : "";
}
