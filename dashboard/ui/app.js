// The page of the task dashboard. Everything that a task wrote reaches the document through textContent only.

const PAGE_SIZE = 100;
const MAX_ROWS = 1000;
const MAX_LINES = 2000;
const POLL_MS = 5000;
const RELOAD_MS = 1500; // between two reloads of the list that the stream asked for
const RETRYABLE = ["failed", "interrupted", "cancelled"];
const LIVE = ["pending", "running"];

const $ = (id) => document.getElementById(id);
const rows = $("rows"), filter = $("filter"), dialog = $("detail");

const tasks = new Map(); // by id: {task, row}
let cursor = "", paused = false, waiting = new Map(), reloadDue = false, reloadTimer = 0, lastReload = 0;
let source = null, pollTimer = 0, open = "", openLines = 0, loading = 0;
let early = null; // while a list is loading: by id, the states that the stream told since; they are newer than what the list brings
let late = null; // while the open task is loading: the log events since
let shown = null; // the task whose facts the dialog shows

// ---- talking to the server

async function api(path, options) {
  const answer = await fetch(path, { headers: { Accept: "application/json" }, credentials: "same-origin", ...options });
  if (answer.status === 401) {
    location.assign("auth/login");
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail || `The server answered ${answer.status}.`), { status: answer.status });
  }
  return answer;
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

function listQuery() {
  const query = new URLSearchParams({ limit: PAGE_SIZE });
  for (const [name, value] of new FormData(filter)) {
    if (value.trim()) query.set(name, value.trim());
  }
  return query;
}

// loadList replaces the list, or with more adds the page after its end.
async function loadList(more) {
  const mine = ++loading;
  early = new Map();
  const query = listQuery();
  if (more) query.set("cursor", cursor);
  try {
    const answer = await api("./?" + query);
    const page = await answer.json();
    if (mine !== loading) return; // another load has begun meanwhile
    if (!more) {
      const keep = new Set(page.map((t) => t.task_id));
      for (const id of [...tasks.keys()]) if (!keep.has(id) && !(early.has(id) && matches(early.get(id)))) drop(id);
    }
    for (const task of page) {
      const newer = early.get(task.task_id);
      if (!newer || matches(newer) !== false) put(newer || task);
    }
    early = null;
    const next = /[?&]cursor=([^&>]+)/.exec(answer.headers.get("Link") || "");
    cursor = next ? decodeURIComponent(next[1]) : "";
    $("more").hidden = !cursor;
    showEmpty();
    notice("");
  } catch (err) {
    if (mine !== loading) return;
    early = null;
    notice("The list could not be loaded: " + err.message);
    if (!(err.status < 500)) setTimeout(() => { if (mine === loading) loadList(more); }, POLL_MS); // below: asking again gives the same
  }
}

async function loadTotals() {
  try {
    const m = await (await api("metrics")).json();
    const parts = ["running", "pending", "success", "failed", "interrupted", "cancelled"].map((s) => `${m[s]} ${s}`);
    parts.unshift(`${m.total} tasks`);
    parts.push(`average ${duration(m.avg_duration_seconds)}`, `95 % within ${duration(m.percentiles.p95)}`);
    $("totals").textContent = parts.join(" · ");
  } catch {
    $("totals").textContent = "";
  }
}

async function loadNames() {
  try {
    for (const f of await (await api("functions")).json()) {
      const option = document.createElement("option");
      option.value = f.func_name;
      $("names").append(option);
    }
  } catch { /* the names are only a help for typing */ }
}

// reload loads list and totals again, soon and not too often.
function reload() {
  if (paused) {
    reloadDue = true;
    return;
  }
  if (reloadTimer) return;
  reloadTimer = setTimeout(() => {
    reloadTimer = 0;
    lastReload = Date.now();
    loadList();
    loadTotals();
    if (open) showTask(open);
  }, Math.max(0, lastReload + RELOAD_MS - Date.now()));
}

// ---- the table

