// Charts without a library. Each draws its own background, so that it can be read on a page of any
// colour, and follows the reader's colour scheme where the viewer hands it down.

const WIDTH = 900;
const STYLE = `
  text { font: 12px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }
  .back { fill: #ffffff; stroke: #d0d7de }
  .title { font-size: 15px; font-weight: 600 }
  .note, .axis { fill: #57606a }
  .grid { stroke: #d8dee4 }
  .even { stroke: #57606a; stroke-dasharray: 3 3 }
  .reached { fill: #2da44e }
  .missed { fill: #d4a72c }
  .goal { stroke: #24292f; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .back { fill: #161b22; stroke: #30363d }
    .note, .axis { fill: #9da7b3 }
    .grid { stroke: #30363d }
    .even { stroke: #9da7b3 }
    .goal { stroke: #e6edf3 }
  }`;

const escapeText = (text) =>
  String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const text = (x, y, content, { kind = "", anchor = "start" } = {}) =>
  `<text x="${x}" y="${y}" class="${kind}" text-anchor="${anchor}">${escapeText(content)}</text>`;

const line = (x1, y1, x2, y2, kind) =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${kind}"/>`;

function picture(height, title, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(title)}">
<style>${STYLE}
</style>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6" class="back"/>
${parts.join("\n")}
</svg>
`;
}

const LEFT = 450;
const RIGHT = WIDTH - 70;
const TOP = 76;
const ROW = 22;
const TICKS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** One bar for each ratio, on a logarithmic scale, with a tick where its goal is. */
export function ratioChart({ title, note, bars }) {
  const largest = Math.max(2, ...bars.flatMap(({ ratio, goal }) => [ratio, goal]));
  const smallest = Math.min(0.5, ...bars.flatMap(({ ratio, goal }) => [ratio, goal]));
  const [from, to] = [Math.log(smallest * 0.9), Math.log(largest * 1.1)];
  const x = (ratio) => {
    const place = (Math.log(ratio) - from) / (to - from);
    return Number((LEFT + place * (RIGHT - LEFT)).toFixed(1));
  };
  const bottom = TOP + bars.length * ROW;
  const parts = [
    text(16, 26, title, { kind: "title" }),
    text(16, 46, note, { kind: "note" }),
    ...TICKS.filter((tick) => tick >= smallest && tick <= largest * 1.1).flatMap((tick) => [
      line(x(tick), TOP - 4, x(tick), bottom, tick === 1 ? "even" : "grid"),
      text(x(tick), TOP - 8, `${tick}×`, { kind: "axis", anchor: "middle" }),
    ]),
  ];
  for (const [index, { label, ratio, goal, reached, shown }] of bars.entries()) {
    const y = TOP + index * ROW;
    const [start, end] = [Math.min(x(1), x(ratio)), Math.max(x(1), x(ratio))];
    const width = Math.max(1, end - start).toFixed(1);
    parts.push(
      text(LEFT - 10, y + 15, label, { anchor: "end" }),
      `<rect x="${start}" y="${y + 4}" width="${width}" height="14" rx="2" class="${reached ? "reached" : "missed"}"/>`,
      line(x(goal), y + 2, x(goal), y + 20, "goal"),
      text(Math.max(end, x(goal)) + 6, y + 15, shown),
    );
  }
  return picture(bottom + 14, title, parts);
}
