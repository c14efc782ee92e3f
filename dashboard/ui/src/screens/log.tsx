// LogView shows a task's log: it follows while it grows, until the reader scrolls up. Only the lines in sight are in the document.

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { plural } from "../lib/format";
import { atLeast, type Level, levels, parse } from "../lib/log";
import { clock, full } from "../lib/time";
import { utc, wrapLog } from "../state/settings";
import { Button, Copy, Icon } from "../ui/basics";
import { useVirtual } from "../ui/virtual";

const leastHeight = 200; // of a log that is followed
const edge = 16; // below it
const inputLasts = 1000; // ms in which a scroll is taken for what a reader's hand has done
const inputs = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

// useInSight keeps the end of a growing log in the window. room is how high the log may be, so that it ends where the window ends; where that is
// too little, show scrolls the screen, unless the reader looks at another part of it.
function useInSight(log: RefObject<HTMLDivElement | null>, live: boolean, follow: boolean, some: boolean) {
  const along = useRef(true); // the reader has the end in view
  const at = useRef(0); // where the screen was scrolled to
  const hand = useRef(-inputLasts); // when the reader last did something
  const [room, setRoom] = useState(0);
  const screen = () => log.current?.closest("main") ?? null;
  const below = (main: HTMLElement) =>
    (log.current?.getBoundingClientRect().bottom ?? 0) - main.getBoundingClientRect().bottom;
  const measure = () => {
    const main = screen();
    if (!log.current || !main || !live) return;
    const top = log.current.getBoundingClientRect().top - main.getBoundingClientRect().top + main.scrollTop;
    setRoom(Math.max(leastHeight, Math.floor(main.clientHeight - top - edge)));
  };
  // The browser scrolls, too: with what is above the log as that grows and shrinks, and to the end of a screen that has become shorter. A reader
  // who scrolls up has used a hand. The event of a scroll may come after the next drawing.
  const look = (main: HTMLElement) => {
    const byHand = performance.now() - hand.current < inputLasts;
    if (below(main) <= 1) along.current = true;
    else if (byHand && main.scrollTop < at.current) along.current = false;
    at.current = main.scrollTop;
  };
  useLayoutEffect(measure); // what is above it grows, too
  useEffect(() => {
    const main = screen();
    if (!live || !some || !main) return;
    const onScroll = () => look(main);
    const onInput = () => {
      hand.current = performance.now();
    };
    for (const name of inputs) window.addEventListener(name, onInput, { passive: true, capture: true });
    const resize = new ResizeObserver(() => {
      measure();
      if (follow) show();
    });
    resize.observe(main);
    main.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      resize.disconnect();
      main.removeEventListener("scroll", onScroll);
      for (const name of inputs) window.removeEventListener(name, onInput, { capture: true });
    };
  }, [live, follow, some]);
  // asked: the reader wants to see it, wherever the screen is now
  const show = (asked = false) => {
    const main = screen();
    if (main) look(main);
    along.current ||= asked;
    if (main && along.current && below(main) + edge > 0) main.scrollBy({ top: below(main) + edge });
  };
  // what is above the log may have grown without a new line, and without leaving it less room than the least
  useLayoutEffect(() => {
    if (live && follow && some) show();
  });
  return { room, show };
}

