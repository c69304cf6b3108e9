// The envelope that stands around a stored value.

const MEMBERS = ["json", "meta", "expires", "fresh"];

/** Whether parsed text is an envelope, and no plain value. */
export const isEnvelope = (parsed) =>
  typeof parsed === "object" &&
  parsed !== null &&
  Object.hasOwn(parsed, "json") &&
  Object.keys(parsed).every((name) => MEMBERS.includes(name));
