// Every call of the file system fails in turn, with each kind of failure.

import { cargoAttack } from "../cargo.mjs";

export default cargoAttack({
  name: "faults",
  title: "every call of the file system fails in turn",
  test: "fs_faults",
});
