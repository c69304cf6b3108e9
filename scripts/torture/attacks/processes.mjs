// Eight processes write, clear, list and watch one base; then all of them have to agree.

import { createHash } from "node:crypto";
import { badEnd, isOn, start, watchOver } from "../child.mjs";
import { folder } from "../folders.mjs";
import { createStorage, onDisk } from "../package.mjs";
import { randomOf } from "../random.mjs";

const PROCESSES = 8;
/** How long the peers of one round write, in ms; a short task writes for half of its time. */
const WRITING_MS = 8000;

const digest = (value) => createHash("sha1").update(JSON.stringify(value)).digest("hex");

class Peer {
  #waiting = new Map();
  writes = 0;

  constructor(index, task, complain) {
    this.child = start("peer", { ...task, index });
    this.guard = watchOver(this.child);
    this.complain = (message) => complain(`process ${index}: ${message}`);
    this.child.lines.on("line", (line) => {
      this.guard.heard();
      const message = JSON.parse(line);
      if (message.loss) this.complain(message.loss);
      if (message.writes) this.writes += message.writes;
      if (message.at) this.#waiting.get(message.at)?.(message);
    });
    this.child.ended.then((end) => {
      const trouble = this.guard.hung() ? "hangs" : badEnd(end, this.child.errorText);
      if (trouble) this.complain(trouble);
      for (const resolve of this.#waiting.values()) resolve({});
    });
  }

  /** The message that says that the peer got somewhere; `{}` when it ended before. */
  at(place) {
    return Promise.race([
      new Promise((resolve) => this.#waiting.set(place, resolve)),
      this.child.ended.then(() => ({})),
    ]);
  }

  tell(word) {
    this.child.stdin.write(`${word}\n`);
  }
}

async function contentsOf({ base, kind }) {
  const storage = createStorage({ driver: onDisk[kind]({ base }) });
  const keys = (await storage.getKeys()).sort();
  const contents = Object.fromEntries(
    (await storage.getItems(keys)).map(({ key, value }) => [key, digest(value)]),
  );
  await storage.dispose();
  return contents;
}

/** What differs between two views of the base, in words; empty when nothing does. */
export function difference(mine, theirs) {
  for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    if (mine[key] !== theirs[key]) {
      const name = (contents) =>
        contents[key] === undefined ? "nothing" : contents[key].slice(0, 8);
      return `${key}: ${name(mine)} and ${name(theirs)}`;
    }
  }
  return "";
}

export default {
  name: "processes",
  title: "eight processes on one base",
  share: 1.7,
  async run(task, outcome) {
    for (let round = task.from; isOn(task, round); round++) {
      const base = folder();
      const kind = randomOf(task, round).pick(Object.keys(onDisk));
      const complain = (message) => outcome.loss(`processes, round ${round} (${kind}): ${message}`);
      const left = Math.max(task.deadlineMs - Date.now(), 1000);
      const peerTask = {
        base,
        kind,
        seed: `${task.seed}/${round}`,
        writingMs: Math.min(task.writingMs ?? WRITING_MS, left / 2),
      };
      const peers = Array.from({ length: PROCESSES }, (_, i) => new Peer(i, peerTask, complain));
      const step = async (word, place) => {
        const arrivals = peers.map((peer) => peer.at(place));
        for (const peer of peers) if (word) peer.tell(word);
        return Promise.all(arrivals);
      };
      await step("", "watching");
      await step("write", "written");
      const expected = await contentsOf(peerTask);
      const views = await step("compare", "compared");
      for (const [index, { contents }] of views.entries()) {
        const differs = contents && difference(expected, contents);
        if (differs) complain(`process ${index} and another one see differently ${differs}`);
      }
      for (const peer of peers) peer.tell("end");
      await Promise.all(peers.map((peer) => peer.child.ended));
      outcome.round();
      outcome.fault(peers.reduce((sum, { writes }) => sum + writes, 0));
    }
    outcome.note("faults: writes, removals and clears that processes made into each other's");
  },
};
