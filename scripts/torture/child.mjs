// What a child process of an attack tells its parent, and how the parent takes care of it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "children");

/** A child that says nothing for so long hangs. */
const SILENCE_MS = 120_000;

/** The last of what a child wrote to stderr, for the message about its end. */
const KEPT_STDERR = 2000;

/** In a child: the task that it was started with. */
export function taskOfChild() {
  return JSON.parse(process.argv[2]);
}

/** In a child: hands one message to the parent. It is in the pipe when this returns. */
export function tell(message) {
  const line = Buffer.from(`${JSON.stringify(message)}\n`);
  let written = 0;
  while (written < line.length) {
    try {
      written += writeSync(1, line, written);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

/** In a child: the counterpart of an `Outcome`, which `supervise` feeds from it. */
export const report = {
  round: (count = 1) => tell({ round: count }),
  fault: (count = 1) => tell({ fault: count }),
  loss: (loss) => tell({ loss }),
  note: (note) => tell({ note }),
};

/** Whether there are more rounds to do for a task. */
export function isOn(task, round) {
  return round < task.from + task.rounds && Date.now() < task.deadlineMs;
}

/** Starts one of the scripts under children/. */
export function start(script, task, { flags = [], env = {}, before = [] } = {}) {
  const [program, ...args] = [...before, process.execPath];
  const child = spawn(
    program,
    [...args, ...flags, join(folder, `${script}.mjs`), JSON.stringify(task)],
    { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } },
  );
  child.lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
  child.errorText = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text) => {
    child.errorText = (child.errorText + text).slice(-KEPT_STDERR);
  });
  // A child that was killed takes no more commands.
  child.stdin.on("error", () => {});
  child.ended = once(child, "close").then(([code, signal]) => ({ code, signal }));
  return child;
}

/** How a child ended, in words; empty for a good end. */
export function badEnd({ code, signal }, errorText) {
  if (code === 0) return "";
  const end = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  return errorText ? `${end}: ${errorText.trim()}` : end;
}

/** Ends a child that stays silent for too long; `heard` has to be called with each sign of life. */
export function watchOver(child, silenceMs = SILENCE_MS) {
  let isHung = false;
  const timer = setTimeout(() => {
    isHung = true;
    child.kill("SIGKILL");
  }, silenceMs);
  child.ended.then(() => clearTimeout(timer));
  return {
    heard: () => timer.refresh(),
    hung: () => isHung,
  };
}

/** Runs a child that reports rounds, faults and losses, until it ends. */
export async function supervise(script, task, outcome, options = {}) {
  const child = start(script, task, options);
  const guard = watchOver(child, options.silenceMs);
  let lastRound = task.from;
  child.lines.on("line", (line) => {
    guard.heard();
    const message = JSON.parse(line);
    if (message.round) {
      outcome.round(message.round);
      lastRound += message.round;
    }
    if (message.fault) outcome.fault(message.fault);
    if (message.loss) outcome.loss(message.loss);
    if (message.note) outcome.note(message.note);
    options.onMessage?.(message);
  });
  const end = await child.ended;
  const where = `round ${lastRound} of the ${script} child`;
  if (guard.hung()) outcome.loss(`${where} hangs: no word from it for a long time`);
  else {
    const trouble = badEnd(end, child.errorText);
    if (trouble) outcome.loss(`${where} ${trouble}`);
  }
  return { end, errorText: child.errorText };
}
