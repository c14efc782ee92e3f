// Chart draws time series with uPlot. All charts of a page share one time axis and one cursor; what nobody counted is a gap; marks
// are starts and ends of instances.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { type AxisMark, nice } from "../lib/series";
import { axis, full } from "../lib/time";
import { isDark, utc } from "../state/settings";

export interface Line {
  name: string;
  color: string; // the name of a CSS variable, without the dashes
  values: (number | null)[];
  fill?: boolean;
  dash?: boolean;
}

interface Props {
  title: string;
  times: number[];
  step: number;
  lines: Line[];
  marks: AxisMark[];
  format: (v: number) => string;
  least?: number; // what the axis reaches at least: below it labels could not be told apart
  note?: string;
}

const sync = uPlot.sync("time");

function cssColor(name: string): string {
  const probe = document.createElement("i");
  probe.className = `ink-${name}`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

// faded is the same colour, seen through; a computed colour is rgb(r, g, b).
function faded(color: string, alpha: number): string {
  const [r, g, b] = color.match(/[\d.]+/g) ?? [];
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

export function Chart({ title, times, step, lines, marks, format, least = 0, note }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const drawn = useRef({ marks, format, lines, step });
  drawn.current = { marks, format, lines, step };
  const data = [times, ...lines.map((l) => l.values)] as uPlot.AlignedData;
  const dark = isDark();
  const zone = utc.value;
  const shape = lines.map((l) => `${l.name}/${l.color}`).join();

  useEffect(() => {
    const node = place.current;
    if (!node) return;
    const text = cssColor("dim");
    const grid = cssColor("line");
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const options: uPlot.Options = {
      width: node.clientWidth || 300,
      height: 140,
      padding: [16, 18, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "time", setSeries: false }, y: false, points: { size: 6 }, drag: { x: false, y: false } },
      scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, nice(Math.max(max ?? 0, least))] } },
      axes: [
        {
          stroke: text,
          font,
          grid: { show: false },
          ticks: { show: false },
          size: 22,
          gap: 4,
          space: 70,
          values: (_u, splits, _i, _space, incr) => splits.map((s) => axis(s, incr, zone)),
        },
        {
          stroke: text,
          font,
          grid: { stroke: grid, width: 1 },
          ticks: { show: false },
          size: 54,
          gap: 6,
          space: 36,
          values: (_u, splits) => splits.map((v) => (v === 0 ? "0" : drawn.current.format(v))),
        },
      ],
      series: [
        {},
        ...lines.map((l): uPlot.Series => {
          const color = cssColor(l.color);
          return {
            label: l.name,
            stroke: color,
            width: 1.5,
            dash: l.dash ? [4, 3] : undefined,
            fill: l.fill ? faded(color, dark ? 0.16 : 0.1) : undefined,
            spanGaps: false,
            // a value between two gaps has no line to it: it is a dot
            points: { show: (u, s) => lonely(u.data[s] as (number | null)[]), size: 4, fill: color, stroke: color },
          };
        }),
      ],
      hooks: {
        setCursor: [(u) => setAt(u.cursor.idx ?? null)],
        drawClear: [(u) => drawMarks(u, drawn.current.marks, text, font)],
      },
    };
    const u = new uPlot(options, data, node);
    plot.current = u;
    sync.sub(u);
    const resize = new ResizeObserver(
      () => node.clientWidth > 0 && u.setSize({ width: node.clientWidth, height: 140 }),
    );
    resize.observe(node);
    return () => {
      resize.disconnect();
      sync.unsub(u);
      u.destroy();
      plot.current = null;
    };
    // data goes in by setData below; a new theme, zone or set of lines needs a new plot
  }, [dark, zone, shape]);

  useEffect(() => {
    plot.current?.setData(data);
  });

  const shown = at ?? times.length - 1;
  // each value has room for the widest one, so that nothing moves as the cursor does
  const room = (l: Line) => Math.max(1, ...l.values.map((v) => (v == null ? 1 : format(v).length)));
  const rooms = useMemo(() => lines.map(room), [times, shape]);
  const none = lines.every((l) => l.values.every((v) => v == null));
  const moment =
    at !== null && times[at] !== undefined ? full(new Date(times[at] * 1000).toISOString(), zone).slice(0, 16) : "";
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <span class="chart-at">{moment || note}</span>
        <ul class="legend">
          {lines.map((l, i) => {
            const v = at === null ? l.values.findLast((n) => n != null) : l.values[shown];
            return (
              <li key={l.name}>
                <i class={`swatch ink-${l.color} ${l.dash ? "dashed" : ""}`} aria-hidden="true" />
                {l.name} <b style={{ minWidth: `${rooms[i]}ch` }}>{v == null ? "–" : format(v)}</b>
              </li>
            );
          })}
        </ul>
      </figcaption>
      <div
        ref={place}
        class="plot"
        role="img"
        aria-label={`${title}: ${lines.map((l) => describe(l, format)).join("; ")}`}
      />
      {none && <p class="plot-none">Nothing was counted in this time.</p>}
    </figure>
  );
}

function lonely(values: (number | null)[]): boolean {
  return values.some((v, i) => v != null && values[i - 1] == null && values[i + 1] == null);
}

function describe(l: Line, format: (v: number) => string): string {
  const known = l.values.filter((v) => v != null);
  if (known.length === 0) return `${l.name} not counted`;
  return `${l.name} now ${format(known.at(-1) as number)}, at most ${format(Math.max(...known))}`;
}

function drawMarks(u: uPlot, marks: AxisMark[], color: string, font: string): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const dpr = devicePixelRatio;
  let free = Number.NEGATIVE_INFINITY; // where the next label may begin
  ctx.save();
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.lineWidth = dpr;
  ctx.font = font.replace("11px", `${10 * dpr}px`);
  ctx.textBaseline = "top";
  for (const m of marks) {
    const x = Math.round(u.valToPos(m.at, "x", true)) + 0.5;
    if (x < left || x > left + width) continue;
    ctx.globalAlpha = 0.5;
    ctx.setLineDash(m.kind === "start" ? [] : [3 * dpr, 3 * dpr]);
    ctx.beginPath();
    ctx.moveTo(x, top - 2 * dpr);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    ctx.globalAlpha = 0.85;
    const wide = ctx.measureText(m.label).width;
    const from = Math.min(x - 1, left + width - wide); // at the edge it ends there
    if (from > free) {
      ctx.fillText(m.label, from, top - 14 * dpr);
      free = from + wide + 8 * dpr;
    }
  }
  ctx.restore();
}
