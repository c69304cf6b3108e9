import { buildIfStale } from "./addon.mjs";

if (!buildIfStale()) process.exitCode = 1;
