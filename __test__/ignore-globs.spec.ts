import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import anymatch from "anymatch";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import fsDriver from "../drivers/fs.js";
import { createStorage } from "../index.js";

const FILES = [
  "a",
  "ab",
  "a1",
  "a2",
  "b12",
  "a.log",
  "b.txt",
  ".hid",
  ".hid.log",
  "z",
  "é",
  // Elsewhere this is the file of "a".
  ...(process.platform === "linux" ? ["A"] : []),
  "x.tar.gz",
  "dir/a",
  "dir/a.log",
  "dir/b.txt",
  "dir/.hid",
  "dir/.hid.log",
  "dir/sub/a.log",
  "dir/sub/c",
  ".dot/x",
  ".dot/y.log",
  ".dot/dir/a",
  "x-y/z1",
  "x-y/z2",
  "a b/c",
  "q/é/ü.log",
  "B/C",
  "node_modules/x/y",
  "deep/dir/sub/a/b.txt",
];

/** Patterns that hid everything, or too little, and their kin. */
const KNOWN = [
  "**/*(a|b)",
  "?(a)",
  "{,a}",
  "**/",
  "**/!(*.log)",
  "**.log",
  "**.tar.gz",
  "**",
  "*",
  ".*",
  "**/.*",
  "!(a)",
  "a/**",
  "dir/",
  "./a",
  "./dir/**",
  "**/*",
  "*/",
  "dir/**/",
  "dir/*/**",
  "a**",
  "**a",
  "d**/a.log",
  "*(a|b)",
  "*(dir)/a",
  "(a|b)",
  "(|a)",
  "()",
  "?()",
  "**/**",
  "**/?(a)",
  "{a,}",
  "{,a}/**",
  "**(a|b)",
  "***",
  "+(a|b)",
  "@(a|b)",
  "**/{,a}",
  "*(*)",
  "!()",
  "!(*)",
  "**{a,b}",
  "**@(a|b)",
  "**/node_modules/**",
  "**/.git/**",
  "*.{log,txt}",
  "[ab]",
  "[!a]",
  "[^a]*",
  "{1..2}",
  "a{1..2}",
  "*/**/?(a|b)",
  "*/**/*(a|b)",
  "dir/**/{,a}",
  "*/**/*?(a|b)",
];

const plain = [
  "a",
  "b",
  ".",
  ".log",
  ".hid",
  ".txt",
  "dir",
  "sub",
  "x-y",
  "z",
  "1",
  "é",
  "*",
  "?",
  "**",
];
const group = [
  "{a,b}",
  "{,a}",
  "{a,dir}",
  "{1..2}",
  "@(a|b)",
  "?(a)",
  "*(a|b)",
  "+(a|b)",
  "(a|b)",
  "[ab]",
  "[!a]",
  "[^a]",
  "[a-c]",
];

/**
 * A name of a pattern: at most one group, with text after it. What follows a group directly is taken by
 * anymatch for a repeat of its regular expression (`(a|b)?`), and is left out here.
 */
const name = fc
  .tuple(
    fc.array(fc.constantFrom(...plain), { maxLength: 2 }),
    fc.option(fc.constantFrom(...group), { nil: "" }),
    fc.option(fc.constantFrom("a", "b", "log", ".log", "1", "z"), { nil: "" }),
  )
  .map(([before, choice, after]) => before.join("") + choice + after)
  .filter((text) => text !== "" && !/\*\*.*[{(]|[{(].*\*\*|[{,|]\)?[^/]*\?/.test(text));

/**
 * A range and three stars have picomatch write its regular expression a second time, without some of the text
 * that stood before a dot or a `|`: to it, `dir.{1..2}` is `.[1-2]`, which hides `a1`.
 */
const losesText = /\*{3}|[^./]\.(?!\.).*\{1|\{1.*[^./]\.(?!\.)|\|.*\{1|\{1.*\|/;

const pattern = fc.oneof(
  fc
    .array(fc.oneof(name, fc.constant("**"), fc.constant("*")), { minLength: 1, maxLength: 3 })
    .map((names) => names.join("/"))
    .filter((glob) => !losesText.test(glob)),
  fc.constantFrom(
    "!(a)",
    "!(*.log)",
    "**/!(a)",
    "dir/!(sub)",
    "!(a|b)*",
    "!(*.log|*.txt)",
    "dir/!(*.log)",
  ),
);

let base: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "eas-globs-"));
  for (const file of FILES) {
    mkdirSync(join(base, dirname(file)), { recursive: true });
    writeFileSync(join(base, file), "1");
  }
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

/** What is left of the files where a match of a folder hides what is in it. */
function shownBy(matches: (path: string) => boolean) {
  return FILES.filter((file) => {
    const names = file.split("/");
    return !names.some((_, index) => matches(names.slice(0, index + 1).join("/")));
  }).sort();
}

function shown(ignore: string[]) {
  const storage = createStorage({ driver: fsDriver({ base, ignore }) });
  const keys = storage.getKeysSync().map((key) => key.replaceAll(":", "/"));
  return keys.sort();
}

describe("globs of ignore", () => {
  it.each(KNOWN)("hide what anymatch matches: %s", (glob) => {
    expect(shown([glob])).toEqual(shownBy(anymatch([glob])));
  });

  it("hide what anymatch matches, whatever the pattern", () => {
    fc.assert(
      fc.property(pattern, (glob) => {
        expect(shown([glob]), glob).toEqual(shownBy(anymatch([glob])));
      }),
      { numRuns: 2_000 },
    );
  });

  it("take back what follows a bang, as anymatch does", () => {
    for (const ignore of [["**/*.log", "!dir/**"], ["!a", "*"], ["**", "!**/a"], ["!(a)"]]) {
      // A folder that is taken back shows what in it is taken back as well.
      expect(shown(ignore), ignore.join()).toEqual(shownBy(anymatch(ignore)));
    }
  });

  it("never hide the base itself", () => {
    for (const glob of ["", "**", "*", "{,x}", "?(x)", "*(x)", "!(x)", "./", "."]) {
      const folder = mkdtempSync(join(tmpdir(), "eas-globs-"));
      const storage = createStorage({ driver: fsDriver({ base: folder, ignore: [glob] }) });
      storage.setItemSync("dir:x", 1);
      expect(storage.getItemSync("dir:x"), glob).toBe(1);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
