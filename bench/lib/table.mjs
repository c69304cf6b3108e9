// Tables as text, for a terminal and for Markdown.

const widthsOf = (rows) =>
  rows[0].map((_, column) => Math.max(...rows.map((row) => [...row[column]].length)));

const pad = (text, width, right) => {
  const room = " ".repeat(Math.max(0, width - [...text].length));
  return right ? room + text : text + room;
};

/** `right` holds the indexes of the columns of numbers. */
export function textTable(rows, right = []) {
  const widths = widthsOf(rows);
  const line = (row) =>
    row
      .map((cell, column) => pad(cell, widths[column], right.includes(column)))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join("\n");
}

export function markdownTable(rows, right = []) {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = escaped[0].map((_, column) => (right.includes(column) ? "---:" : "---"));
  return [line(escaped[0]), `|${rule.join("|")}|`, ...escaped.slice(1).map(line)].join("\n");
}

/** Three significant digits, without an exponent. */
export function digits(number) {
  if (number === undefined) return "–";
  if (number >= 100) return Math.round(number).toLocaleString("en-US");
  return number
    .toPrecision(3)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
}
