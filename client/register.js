// The preload that serveStorage registers. Without isolation it does nothing.

import { exposeStorage } from "./expose.js";

try {
  exposeStorage();
} catch (error) {
  if (error?.code !== "EAS_NOT_ISOLATED") throw error;
}
