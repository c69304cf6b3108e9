import { peerTable } from "../lib/peer-table.mjs";
import { keysOf, values } from "../lib/values.mjs";
import { filePeers } from "../peers/files.mjs";
import { memoryPeers } from "../peers/memory.mjs";

const FILE_KEYS = 500;

export const memoryTables = async (budget) => {
  const tables = {};
  const columns = { setSync: 1, getSync: 1, set: 1, get: 1 };
  for (const shape of ["small", "profile"]) {
    const data = { keys: keysOf(1000), values: values[shape] };
    tables[shape] = await peerTable(memoryPeers, { ...data, columns, budget });
  }
  return tables;
};

export const fileTable = (budget) =>
  peerTable(filePeers, {
    keys: keysOf(FILE_KEYS),
    values: values.profile,
    columns: { setSync: 1, getSync: 1, set: 1, get: 1, setMany: FILE_KEYS, getMany: FILE_KEYS },
    budget,
  });

export { FILE_KEYS };
