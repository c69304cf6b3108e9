// Random operations over random mounts, against plain Maps; what fails is made as short as it gets.

import { supervise } from "../child.mjs";

export default {
  name: "model",
  title: "random operations over random mounts, against a plain Map",
  share: 1.5,
  run: (task, outcome) => supervise("model", task, outcome, { flags: ["--no-warnings"] }),
};
