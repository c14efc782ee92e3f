// The frame around every screen: navigation, the sign that says whether the page is live, messages, dialogs.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link, Route, Router, Switch } from "wouter-preact";
import { connection, held, paused, reconnect, setPaused } from "./live/live";
import { AuditScreen } from "./screens/audit";
import { FailuresScreen } from "./screens/failures";
import { FunctionsScreen } from "./screens/functions";
import { InstancesScreen } from "./screens/instances";
import { Overview } from "./screens/overview";
import { SchedulesScreen } from "./screens/schedules";
import { TaskScreen } from "./screens/task";
import { TasksScreen } from "./screens/tasks";
import { failed, hasLogin, loadMe, me } from "./state/me";
import { path, useHash, useHashSearch } from "./state/route";
import { type Theme, theme, utc } from "./state/settings";
import { dismiss, toasts } from "./state/toasts";
import { Button, Dialog, Empty, Failed, Icon, Menu, Segments } from "./ui/basics";
import { help, useKeys } from "./ui/keys";
import { OperationsTray } from "./ui/operations";
import { SignIn } from "./ui/signin";

const screens: { to: string; text: string; icon: string }[] = [
  { to: "/", text: "Overview", icon: "activity" },
  { to: "/tasks", text: "Tasks", icon: "list" },
  { to: "/failures", text: "Failures", icon: "circle-x" },
  { to: "/functions", text: "Functions", icon: "square-function" },
  { to: "/schedules", text: "Schedules", icon: "calendar-clock" },
  { to: "/instances", text: "Instances", icon: "server" },
  { to: "/audit", text: "Audit", icon: "scroll-text" },
];

const helping = signal(false);

const served = document.title; // the server put the mount's title there
const title = (): string => me.value?.title || served;

const toMain = (): void => document.querySelector("main")?.focus({ preventScroll: true });

export function App() {
  useKeys({
    "?": () => {
      helping.value = true;
    },
    "/": () => document.querySelector<HTMLInputElement>("main input[type=search]")?.focus(),
    p: () => setPaused(!paused.value),
  });
  const at = path.value;
  useEffect(() => {
    toMain();
    const screen = screens.find((s) => s.to === (at.startsWith("/tasks/") ? "/tasks" : at));
    document.title = screen && at !== "/" ? `${screen.text} · ${title()}` : title();
  }, [at]);
  return (
    <Router hook={useHash} searchHook={useHashSearch}>
      <div class="frame">
        <button type="button" class="button primary skip" onClick={toMain}>
          Skip the navigation
        </button>
        <Rail at={at} />
        {/* focused by script when the screen changes, so that readers of screens hear the new one */}
        <main tabIndex={-1}>
          <NotLive />
          {failed.value && !me.value ? (
            <div class="page">
              <Failed error={failed.value} what="The dashboard" reload={() => void loadMe()} />
            </div>
          ) : (
            <Switch>
              <Route path="/" component={Overview} />
              <Route path="/tasks" component={TasksScreen} />
              <Route path="/tasks/:id">{({ id }) => <TaskScreen key={id} id={id} />}</Route>
              <Route path="/failures" component={FailuresScreen} />
              <Route path="/functions" component={FunctionsScreen} />
              <Route path="/schedules" component={SchedulesScreen} />
              <Route path="/instances" component={InstancesScreen} />
              <Route path="/audit" component={AuditScreen} />
              <Route>
                <div class="page">
                  <Empty icon="circle-help" title="There is no such page">
                    <p>
                      The address ends in <code>{at}</code>, which leads nowhere.{" "}
                      <Link href="/">Go to the overview</Link>
                    </p>
                  </Empty>
                </div>
              </Route>
            </Switch>
          )}
        </main>
        <OperationsTray />
        <Toasts />
        <SignIn />
        {helping.value && <Help />}
      </div>
    </Router>
  );
}

function Rail({ at }: { at: string }) {
  return (
    <header class="rail">
      <Link href="/" class="brand" title={title()}>
        <Icon name="status-success" />
        <span>{title()}</span>
      </Link>
      <nav aria-label="Screens">
        {screens.map((s) => {
          const here = s.to === "/" ? at === "/" : at === s.to || at.startsWith(`${s.to}/`);
          return (
            <Link key={s.to} href={s.to} aria-current={here ? "page" : undefined}>
              <Icon name={s.icon} />
              <span>{s.text}</span>
            </Link>
          );
        })}
      </nav>
      <div class="rail-foot">
        <LiveSign />
        <Settings />
      </div>
    </header>
  );
}

