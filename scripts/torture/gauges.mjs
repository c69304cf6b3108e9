// What a process holds, as the system counts it.

import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Whether this system tells of it. Under Wine there is such a file too, of another process. */
export const hasGauges = process.platform === "linux" && existsSync("/proc/self/status");

/** The folder of the attacks' own modules and of those that they share with other scripts. */
const modules = join(dirname(fileURLToPath(import.meta.url)), "..") + sep;

/**
 * Whether Node opened a file to load a module of the attacks. A worker that is terminated in the middle of
 * an import leaves the file open for good, with any addon or none; the package opens nothing there.
 */
const isModule = (name) => name.startsWith(modules) && name.endsWith(".mjs");

/** What the descriptors of this process stand for, without numbers that tell one of a kind from another. */
function descriptors() {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const name = readlinkSync(`/proc/self/fd/${descriptor}`);
      return isModule(name) ? [] : [name.replace(/:\[\d+\]$/, "")];
    } catch (error) {
      // The listing itself had one.
      if (error.code === "ENOENT") return [];
      throw error;
    }
  });
}

/** The names of the threads of this process. */
function threads() {
  return readdirSync("/proc/self/task").flatMap((thread) => {
    try {
      return [readFileSync(`/proc/self/task/${thread}/comm`, "utf8").trim()];
    } catch (error) {
      // It has ended since the listing.
      if (error.code === "ENOENT" || error.code === "ESRCH") return [];
      throw error;
    }
  });
}

/** Threads by name, descriptors by what they stand for, and resident memory in bytes of this process. */
export function gauges() {
  const status = readFileSync("/proc/self/status", "utf8");
  const [, rssKibibytes] = /^VmRSS:\s+(\d+)/m.exec(status);
  return {
    threads: threads(),
    descriptors: descriptors(),
    rssBytes: Number(rssKibibytes) * 1024,
  };
}

/** What a list has more of than an earlier one, each as often as it is more. */
export function added(earlier, later) {
  const left = [...earlier];
  return later.filter((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

export const mebibytes = (bytes) => (bytes / 1024 / 1024).toFixed(1);