export function LogView({ raw, live }: { raw: string[]; live: boolean }) {
  const scroller = useRef<HTMLDivElement>(null);
  const top = useRef(0); // where it was scrolled to
  const [level, setLevel] = useState<Level>("DEBUG");
  const [follow, setFollow] = useState(true);
  const { room, show } = useInSight(scroller, live, follow, raw.length > 0);
  const lines = useMemo(() => atLeast(parse(raw), level), [raw, level]);
  const wrap = wrapLog.value;
  const v = useVirtual(scroller, {
    count: lines.length,
    estimateSize: () => 20,
    overscan: 30,
    paddingStart: 6,
    paddingEnd: 6,
  });
  useEffect(() => v.measure(), [wrap, level]);
  useEffect(() => {
    if (!live || !follow || lines.length === 0) return;
    // the height is known only when the new lines have been measured
    const id = requestAnimationFrame(() => {
      scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
      show();
    });
    return () => cancelAnimationFrame(id);
  }, [lines.length, v.getTotalSize(), live, follow, room]);

  const onScroll = () => {
    const s = scroller.current;
    if (!s || !live) return;
    const up = s.scrollTop < top.current;
    top.current = s.scrollTop;
    // Only a reader scrolls up. Not to be at the end is no sign of one: more lines may have come meanwhile.
    if (s.scrollTop + s.clientHeight >= s.scrollHeight - 24) setFollow(true);
    else if (up) setFollow(false);
  };
  const newest = () => {
    setFollow(true);
    show(true);
  };
  const dropped = lines.length < raw.length;
  return (
    <section class="logview" aria-labelledby="h-log">
      <div class="section-head">
        <h2 id="h-log">
          Log{" "}
          <span class="dim num">
            {raw.length > 0 &&
              (dropped ? `${lines.length} of ${plural(raw.length, "line")}` : plural(raw.length, "line"))}
          </span>
        </h2>
        {raw.length > 0 && (
          <div class="row">
            {live && (
              <Button small icon="arrow-down" pressed={follow} onClick={() => (follow ? setFollow(false) : newest())}>
                Follow
              </Button>
            )}
            <select aria-label="Lowest level" value={level} onChange={(e) => setLevel(e.currentTarget.value as Level)}>
              {levels.map((l) => (
                <option key={l} value={l}>
                  {l === "DEBUG" ? "all levels" : l === "ERROR" ? "errors" : `${l.toLowerCase()} and above`}
                </option>
              ))}
            </select>
            <Button
              small
              kind="ghost"
              icon="wrap-text"
              label="Wrap long lines"
              pressed={wrap ?? true}
              onClick={() => {
                wrapLog.value = !wrap;
              }}
            />
            <Copy text={raw.join("\n")} what="log" />
          </div>
        )}
      </div>
      {raw.length === 0 ? (
        <p class="dim quiet">
          {live ? "It has logged nothing yet." : "It logged nothing."} What a task writes with{" "}
          <code>slog.InfoContext(ctx, …)</code> lands here.
        </p>
      ) : (
        <div
          ref={scroller}
          class={`log ${wrap ? "wrap" : ""}`}
          role="log"
          aria-live="off"
          aria-label="Log"
          tabIndex={0}
          style={room > 0 ? { "--room": `${room}px` } : undefined}
          onScroll={onScroll}
        >
          <div class="log-inner" style={{ height: `${v.getTotalSize()}px` }}>
            {v.getVirtualItems().map((item) => {
              const l = lines[item.index];
              if (!l) return null;
              return (
                <div
                  key={item.key}
                  data-index={item.index}
                  ref={(node) => v.measureElement(node)}
                  class={`line ${l.mark ? "mark" : (l.level ?? "").toLowerCase()}`}
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  {l.mark ? (
                    <span>{l.text}</span>
                  ) : (
                    <>
                      <time title={l.at !== null ? full(new Date(l.at).toISOString(), utc.value) : undefined}>
                        {l.at !== null ? clock(l.at, utc.value) : ""}
                      </time>
                      <b>{l.level ?? ""}</b>
                      <bdi>{l.text}</bdi>
                    </>
                  )}
                </div>
              );
            })}
          </div>
        </div>
      )}
      {live && !follow && raw.length > 0 && (
        <p class="log-foot">
          <Button small kind="primary" icon="arrow-down" onClick={newest}>
            Newest lines
          </Button>
        </p>
      )}
      {level !== "DEBUG" && lines.length === 0 && (
        <p class="dim">
          <Icon name="check" /> No line of that level.
        </p>
      )}
    </section>
  );
}
