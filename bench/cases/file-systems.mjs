// Writes on each file system at hand: what a new file costs differs a hundredfold between them.

import { accessSync, constants, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { peerTable } from "../lib/peer-table.mjs";
import { keysOf, values } from "../lib/values.mjs";
import { ours, renamedFiles, upstreamFs } from "../peers/files.mjs";

const KEYS = 2000;
const MEMORY = "/dev/shm";

const NAMES = new Map([
  [0xef53, "ext2, 3 or 4"],
  [0x01021994, "tmpfs, in memory"],
  [0x9123683e, "btrfs"],
  [0x58465342, "XFS"],
  [0x794c7630, "overlay"],
]);

const nameOf = (folder) => {
  const { type } = statfsSync(folder);
  return NAMES.get(type) ?? `type 0x${type.toString(16)}`;
};

function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * One table for the temporary folder, for memory where it is mounted, and for each of `folders`, given
 * as TITLE=FOLDER.
 */
export async function fileSystemTables(budget, folders) {
  const given = folders.map((text) => {
    const [title, ...folder] = text.split("=");
    return { title, parent: folder.join("=") };
  });
  const places = [
    { title: "the temporary folder", parent: tmpdir() },
    { title: "memory", parent: MEMORY },
    ...given,
  ];
  const tables = [];
  for (const { title, parent } of places.filter((place) => isWritable(place.parent))) {
    const rows = await peerTable([ours, upstreamFs, renamedFiles], {
      keys: keysOf(KEYS),
      values: values.profile,
      columns: { setSync: 1, set: 1, setMany: KEYS },
      budget,
      parent,
    });
    tables.push({ title, system: nameOf(parent), rows });
  }
  return tables;
}
