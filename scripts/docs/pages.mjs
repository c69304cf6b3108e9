// The pages of the documentation, and what is on them.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { root } from "../tools.mjs";

/** Pages outside of docs/. */
const OUTSIDE = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  join("examples", "electron-app", "README.md"),
];

function* markdownBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* markdownBelow(path);
    else if (entry.name.endsWith(".md")) yield path;
  }
}

/** The paths of all pages, relative to the repository, with `/` between their parts. */
export function pagePaths() {
  const inside = [...markdownBelow(join(root, "docs"))].map((path) => relative(root, path));
  return [...OUTSIDE, ...inside].map((path) => path.split(sep).join("/")).sort();
}

export function readPage(path) {
  return readFileSync(join(root, path), "utf8");
}

const FENCE = /^( *)(`{3,}|~{3,})(.*)$/;
const MARKER = /^<!-- *block: *(.*?) *-->$/;

/**
 * The fenced blocks of a page as `{ line, language, code, marker }`; `line` is that of the code's first
 * line, and `marker` the text after `block:` in a comment on the line before the fence.
 */
export function fencedBlocks(text) {
  const blocks = [];
  const lines = text.split("\n");
  let open;
  lines.forEach((line, index) => {
    const fence = FENCE.exec(line);
    if (open === undefined) {
      if (fence === null) return;
      const marker = MARKER.exec(lines[index - 1]?.trim() ?? "")?.[1];
      const [indent, ticks, info] = fence.slice(1);
      open = {
        line: index + 2,
        language: info.trim().split(/\s/)[0],
        marker,
        indent,
        ticks,
        code: [],
      };
    } else if (fence?.[2].startsWith(open.ticks) && fence[3].trim() === "") {
      const { indent, ticks, code, ...block } = open;
      blocks.push({ ...block, code: code.map((part) => part.slice(indent.length)).join("\n") });
      open = undefined;
    } else {
      open.code.push(line);
    }
  });
  if (open !== undefined) throw new Error(`The block at line ${open.line} has no end.`);
  return blocks;
}

/** The page without its code: fenced blocks and code spans are blanked, line by line. */
export function prose(text) {
  let ticks;
  return text
    .split("\n")
    .map((line) => {
      const fence = FENCE.exec(line);
      if (ticks === undefined && fence !== null) {
        ticks = fence[2];
        return "";
      }
      if (ticks !== undefined) {
        if (fence?.[2].startsWith(ticks)) ticks = undefined;
        return "";
      }
      return line.replace(/(`+).*?\1/g, "");
    })
    .join("\n");
}

const LINK = /!?\[(?:[^[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const ATTRIBUTE = /\s(?:src|srcset|href)="([^"]+)"/g;
const REFERENCE = /^\[[^\]]+\]:\s*(\S+)/gm;

/** Everything that a page links to, as it is written. */
export function links(text) {
  // A link's text may hold code, which says nothing about where it leads.
  const plain = prose(text);
  return [LINK, ATTRIBUTE, REFERENCE].flatMap((form) =>
    [...plain.matchAll(form)].map(([, target]) => target),
  );
}

/** The anchor that a heading gets from its text. */
function slug(heading) {
  return heading
    .replace(/<[^>]+>/g, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");
}

/** The anchors of a page: those of its headings, and those that are written out. */
export function anchors(text) {
  const found = new Set();
  const counts = new Map();
  let ticks;
  for (const line of text.split("\n")) {
    const fence = FENCE.exec(line);
    if (fence !== null) {
      if (ticks === undefined) ticks = fence[2];
      else if (fence[2].startsWith(ticks)) ticks = undefined;
    }
    if (ticks !== undefined) continue;
    for (const [, id] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) found.add(id);
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line);
    if (heading === null) continue;
    const base = slug(heading[1].replace(/\\(.)/g, "$1"));
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    found.add(count === 0 ? base : `${base}-${count}`);
  }
  return found;
}

/** What is wrong with a link of a page, or undefined. Addresses on the web are not looked up. */
export function brokenLink(page, target) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path, anchor] = target.split("#");
  const file = path === "" ? page : join(dirname(page), decodeURIComponent(path));
  if (relative(root, join(root, file)).startsWith("..")) return "leads out of the repository";
  if (!existsSync(join(root, file))) return "there is no such file";
  if (anchor === undefined || !file.endsWith(".md")) return undefined;
  return anchors(readPage(file)).has(anchor) ? undefined : "the page has no such heading";
}
