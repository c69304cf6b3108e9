import { describe, expect, it } from "vitest";
import { createStorage } from "../helpers/package.js";
import type { Subject } from "../helpers/subjects.js";
import { topic } from "./topic.js";

export function lifeFacts(subject: Subject): void {
  topic("life", subject, (fact) => {
    fact("flush gives nothing and keeps everything", async ({ calls }) => {
      await calls.setItem("a:b", 1);
      expect(await calls.flush()).toBeUndefined();
      expect(await calls.flush("a")).toBeUndefined();
      expect(await calls.flush("nowhere")).toBeUndefined();
      expect(await calls.getItem("a:b")).toBe(1);
    });
  });

  describe("dispose", () => {
    it("does nothing when it is called again", async () => {
      const storage = createStorage({ driver: subject.open() });
      await storage.setItem("a", 1);
      expect(await storage.dispose()).toBeUndefined();
      expect(await storage.dispose()).toBeUndefined();
    });

    it("may be called twice at once", async () => {
      const storage = createStorage({ driver: subject.open() });
      await storage.setItem("a", 1);
      await Promise.all([storage.dispose(), storage.dispose()]);
    });
  });
}
