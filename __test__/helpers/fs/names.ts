import { readdirSync } from "node:fs";

/** Whether a file of a base holds the locks of keys, which the first write makes. */
export const isOfLocks = (name: string) => name.startsWith("%~locks");

/** The names in a folder of items, without the locks of keys. */
export const namesIn = (folder: string) => readdirSync(folder).filter((name) => !isOfLocks(name));
