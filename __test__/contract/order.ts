import { expect } from "vitest";
import type { Subject } from "../helpers/subjects.js";
import { topic } from "./topic.js";

export function orderFacts(subject: Subject): void {
  topic("order", subject, (fact) => {
    fact("of writes that are not awaited the last call wins", async ({ calls }) => {
      const pending: Promise<unknown>[] = [];
      for (let round = 0; round < 50; round++) {
        for (const key of ["a", "b"]) pending.push(calls.setItem(key, { key, round }));
      }
      await Promise.all(pending);
      for (const key of ["a", "b"]) expect(await calls.getItem(key)).toEqual({ key, round: 49 });
    });

    fact(
      "writes and removals of one key take effect in the order of the calls",
      async ({ calls }) => {
        const pending: Promise<unknown>[] = [];
        for (let round = 0; round < 20; round++) {
          pending.push(calls.setItem("removed last", round), calls.removeItem("written last"));
          pending.push(calls.removeItem("removed last"), calls.setItem("written last", round));
        }
        await Promise.all(pending);
        expect(await calls.hasItem("removed last")).toBe(false);
        expect(await calls.getItem("written last")).toBe(19);
        expect(await calls.getKeys()).toEqual(["written last"]);
      },
    );

    fact("what is written after a clear stays, and what was before goes", async ({ calls }) => {
      const keys = Array.from({ length: 30 }, (_, number) => `k:${number}`);
      for (let round = 0; round < 5; round++) {
        await Promise.all(keys.map((key) => calls.setItem(key, "before")));
        await calls.setItem("gone", "before");
        const cleared = calls.clear();
        await Promise.all([cleared, ...keys.map((key) => calls.setItem(key, "after"))]);
        expect(await calls.hasItem("gone")).toBe(false);
        for (const key of keys) expect(await calls.getItem(key)).toBe("after");
      }
    });

    fact("batches and single writes of one key keep their order", async ({ calls }) => {
      await Promise.all([
        calls.setItem("a", 1),
        calls.setItems([{ key: "a", value: 2 }]),
        calls.setItem("a", 3),
        calls.setItem("b", 1),
        calls.setItems([{ key: "b", value: 2 }]),
      ]);
      expect(await calls.getItem("a")).toBe(3);
      expect(await calls.getItem("b")).toBe(2);
    });

    if (subject.modes.includes("sync")) {
      fact("a Sync write after a clear that is not awaited stays", async ({ storage }) => {
        for (let round = 0; round < 20; round++) {
          storage.setItemSync("a", "before");
          const cleared = storage.clear();
          storage.setItemSync("a", "after");
          await cleared;
          expect(storage.getItemSync("a")).toBe("after");
        }
      });

      fact("a Sync write after a Promise write of its key holds", async ({ storage }) => {
        const first = storage.setItem("a", "first");
        storage.setItemSync("a", "second");
        expect(storage.getItemSync("a")).toBe("second");
        await first;
        expect(storage.getItemSync("a")).toBe("second");
        expect(await storage.getItem("a")).toBe("second");
      });
    }
  });
}
