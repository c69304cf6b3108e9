import { MissingPeer } from "../lib/missing.mjs";

/** A peer that may not be installed: its rows say so and are passed over. */
export const optional = (name, peer) => ({
  ...peer,
  async open(folder) {
    try {
      return await peer.open(folder);
    } catch (error) {
      if (isMissing(error)) throw new MissingPeer(`${name} is not installed here`);
      throw error;
    }
  },
});

const isMissing = ({ code, message }) =>
  ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND", "ERR_UNKNOWN_BUILTIN_MODULE"].includes(code) ||
  message.startsWith("Could not locate the bindings file");
