// The checks of the repository, by name. `needs` is a command line that fails where an optional part
// of the Rust toolchain is not installed; such a check is then skipped, with a message.

import { npmTool } from "./tools.mjs";

const clippy = ["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];

export const rustLint = [
  {
    title: "Rust format",
    command: ["cargo", "fmt", "--check"],
    needs: ["cargo", "fmt", "--version"],
  },
  { title: "Rust lint", command: clippy, needs: ["cargo", "clippy", "--version"] },
  { title: "Rust modules", command: [process.execPath, "scripts/check-modules.mjs"] },
];

export const rustTests = [
  {
    title: "Rust tests, without Node",
    command: ["cargo", "test", "--workspace", "--exclude", "electron-async-storage"],
  },
  {
    title: "Rust tests, with the boundary",
    command: ["cargo", "test", "--package", "electron-async-storage"],
  },
];

export const jsLint = [
  {
    title: "JavaScript format and lint",
    command: npmTool("@biomejs/biome", "biome", "check", "--error-on-warnings"),
  },
];

export const bundle = [
  {
    title: "Bundled facade",
    command: [process.execPath, "scripts/bundle.mjs", "--check"],
  },
  {
    title: "Bundled clients",
    command: [process.execPath, "scripts/bundle-client.mjs", "--check"],
  },
];

export const types = [{ title: "Types", command: [process.execPath, "scripts/typecheck.mjs"] }];

export const jsTests = [{ title: "JavaScript tests", command: npmTool("vitest", "vitest", "run") }];
