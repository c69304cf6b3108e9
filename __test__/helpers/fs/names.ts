import { readdirSync } from "node:fs";

/** The names in a folder of items, without the locks of keys, which the first write makes. */
export const namesIn = (folder: string) =>
  readdirSync(folder).filter((name) => !name.startsWith("%~locks"));
