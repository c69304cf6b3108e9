"use strict";

// Patterns of keys in normal form: `*` stands for one segment, `**` for one or more.

/** The package keeps records of its own under such names, in the storage and in storages mounted in it. */
const RESERVED = /(?:^|:)__storage_[^:]*__(?:[:$]|$)/i;
const DOTS = /(?:^|:)\.\.?(?:[:$]|$)/;

/** Metadata is judged as the key that it belongs to. */
function judged(key) {
  let end = key.length;
  while (key[end - 1] === "$") end--;
  return key.slice(0, end);
}

/** One `**` at a time is enough to go back to: a later one takes what an earlier one could have. */
function matchesSegments(pattern, segments) {
  let at = 0;
  let next = 0;
  let lastWild = -1;
  let resume = 0;
  while (at < segments.length) {
    if (pattern[next] === "**") {
      lastWild = next++;
      resume = ++at;
    } else if (next < pattern.length && (pattern[next] === "*" || pattern[next] === segments[at])) {
      next++;
      at++;
    } else if (lastWild >= 0) {
      next = lastWild + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  return next === pattern.length;
}

/**
 * A pattern in normal form: its `text`, whether it is one key (`isExact`), what every key begins with
 * (`prefix`: up to and with a separator, empty when it may begin with anything), and whether it is that and
 * anything after it (`isWhole`).
 */
function compile(text) {
  const segments = text.split(":");
  const wild = segments.findIndex((segment) => segment === "*" || segment === "**");
  const isExact = wild < 0;
  const prefix = isExact
    ? text
    : segments
        .slice(0, wild)
        .map((segment) => `${segment}:`)
        .join("");
  const isWhole = !isExact && wild === segments.length - 1 && segments[wild] === "**";
  const matches = (key) =>
    isExact
      ? key === text
      : key.startsWith(prefix) &&
        key.length > prefix.length &&
        (isWhole || matchesSegments(segments, key.split(":")));
  return { text, isExact, isWhole, prefix, matches };
}

/** Whether one of two beginnings of keys is the beginning of the other. */
const meet = (one, other) => one.startsWith(other) || other.startsWith(one);

/** Keys that any of some patterns covers. */
function makePatterns(texts) {
  const patterns = [...new Set(texts)].map(compile);
  return {
    list: patterns,
    texts: patterns.map(({ text }) => text),
    isEmpty: patterns.length === 0,

    /** Whether a key in normal form is covered. The package's own records are not, nor is what leads out of a folder. */
    has(key) {
      const name = judged(key);
      return (
        !RESERVED.test(name) && !DOTS.test(name) && patterns.some(({ matches }) => matches(name))
      );
    },

    /** Whether all that `others` cover under a base is covered here too. False where that is hard to say. */
    covers(others, base) {
      return others.list.every(({ isExact, prefix, text }) => {
        if (isExact ? !text.startsWith(base) : !meet(prefix, base)) return true;
        const inner = base.startsWith(prefix) ? base : prefix;
        return patterns.some(
          (mine) => mine.text === text || (mine.isWhole && inner.startsWith(mine.prefix)),
        );
      });
    },
  };
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
const SOURCES = { "*": "[^:]+", "**": "[^]+" };

/**
 * The source of a regular expression that tells a client which keys are in its mirror. What it lets through
 * beside them is asked for, and judged then.
 */
function sourceOf({ texts }) {
  const alternatives = texts.map((text) =>
    text
      .split(":")
      .map((segment) => SOURCES[segment] ?? escaped(segment))
      .join(":"),
  );
  const outOfBounds = "(?:[^]*:)?(?:\\.\\.?|__[sS][tT][oO][rR][aA][gG][eE]_[^:]*__)(?::|$)";
  return alternatives.length === 0
    ? ""
    : `^(?!${outOfBounds})(?:${alternatives.join("|")})(?<!\\$)$`;
}

/**
 * Beginnings of keys below which everything that may be read is in the mirror: the Sync lists are whole
 * there.
 */
function wholeBases({ read, sync }) {
  if (sync.covers(read, "")) return [""];
  return sync.list
    .filter(({ isWhole, prefix }) => isWhole && sync.covers(read, prefix))
    .map(({ prefix }) => prefix);
}

module.exports = { makePatterns, sourceOf, wholeBases };
