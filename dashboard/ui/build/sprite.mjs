// Makes src/icons/sprite.gen.svg: our own shapes of statuses and the icons of Lucide (ISC licence) that the page uses.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const here = (path) => new URL(`../${path}`, import.meta.url);
const lucide = [
  "activity",
  "arrow-down",
  "arrow-up",
  "arrow-up-to-line",
  "calendar-clock",
  "check",
  "chevron-down",
  "chevron-right",
  "circle-help",
  "copy",
  "download",
  "ellipsis",
  "external-link",
  "columns-3",
  "hash",
  "layers",
  "link",
  "list",
  "log-out",
  "moon",
  "pause",
  "play",
  "power",
  "rotate-ccw",
  "scroll-text",
  "search",
  "server",
  "settings",
  "square",
  "square-function",
  "sun",
  "sun-moon",
  "terminal",
  "trash-2",
  "triangle-alert",
  "unplug",
  "user",
  "wifi-off",
  "wrap-text",
  "x",
  "circle-x",
  "hourglass",
  "skull",
];

function symbol(id, svg) {
  const body = svg
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/[\s\S]*?<svg[^>]*>/, "")
    .replace(/<\/svg>[\s\S]*/, "")
    .replace(/\s*\n\s*/g, "");
  return `<symbol id="${id}" viewBox="0 0 24 24">${body}</symbol>`;
}

const symbols = lucide.map((name) =>
  symbol(name, readFileSync(here(`node_modules/lucide-static/icons/${name}.svg`), "utf8")),
);
for (const file of readdirSync(here("src/icons")).sort()) {
  if (file.endsWith(".svg") && !file.includes(".gen."))
    symbols.push(symbol(file.slice(0, -4), readFileSync(here(`src/icons/${file}`), "utf8")));
}
writeFileSync(
  here("src/icons/sprite.gen.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`,
);
