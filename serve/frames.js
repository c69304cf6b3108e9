"use strict";

// Who sent a message, and whether that document is still there. Electron's frame objects follow a frame
// through its navigations, throw once they are disposed, and may be those of the page before or after the
// sender: nothing of them is kept as a right, and every property is read under `try`.

const { isSameOrigin } = require("./origins.js");

const isNumber = (value) => typeof value === "number";

/** What a frame is at this moment, or undefined when there is none any more. */
function look(frame) {
  try {
    const { processId, routingId, origin, url, parent } = frame;
    if (!isNumber(processId) || !isNumber(routingId) || typeof origin !== "string")
      return undefined;
    return { processId, routingId, origin, url, isMain: parent === null || parent === undefined };
  } catch {
    return undefined;
  }
}

/** Pages inside a page: they are another party than the app, whatever their origin. */
function isGuest(webContents) {
  try {
    return webContents.getType?.() === "webview" || Boolean(webContents.hostWebContents);
  } catch {
    return true;
  }
}

/**
 * The document that sent a message: the frame is there, it is the one that the event names, and its origin
 * is the one that the sender states. Undefined when that cannot be said now.
 */
function senderOf(event, stated) {
  let frame;
  let webContents;
  let ids;
  try {
    frame = event.senderFrame;
    webContents = event.sender;
    ids = [event.processId, event.frameId];
  } catch {
    return undefined;
  }
  if (!frame || !webContents) return undefined;
  const seen = look(frame);
  if (seen === undefined || seen.processId !== ids[0] || seen.routingId !== ids[1])
    return undefined;
  if (!isSameOrigin(stated, seen.origin)) return undefined;
  return { ...seen, frame, webContents, isGuest: isGuest(webContents) };
}

/** What the frame of a document is now, or undefined when another document may be in it. */
function isStillThere(sender) {
  try {
    if (sender.webContents.isDestroyed?.() || sender.frame.detached) return undefined;
  } catch {
    return undefined;
  }
  const seen = look(sender.frame);
  const isSame =
    seen !== undefined &&
    seen.processId === sender.processId &&
    seen.routingId === sender.routingId &&
    seen.origin === sender.origin;
  return isSame ? { ...sender, ...seen } : undefined;
}

module.exports = { senderOf, isStillThere };
