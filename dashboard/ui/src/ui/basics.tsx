// The small parts that every screen is made of.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api/client";
import type { Status } from "../api/types";
import sprite from "../icons/sprite.gen.svg?url";
import { ago, full, stamp } from "../lib/time";
import { now } from "../state/clock";
import { utc } from "../state/settings";
import { say } from "../state/toasts";

// Icon is decoration unless it has a label.
export function Icon({ name, label, class: c = "" }: { name: string; label?: string; class?: string }) {
  return (
    <svg
      class={`icon ${c}`}
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : "true"}
    >
      <use href={`${sprite}#${name}`} />
    </svg>
  );
}

// StatusMark is a status as shape and word; bare leaves the word to screen readers.
export function StatusMark({ status, bare = false, word }: { status: Status; bare?: boolean; word?: string }) {
  return (
    <span class={`status status-${status}`} title={bare ? status : undefined}>
      <Icon name={`status-${status}`} />
      <span class={bare ? "sr-only" : ""}>{word ?? status}</span>
    </span>
  );
}

export function Time({ iso, as = "stamp" }: { iso: string; as?: "stamp" | "ago" | "full" }) {
  const text =
    as === "full" ? full(iso, utc.value) : as === "ago" ? ago(iso, now.value) : stamp(iso, utc.value, now.value);
  return (
    <time dateTime={iso} title={as === "full" ? ago(iso, now.value) : full(iso, utc.value)}>
      {text}
    </time>
  );
}

interface ButtonProps {
  children?: ComponentChildren;
  icon?: string;
  label?: string; // for a button that is an icon only
  kind?: "plain" | "primary" | "danger" | "ghost";
  small?: boolean;
  disabled?: boolean;
  pressed?: boolean;
  title?: string;
  type?: "button" | "submit";
  onClick?: (e: MouseEvent) => void;
}

export function Button({
  children,
  icon,
  label,
  kind = "plain",
  small,
  disabled,
  pressed,
  title,
  type = "button",
  onClick,
}: ButtonProps) {
  const c = ["button", kind, small ? "small" : "", children ? "" : "square"].join(" ").trim();
  return (
    <button
      type={type}
      class={c}
      disabled={disabled}
      aria-pressed={pressed}
      aria-label={label}
      title={title ?? label}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

// copyText works without HTTPS too, where browsers hide the clipboard from pages.
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser refused");
}

export function Copy({
  text,
  what,
  icon = "copy",
  children,
}: {
  text: string;
  what: string;
  icon?: string;
  children?: ComponentChildren;
}) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const t = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(t);
  }, [done]);
  const copy = () =>
    copyText(text).then(
      () => setDone(true),
      (err) => say(`The ${what} was not copied: ${err instanceof Error ? err.message : err}`, { tone: "error" }),
    );
  return (
    <Button
      kind="ghost"
      small
      icon={done ? "check" : icon}
      label={children ? undefined : `Copy the ${what}`}
      title={`Copy the ${what}`}
      onClick={copy}
    >
      {children}
      <span class="sr-only" role="status">
        {done ? "copied" : ""}
      </span>
    </Button>
  );
}

export function Empty({
  icon = "check",
  title,
  children,
}: {
  icon?: string;
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} class="big" />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

// againEvery is how often what could not be loaded, because its server or storage is away, is asked for again.
const againEvery = 5_000;

// Failed shows why something could not be loaded, and asks again by itself while the server or its storage is away; Missing, that this server
// does not have it.
export function Failed({ error, what, reload }: { error: ApiError; what: string; reload?: () => void }) {
  const latest = useRef(reload);
  latest.current = reload;
  const waits = error.away && !error.missing && reload !== undefined;
  useEffect(() => {
    if (!waits) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") latest.current?.();
    }, againEvery);
    return () => clearInterval(timer);
  }, [waits]);
  if (error.missing) return <Missing what={what} />;
  return (
    <div class="failed" role="alert">
      <Icon name={error.status === 0 ? "unplug" : "triangle-alert"} />
      <div>
        <strong>{error.away ? `${what} cannot be loaded now` : `${what} cannot be shown`}</strong>
        <p>{error.message}</p>
        {error.status > 0 && (
          <p class="dim">
            {error.status} {error.title}
          </p>
        )}
      </div>
      {reload && (
        <Button small icon="rotate-ccw" onClick={reload}>
          Try again
        </Button>
      )}
    </div>
  );
}

// NotUnderstood names what is wrong with the address of a screen.
export function NotUnderstood({ wrong }: { wrong: string[] }) {
  if (wrong.length === 0) return null;
  return (
    <p class="notice" role="alert">
      <Icon name="triangle-alert" /> Part of this address was not understood and is left out: {wrong.join("; ")}.
    </p>
  );
}

