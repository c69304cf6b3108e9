// How a topic of the suite is written: facts over an empty storage, in each mode that the subject has.

import { describe, it, onTestFinished } from "vitest";
import type { Driver, Storage } from "../../index.js";
import { type Calls, callsOf, type Mode } from "../helpers/modes.js";
import { createStorage } from "../helpers/package.js";
import type { Subject } from "../helpers/subjects.js";

export interface Setting {
  subject: Subject;
  mode: Mode;
  driver: Driver;
  storage: Storage<any>;
  /** The methods of the storage in the mode. */
  calls: Calls;
}

export type Fact = (name: string, check: (setting: Setting) => Promise<void>) => void;

/** A storage over a fresh driver of the subject, disposed when the test is over. */
export function open(subject: Subject): { driver: Driver; storage: Storage<any> } {
  const driver = subject.open();
  const storage = createStorage<any>({ driver });
  onTestFinished(() => storage.dispose());
  return { driver, storage };
}

export function topic(title: string, subject: Subject, facts: (fact: Fact) => void): void {
  describe.each(subject.modes)(`${title}, %s`, (mode) => {
    facts((name, check) => {
      it(name, async () => {
        const { driver, storage } = open(subject);
        await check({ subject, mode, driver, storage, calls: callsOf(storage, mode) });
      });
    });
  });
}