function duration(s) {
  if (s == null) return "";
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 60) return `${s.toFixed(s < 10 ? 2 : 1)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

const when = (iso) => (iso ? new Date(iso).toLocaleString() : "");
const tagText = (tags) => Object.entries(tags).map(([k, v]) => (v ? `${k}: ${v}` : k)).join(", ");

function newRow(id) {
  const row = document.createElement("tr");
  for (let i = 0; i < 7; i++) row.append(document.createElement("td"));
  const name = document.createElement("button");
  name.type = "button";
  row.cells[1].append(name);
  row.cells[3].className = row.cells[4].className = "n";
  row.addEventListener("click", () => openTask(id));
  return row;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// outdated reports whether task is an older state than known, of the same task: nothing that has ended goes on.
function outdated(task, known) {
  return LIVE.includes(task.status) && !LIVE.includes(known.status);
}

function put(task) {
  let entry = tasks.get(task.task_id);
  if (entry && outdated(task, entry.task)) return;
  if (!entry) {
    entry = { row: newRow(task.task_id) };
    tasks.set(task.task_id, entry);
    insert(entry.row, task.task_id);
  }
  entry.task = task;
  const cells = entry.row.cells;
  cells[0].className = "status";
  cells[0].dataset.status = task.status;
  set(cells[0], task.status);
  set(cells[1].firstChild, task.func_name);
  set(cells[2], when(task.created_at));
  set(cells[3], duration(task.duration));
  set(cells[4], task.retries_used ? String(task.retries_used) : "");
  cells[4].dataset.unit = task.retries_used ? " retries" : "";
  set(cells[5], (task.error || "").split("\n", 1)[0]);
  set(cells[6], tagText(task.tags));
}

// insert keeps the rows in the order of ids, newest first.
function insert(row, id) {
  row.dataset.id = id;
  for (const other of rows.children) {
    if (other.dataset.id < id) {
      other.before(row);
      return;
    }
  }
  rows.append(row);
}

function drop(id) {
  tasks.get(id)?.row.remove();
  tasks.delete(id);
}

function showEmpty() {
  $("empty").hidden = tasks.size > 0;
  set($("empty"), cursor ? "None found among the newer tasks. The older ones are still to be searched: go on with the button below." : "No tasks.");
}

// matches reports whether a task from the stream belongs into the filtered list: true, false, or null if only the server can tell.
function matches(task) {
  const f = new FormData(filter);
  if (f.get("status") && task.status !== f.get("status")) return false;
  if (f.get("func_name").trim() && task.func_name !== f.get("func_name").trim()) return false;
  return f.get("q").trim() ? null : true;
}

function apply(task) {
  if (paused) {
    if (waiting.size < MAX_ROWS || waiting.has(task.task_id)) waiting.set(task.task_id, task);
    else reloadDue = true;
    showState();
    return;
  }
  if (early) {
    early.set(task.task_id, task);
    if (early.size > MAX_ROWS) early.delete(early.keys().next().value);
  }
  const fits = matches(task);
  if (fits === false) {
    drop(task.task_id);
  } else if (fits || tasks.has(task.task_id)) {
    const last = rows.lastElementChild?.dataset.id;
    if (tasks.has(task.task_id) || !cursor || !last || task.task_id > last) put(task);
    if (tasks.size > MAX_ROWS) {
      drop(rows.lastElementChild.dataset.id);
      cursor = rows.lastElementChild.dataset.id;
      $("more").hidden = false;
    }
  } else {
    reload();
  }
  showEmpty();
  if (task.task_id === open) {
    showFacts(task);
    if (late) late.state = task;
  }
  totalsSoon();
}

let totalsTimer = 0;
function totalsSoon() {
  if (!totalsTimer) totalsTimer = setTimeout(() => { totalsTimer = 0; loadTotals(); }, 2000);
}

// ---- one task

function openTask(id) {
  open = id;
  openLines = 0;
  shown = late = null;
  $("d-said").textContent = "";
  $("d-log").querySelector("pre").textContent = "";
  for (const part of ["d-error", "d-stack", "d-log"]) $(part).hidden = true;
  const known = tasks.get(id);
  if (known) showFacts(known.task);
  dialog.showModal();
  showTask(id);
}

async function showTask(id) {
  const mine = late = [];
  try {
    const task = await (await api(encodeURIComponent(id))).json();
    if (mine !== late) return; // another load has begun meanwhile, or the dialog was closed
    late = null;
    showFacts(mine.state || task);
    section("d-stack", task.stacktrace);
    if (task.log_count >= openLines) {
      openLines = task.log_count;
      section("d-log", task.logs.join("\n"));
    }
    mine.forEach(appendLog);
  } catch (err) {
    if (mine !== late) return;
    late = null;
    $("d-said").textContent = err.message;
  }
}

function section(id, text) {
  $(id).hidden = !text;
  set($(id).querySelector("pre"), text || "");
}

function showFacts(task) {
  if (shown?.task_id === task.task_id && outdated(task, shown)) return;
  shown = task;
  set($("d-name"), task.func_name);
  set($("d-status"), task.status);
  $("d-status").dataset.status = task.status;
  $("d-retry").hidden = !RETRYABLE.includes(task.status);
  $("d-retry").disabled = task.closure;
  $("d-retry").title = task.closure ? "A plain function cannot be run again from here." : "";
  $("d-cancel").hidden = !LIVE.includes(task.status);
  const facts = [
    ["Id", task.task_id], ["Created", when(task.created_at)], ["Runs at", LIVE.includes(task.status) ? when(task.run_at) : ""],
    ["Started", when(task.start_time)], ["Ended", when(task.end_time)], ["Duration", duration(task.duration)],
    ["Attempts", `${task.attempts} of at most ${Math.max(task.max_retries + 1, task.attempts)}`], ["Source", task.source],
    ["Retry of", task.retry_of], ["Retried by", task.retried_by], ["Pool", task.executor], ["Priority", String(task.priority)], ["Tags", tagText(task.tags)],
    ["Instance", task.owner],
  ];
  const list = $("d-facts");
  list.replaceChildren();
  for (const [name, value] of facts) {
    if (!value) continue;
    list.append(Object.assign(document.createElement("dt"), { textContent: name }),
      Object.assign(document.createElement("dd"), { textContent: value }));
  }
  section("d-error", task.error);
}

function appendLog(event) {
  const { task_id, lines, log_count } = event;
  if (task_id !== open) return;
  if (late) {
    if (late.push(event) > MAX_LINES) late.shift();
    return;
  }
  if (log_count <= openLines) return;
  if (log_count - lines.length > openLines) { // some are missing
    showTask(open);
    return;
  }
  const fresh = lines.slice(openLines - log_count); // the others are there already
  openLines = log_count;
  $("d-log").hidden = false;
  const pre = $("d-log").querySelector("pre");
  const atEnd = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 4;
  pre.append((pre.textContent ? "\n" : "") + fresh.join("\n"));
  if (pre.childNodes.length > MAX_LINES) pre.firstChild.remove();
  if (atEnd) pre.scrollTop = pre.scrollHeight;
}

async function act(button, verb) {
  button.disabled = true;
  $("d-said").textContent = "…";
  try {
    const id = open;
    const done = await (await api(`${encodeURIComponent(id)}/${verb}`, { method: "POST" })).json();
    if (verb === "retry") {
      $("d-said").textContent = `Added again as ${done.task_id}.`;
    } else {
      $("d-said").textContent = LIVE.includes(done.task.status) ? "The task was told to stop." : "Cancelled.";
    }
    if (!source) reload();
  } catch (err) {
    $("d-said").textContent = err.message;
  }
  button.disabled = false;
}

// ---- the stream

function showState(connection) {
  const live = $("live");
  if (connection) live.dataset.connection = connection;
  const state = paused ? "paused" : live.dataset.connection || "connecting";
  live.dataset.state = state;
  set(live, paused && waiting.size ? `paused, ${waiting.size}${reloadDue ? " or more" : ""} changed` : state);
}

function connect() {
  clearInterval(pollTimer);
  source = new EventSource("dashboard/stream");
  source.addEventListener("hello", (e) => {
    showState("live");
    notice("");
    if (!JSON.parse(e.data).resumed) reload();
  });
  source.addEventListener("task", (e) => apply(JSON.parse(e.data)));
  source.addEventListener("log", (e) => { if (!paused) appendLog(JSON.parse(e.data)); });
  source.addEventListener("reset", reload);
  source.addEventListener("bye", (e) => {
    showState("disconnected");
    if (JSON.parse(e.data).reason === "session") location.assign("auth/login");
  });
  source.addEventListener("error", () => {
    showState("disconnected");
    if (source?.readyState === EventSource.CLOSED) poll(); // refused: it would not try again by itself
  });
}

// poll stands in for the stream where there is none, and tries it again from time to time.
function poll() {
  source?.close();
  source = null;
  showState("polling");
  let turns = 0;
  clearInterval(pollTimer);
  reload();
  pollTimer = setInterval(() => (++turns % 12 ? reload() : connect()), POLL_MS);
}

// ---- wiring

$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  set($("pause"), paused ? "Resume" : "Pause");
  if (!paused) {
    const changed = waiting;
    waiting = new Map();
    for (const task of changed.values()) apply(task);
    if (reloadDue || open) reload();
    reloadDue = false;
  }
  showState();
});
let typing = 0;
const refilter = () => { clearTimeout(typing); typing = setTimeout(() => loadList(), 250); };
filter.addEventListener("input", refilter);
filter.addEventListener("reset", refilter);
filter.addEventListener("submit", (e) => { e.preventDefault(); refilter(); });
$("more").addEventListener("click", () => loadList(true));
$("d-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => { open = ""; late = shown = null; });
$("d-retry").addEventListener("click", (e) => act(e.currentTarget, "retry"));
$("d-cancel").addEventListener("click", (e) => act(e.currentTarget, "cancel"));
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (e) => { if (e.persisted) connect(); });

loadNames();
loadTotals();
loadList();
connect();