export function Missing({ what }: { what: string }) {
  return (
    <p class="missing">
      <Icon name="circle-help" /> {what}: this server does not offer it. A newer version of taskflow, or another
      backend, may.
    </p>
  );
}

// Waiting is shown while something is loaded for the first time, after a moment: most answers are faster.
export function Waiting({ lines = 3 }: { lines?: number }) {
  return (
    <div class="waiting" role="status">
      <span class="sr-only">loading</span>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} class="bone" />
      ))}
    </div>
  );
}

export function Dialog({
  title,
  onClose,
  children,
  wide,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const back = document.activeElement as HTMLElement | null;
    ref.current?.showModal();
    return () => back?.focus?.();
  }, []);
  return (
    <dialog ref={ref} class={wide ? "wide" : ""} aria-label={title} onClose={onClose}>
      <header>
        <h2>{title}</h2>
        <Button kind="ghost" icon="x" label="Close" onClick={() => ref.current?.close()} />
      </header>
      {children}
    </dialog>
  );
}

// Menu is a button with a small panel below it, that closes when the reader turns elsewhere.
export function Menu({
  icon,
  text,
  label,
  children,
  align = "right",
}: {
  icon?: string;
  text?: string;
  label: string;
  children: ComponentChildren;
  align?: "left" | "right";
}) {
  const ref = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const outside = (e: Event) => {
      if (ref.current?.open && !ref.current.contains(e.target as Node)) ref.current.open = false;
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, []);
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key !== "Escape" || !ref.current?.open) return;
    e.stopPropagation();
    ref.current.open = false;
    ref.current.querySelector("summary")?.focus();
  };
  return (
    <details class="menu" ref={ref} onKeyDown={onKeyDown}>
      <summary class={`button plain ${text ? "" : "square"}`} aria-label={text ? undefined : label} title={label}>
        {icon && <Icon name={icon} />}
        {text}
        {text && <Icon name="chevron-down" class="faint" />}
      </summary>
      <div class={`panel ${align}`}>{children}</div>
    </details>
  );
}

export function Bar({ done, total, label }: { done: number; total: number; label: string }) {
  return <progress value={total > 0 ? done : undefined} max={total > 0 ? total : undefined} aria-label={label} />;
}

// Spark is a row of tiny bars: a trend without an axis.
export function Spark({ values, label }: { values: number[]; label: string }) {
  const top = Math.max(1, ...values);
  return (
    <svg class="spark" role="img" aria-label={label} viewBox={`0 0 ${values.length * 4} 20`} preserveAspectRatio="none">
      {values.map((v, i) => {
        const h = v > 0 ? Math.max(2, (v / top) * 20) : 0.75;
        return <rect key={i} class={v > 0 ? "" : "none"} x={i * 4} y={20 - h} width="3" height={h} />;
      })}
    </svg>
  );
}

// Tags are shown as key and value; the rest of a long list is counted.
export function Tags({
  tags,
  most = 3,
  onPick,
}: {
  tags: Record<string, string>;
  most?: number;
  onPick?: (tag: string) => void;
}) {
  const all = Object.entries(tags);
  return (
    <span class="tags">
      {all.slice(0, most).map(([k, v]) => {
        const text = (
          <>
            <bdi class="dim">{k}</bdi>
            {v && <bdi>{v}</bdi>}
          </>
        );
        const title = v ? `${k}: ${v}` : k;
        // where there is no room for all, long ones give way, and short ones only to each other
        const long = k.length + v.length;
        const style = { flexShrink: long > 8 ? long ** 3 : 1 };
        return onPick ? (
          <button
            key={k}
            type="button"
            class="tag"
            style={style}
            title={`Only tasks with ${title}`}
            onClick={() => onPick(v ? `${k}:${v}` : k)}
          >
            {text}
          </button>
        ) : (
          <span key={k} class="tag" style={style} title={title}>
            {text}
          </span>
        );
      })}
      {all.length > most && <span class="dim">+{all.length - most}</span>}
    </span>
  );
}

export function Code({ text }: { text: string }) {
  return (
    <div class="code">
      <pre>
        <code>{text}</code>
      </pre>
      <Copy text={text} what="code" />
    </div>
  );
}

// Segments is one choice of a few.
export function Segments<T extends string>({
  label,
  value,
  options,
  onPick,
}: {
  label: string;
  value: T;
  options: [T, string][];
  onPick: (v: T) => void;
}) {
  return (
    <fieldset class="segments" aria-label={label}>
      {options.map(([v, text]) => (
        <button key={v} type="button" aria-pressed={v === value} onClick={() => onPick(v)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}