function LiveSign() {
  const c = connection.value;
  const state = paused.value ? "paused" : c.state;
  const text = paused.value
    ? held.value
      ? `Paused · ${held.value} changed`
      : "Paused"
    : c.state === "live"
      ? "Live"
      : c.state === "off"
        ? "Not live"
        : "Connecting";
  return (
    <div class="live" data-state={state}>
      <span class="live-sign" role="status" title={c.reason ? `${text}: ${c.reason}` : text}>
        <i class="lamp" aria-hidden="true" />
        <span>{text}</span>
      </span>
      <Button
        kind="ghost"
        small
        icon={paused.value ? "play" : "pause"}
        label={paused.value ? "Resume live changes (p)" : "Pause live changes (p)"}
        pressed={paused.value}
        onClick={() => setPaused(!paused.value)}
      />
    </div>
  );
}

const patience = 1500; // a short break is none of the reader's business, either

// NotLive says why the page stands still, in the reader's way but not on top of what is read.
function NotLive() {
  const c = connection.value;
  // while it is tried again it is not live either; a first attempt needs no word
  const since = useRef(0);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (c.state === "live") {
      since.current = 0;
      setShown(false);
      return;
    }
    if (c.state === "off") since.current ||= Date.now();
    if (!since.current || shown) return;
    const t = setTimeout(() => setShown(true), Math.max(0, since.current + patience - Date.now()));
    return () => clearTimeout(t);
  }, [c.state, shown]);
  if (!shown || c.state === "live" || paused.value) return null;
  return (
    <div class="notlive" role="status">
      <Icon name="wifi-off" />
      <p>
        <strong>Not live:</strong> {c.reason}. What you see may be old; it is tried again by itself.
      </p>
      <Button small onClick={() => reconnect()}>
        Try now
      </Button>
    </div>
  );
}

function Settings() {
  const m = me.value;
  return (
    <Menu icon="settings" label="Settings">
      <div class="settings">
        {m?.user && (
          <p class="who">
            <Icon name="user" /> {m.user}
            {m.role === "viewer" && <span class="dim"> may only look</span>}
          </p>
        )}
        {!m?.user && m?.role === "viewer" && <p class="who dim">Read-only</p>}
        <span class="label">Theme</span>
        <Segments<Theme>
          label="Theme"
          value={theme.value}
          options={[
            ["system", "System"],
            ["light", "Light"],
            ["dark", "Dark"],
          ]}
          onPick={(v) => {
            theme.value = v;
          }}
        />
        <span class="label">Times</span>
        <Segments
          label="Times"
          value={utc.value ? "utc" : "local"}
          options={[
            ["local", "Local"],
            ["utc", "UTC"],
          ]}
          onPick={(v) => {
            utc.value = v === "utc";
          }}
        />
        <hr />
        <Button
          kind="ghost"
          icon="circle-help"
          onClick={() => {
            helping.value = true;
          }}
        >
          Keyboard
        </Button>
        <a class="button ghost" href="openapi.json" target="_blank" rel="noreferrer">
          <Icon name="external-link" /> API
        </a>
        {hasLogin() && (
          <form method="post" action="auth/logout">
            <Button kind="ghost" icon="log-out" type="submit">
              Sign out
            </Button>
          </form>
        )}
        {m?.version && <p class="dim version">taskflow {m.version}</p>}
      </div>
    </Menu>
  );
}

function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((t) => (
        <div key={t.id} class={`toast ${t.tone}`}>
          <Icon name={t.tone === "error" ? "triangle-alert" : "check"} />
          <p>
            {t.text}{" "}
            {t.href && (
              <a href={t.href} onClick={() => dismiss(t.id)}>
                {t.hrefText}
              </a>
            )}
          </p>
          <Button kind="ghost" small icon="x" label="Dismiss" onClick={() => dismiss(t.id)} />
        </div>
      ))}
    </div>
  );
}

function Help() {
  return (
    <Dialog
      title="Keyboard"
      onClose={() => {
        helping.value = false;
      }}
    >
      <dl class="keys">
        {help.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((k) => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
