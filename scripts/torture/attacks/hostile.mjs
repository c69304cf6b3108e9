// Hostile text behind a driver of the program and in files, and hostile keys over fs.

import { supervise } from "../child.mjs";

export default {
  name: "hostile",
  title: "hostile text is read, hostile keys are stored",
  run: (task, outcome) => supervise("hostile", task, outcome, { flags: ["--no-warnings"] }),
};
