"use strict";

// Origins of access rules. A rule compares the origin that Chromium states for a frame, and never one that
// is computed from a URL: sandboxed frames, about:blank and srcdoc have another origin than their URL says.

const { failure } = require("./shared.js");

const FILES = "file://";
const EXACT = /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::([0-9]+))?$/;
const BELOW = /^([a-z][a-z0-9+.-]*:\/\/)\*(\.[a-z0-9._~-]+(?::[0-9]+)?)$/;
/** Segments that a file system might resolve although a URL keeps them. */
const INDIRECT = /%2f|%5c|%2e|\\|\/\.\.?(?:\/|$)/i;

function invalid(given, detail) {
  const shown = typeof given === "string" ? JSON.stringify(given) : String(typeof given);
  return failure("EAS_INVALID_OPTION", `Invalid option \`access.origins\`: ${shown} ${detail}`, {
    operation: "serveStorage",
  });
}

function parsed(text) {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** Whether a serialized origin is exactly what a browser writes for it. */
function isCanonical(text) {
  const [, scheme] = EXACT.exec(text) ?? [];
  if (scheme === undefined) return false;
  const url = parsed(text);
  if (url === undefined) return false;
  const isWeb = /^(?:https?|wss?|ftp)$/.test(scheme);
  return !isWeb || url.origin === text;
}

/** `({ origin, url }) => boolean`: whether a frame is of the origin that an entry names. */
function compileOrigin(entry) {
  if (typeof entry !== "string") throw invalid(entry, "is no string.");
  if (entry === "" || entry === "null") {
    throw invalid(entry, "is the origin of documents without one; name the origin of your pages.");
  }
  if (entry === "*") return ({ origin }) => /^https?:\/\//.test(origin);
  if (entry === FILES) return ({ origin }) => origin === FILES;
  if (entry.startsWith("file:")) return compileFolder(entry);
  const below = BELOW.exec(entry);
  if (below) {
    const [, scheme, rest] = below;
    if (!isCanonical(`${scheme}a${rest}`))
      throw invalid(entry, "is no origin as a browser writes it.");
    return ({ origin }) =>
      origin.startsWith(scheme) &&
      origin.endsWith(rest) &&
      origin.length > scheme.length + rest.length;
  }
  if (!isCanonical(entry)) {
    throw invalid(
      entry,
      "is no origin as a browser writes it: a scheme and a host in lower case, a port unless it is the default, no user, no path.",
    );
  }
  return ({ origin }) => origin === entry;
}

function compileFolder(entry) {
  const folder =
    entry.startsWith("file:///") && entry.endsWith("/") ? parsed(entry)?.href : undefined;
  if (folder === undefined || /[?#]/.test(entry) || INDIRECT.test(entry)) {
    throw invalid(
      entry,
      'names no folder: expected "file:///folder/", or "file://" for all files.',
    );
  }
  return ({ origin, url }) =>
    origin === FILES &&
    typeof url === "string" &&
    url.startsWith(folder) &&
    !INDIRECT.test(pathOf(url));
}

const pathOf = (url) => url.replace(/[?#].*$/s, "");

/**
 * Whether the origin that a client states for itself is that of its frame. The page of a file calls its
 * origin "null", which there is "file://".
 */
const isSameOrigin = (stated, origin) =>
  stated === origin || (origin === FILES && stated === "null");

module.exports = { compileOrigin, isSameOrigin };
