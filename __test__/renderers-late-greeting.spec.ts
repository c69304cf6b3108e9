// Replies have no order: that to the first greeting of a document may come when the document listens already.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { root } from "./helpers/package.js";

/** A module of the client half; they have no types. */
const part = (name: string): Promise<any> => import(pathToFileURL(join(root, "client", name)).href);

it("a change that a late reply to the greeting knows of is heard of", async () => {
  const { makeLink } = await part("link.js");
  const { VERSION } = await part("shared/protocol.js");
  const reply = (ok: unknown) => ({ v: VERSION, epoch: 1, rights: "r", ok });
  const greeting = (last: number) => reply({ isAllowed: true, last });
  let answerLate = (_reply: unknown) => {};
  const asked: string[] = [];
  const transport = {
    origin: () => "app://main",
    redirect: () => false,
    sync: () => greeting(0),
    invoke({ op }: { op: string }) {
      asked.push(op);
      if (op === "hello") return new Promise((resolve) => (answerLate = resolve));
      return Promise.resolve(
        reply(op === "pull" ? { last: 1, events: ["update", "k"] } : undefined),
      );
    },
  };
  const errors: unknown[] = [];
  const link = makeLink(transport, (error: unknown) => errors.push(error));
  // A Sync read has the answer to a greeting of its own.
  expect(link.hasAccess()).toBe(true);
  const events: string[] = [];
  await link.watch((event: string, key: string) => events.push(`${event} ${key}`));
  expect(asked).toEqual(["hello", "watch"]);
  answerLate(greeting(1));
  await expect.poll(() => events, { timeout: 20_000 }).toEqual(["update k"]);
  expect(errors).toEqual([]);
});
