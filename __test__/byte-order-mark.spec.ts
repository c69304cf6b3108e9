// JSON text with a byte order mark, as Notepad and PowerShell save it, reads as the value in it.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Driver } from "../index.js";
import { folder } from "./helpers/folders.js";
import { plainDriver, syncMethodsDriver } from "./helpers/js-drivers.js";
import { callsOf, type Mode } from "./helpers/modes.js";
import { builtin, createStorage, isBuiltin, memoryDriver } from "./helpers/package.js";

const MODES: Mode[] = ["async", "sync"];
const FILES = ["fs", "fs-lite"].filter(isBuiltin);

function opened(driver: Driver) {
  const storage = createStorage<any>({ driver });
  onTestFinished(() => storage.dispose());
  return storage;
}

const TEXTS: [text: string, value: unknown][] = [
  ['{\r\n  "theme": "dark ü ж"\r\n}\r\n', { theme: "dark ü ж" }],
  ['{"json":{"a":"ü"}}', { a: "ü" }],
  ['{"json":"1970-01-01T00:00:00.000Z","meta":{"values":["Date"],"v":1}}', new Date(0)],
  ['{"json":[1],"expires":9999999999999}', [1]],
  ['"text"', "text"],
  ["12", 12],
];

const ENCODINGS: Record<string, (text: string) => Buffer> = {
  "UTF-8": (text) => Buffer.from(`\ufeff${text}`),
  "UTF-16 LE": (text) => Buffer.from(`\ufeff${text}`, "utf16le"),
  "UTF-16 BE": (text) => Buffer.from(`\ufeff${text}`, "utf16le").swap16(),
};

describe.each(MODES)("%s", (mode) => {
  describe.each(FILES)("%s", (name) => {
    it.each(Object.entries(ENCODINGS))(
      "reads %s with a mark, and raw as it is",
      async (_name, encode) => {
        const base = folder();
        const calls = callsOf(opened(builtin(name, { base })), mode);
        for (const [text, value] of TEXTS) {
          writeFileSync(join(base, "key"), encode(text));
          expect(await calls.getItem("key"), text).toEqual(value);
          expect((await calls.getItems(["key"]))[0].value, text).toEqual(value);
          expect(Buffer.compare(await calls.getItemRaw("key"), encode(text)), text).toBe(0);
        }
        writeFileSync(join(base, "key$"), encode('{"color":"red"}'));
        expect((await calls.getMeta("key")).color).toBe("red");
        await calls.setItem("key", 1);
        expect(readFileSync(join(base, "key"), "utf8")).toBe('{"json":1}');
      },
    );
  });

  it.each([
    ["memory", memoryDriver],
    ["a driver of the user", syncMethodsDriver],
  ] as [string, () => Driver][])(
    "%s reads text with a mark, and raw as it is",
    async (_name, open) => {
      const calls = callsOf(opened(open()), mode);
      for (const [text, value] of TEXTS) {
        await calls.setItemRaw("key", `\ufeff${text}`);
        expect(await calls.getItem("key"), text).toEqual(value);
        expect(await calls.getItemRaw("key"), text).toBe(`\ufeff${text}`);
      }
    },
  );
});

it("a driver with the asynchronous methods alone reads text with a mark", async () => {
  const storage = opened(plainDriver());
  await storage.setItemRaw("key", '\ufeff{"a":1}');
  expect(await storage.getItem("key")).toEqual({ a: 1 });
});
