// Starts the server of internal/uiserver and gives it orders.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type Adapter = "gin" | "fiber" | "chi" | "nethttp";

export interface Options {
  adapter?: Adapter;
  past?: number; // finished tasks that are there from the beginning
  hostile?: boolean; // tasks with names that a page must not run
  schedules?: boolean; // that are not due during a test
  users?: boolean; // ask for a login
  session?: string; // how long a login lasts
  title?: string;
}

export interface Script {
  gate?: string; // where the task waits for what tell says
  lines?: string[];
  bulk?: number;
  result?: unknown;
  fail?: string;
  panic?: string;
  child?: string;
  note?: string;
}

export interface Addition {
  task?: string; // none: a plain function
  args?: Script;
  tags?: Record<string, string>;
  delay?: number;
  key?: string;
  pool?: string;
  submit?: boolean;
  times?: number;
}

export interface Command {
  lines?: string[];
  level?: "DEBUG" | "INFO" | "WARN" | "ERROR";
  progress?: { done: number; total: number; unit?: string; message?: string };
  fail?: string;
  end?: boolean;
}

export interface Task {
  task_id: string;
  func_name: string;
  status: string;
  error: string | null;
  created_at: string;
  log_count: number;
  [name: string]: unknown;
}

export const users = {
  ada: "correct horse battery", // may act
  vera: "only here to look",
};

interface Addresses {
  direct: string; // the mount
  proxy: string; // the same, behind a proxy that strips another prefix
  control: string;
  address: string;
  front: string;
  orders: string;
}

export class Server {
  private process: ChildProcess | null = null;
  private addresses: Addresses | null = null;
  private readonly folder = mkdtempSync(join(tmpdir(), "taskflow-ui-test-"));
  private cookie = "";

  // options may be changed before the process is started again.
  private constructor(readonly options: Options) {}

  static async start(options: Options = {}): Promise<Server> {
    const server = new Server({ ...options });
    try {
      await server.run();
    } catch (err) {
      await server.end();
      throw err;
    }
    return server;
  }

  get direct(): string {
    return this.known().direct;
  }
  get proxy(): string {
    return this.known().proxy;
  }
  get pid(): number {
    return this.process?.pid ?? 0;
  }

  private known(): Addresses {
    if (!this.addresses) throw new Error("the server does not run");
    return this.addresses;
  }

  // run starts the process, on the addresses that it had before.
  async run(): Promise<void> {
    const { adapter, past, hostile, schedules, users: asked, session, title } = this.options;
    const args = [
      "-database",
      join(this.folder, "tasks.db"),
      "-adapter",
      adapter ?? "nethttp",
      "-past",
      String(past ?? 0),
    ];
    if (hostile) args.push("-hostile");
    if (schedules) args.push("-schedules");
    if (asked) args.push("-users");
    if (session) args.push("-session", session);
    if (title) args.push("-title", title);
    const before = this.addresses;
    if (before) args.push("-address", before.address, "-proxy", before.front, "-control", before.orders);
    const child = spawn(process.env.TASKFLOW_UISERVER as string, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.process = child;
    let complaint = "";
    child.stderr.on("data", (text) => {
      complaint += text;
    });
    const line = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).once("line", resolve);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${complaint}`)));
    });
    this.addresses = JSON.parse(line);
  }

  // stop ends the process as a deployment does; run starts it again.
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.process;
    this.process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  async end(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  // order sends something to the port for orders.
  async order<T>(path: string, body: unknown): Promise<T> {
    const answer = await fetch(`${this.known().control}/${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path} ${JSON.stringify(body)}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async add(a: Addition): Promise<string> {
    const { ids } = await this.order<{ ids: string[] }>("add", a);
    return ids[0] as string;
  }
  async addMany(a: Addition, times: number): Promise<string[]> {
    return (await this.order<{ ids: string[] }>("add", { ...a, times })).ids;
  }
  tell = (gate: string, command: Command): Promise<unknown> => this.order("tell", { gate, ...command });
  storage = (away: boolean): Promise<unknown> => this.order("storage", { away });
  cut = (what: { drop?: boolean; refuse?: boolean }): Promise<unknown> => this.order("proxy", what);
  streams = (): Promise<{ open: number; opened: number }> => this.order("streams", {});

  // login lets api act as that user.
  async login(user: keyof typeof users): Promise<void> {
    const answer = await fetch(`${this.direct}/auth/login`, {
      method: "POST",
      body: new URLSearchParams({ username: user, password: users[user] }),
      redirect: "manual",
    });
    this.cookie = (answer.headers.get("Set-Cookie") ?? "").split(";")[0] as string;
    if (!this.cookie) throw new Error(`the login was answered ${answer.status}`);
  }

  // fetch asks the API, beside the page.
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.direct}/${path}`, { ...init, headers: { Cookie: this.cookie, ...init.headers } });
  }
  async api<T>(path: string, init: RequestInit = {}): Promise<T> {
    const answer = await this.fetch(path, init);
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }
  task = (id: string): Promise<Task> => this.api(id);

  // until waits for a task to be as asked.
  async until(id: string, status: string): Promise<Task> {
    for (;;) {
      const t = await this.task(id);
      if (t.status === status) return t;
      if (["success", "failed", "cancelled", "interrupted"].includes(t.status))
        throw new Error(`task ${id} ended as ${t.status} instead of ${status}: ${t.error}`);
      await new Promise((r) => setTimeout(r, 20));
    }
  }
}
