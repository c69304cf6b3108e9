// Power goes at every call of the file system, over a model of a disk.

import { cargoAttack } from "../cargo.mjs";

export default cargoAttack({
  name: "power",
  title: "power goes at every call of the file system",
  test: "fs_power_loss",
});
