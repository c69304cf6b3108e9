// What a process holds, as the system counts it.

import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Whether this system tells of it. */
export const hasGauges = existsSync("/proc/self/status");

/** Threads, descriptors and resident memory in bytes of this process. */
export function gauges() {
  const status = readFileSync("/proc/self/status", "utf8");
  const number = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)[1]);
  return {
    threads: number("Threads"),
    descriptors: readdirSync("/proc/self/fd").length,
    rssBytes: number("VmRSS") * 1024,
  };
}

export const mebibytes = (bytes) => (bytes / 1024 / 1024).toFixed(1);
