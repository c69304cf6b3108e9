"use strict";

// Serves a storage of the main process to sandboxed preloads, pages and utility processes.

const { Access } = require("./access.js");
const { openChannel, pushTo } = require("./channel.js");
const { Clients } = require("./clients.js");
const { Feed } = require("./feed.js");
const { senderOf } = require("./frames.js");
const { Budget, checkedLimits } = require("./limits.js");
const { PortClient } = require("./ports.js");
const { preloadPath, registerPreload } = require("./preloads.js");
const { Server } = require("./server.js");
const { CLOSED, DEFAULT_CHANNEL, failure } = require("./shared.js");

const OPTIONS = ["ipcMain", "session", "channel", "access", "frames", "limits"];

function invalid(name, detail) {
  return failure("EAS_INVALID_OPTION", `Invalid option \`${name}\`: ${detail}`, {
    operation: "serveStorage",
  });
}

function checkedOptions(options) {
  if (options === null || typeof options !== "object")
    throw invalid("options", "expected an object");
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw invalid(unknown, `there is ${OPTIONS.join(", ")}`);
  const { ipcMain, session, channel = DEFAULT_CHANNEL } = options;
  if (ipcMain === undefined) {
    throw failure("EAS_REQUIRED_OPTION", "Missing required option `ipcMain`.", {
      operation: "serveStorage",
    });
  }
  if (typeof ipcMain?.handle !== "function" || typeof ipcMain.on !== "function") {
    throw invalid("ipcMain", "expected the ipcMain of electron");
  }
  if (typeof channel !== "string" || channel === "") throw invalid("channel", "expected a name");
  const sessions = session === undefined ? undefined : [session].flat();
  if (sessions?.some((one) => one === null || typeof one !== "object")) {
    throw invalid("session", "expected a session of electron, or a list of them");
  }
  return { ...options, ipcMain, channel, sessions, limits: checkedLimits(options.limits) };
}

/** Serves `storage` as docs/renderers.md describes. */
function serveStorage(storage, given) {
  if (typeof storage?.getItem !== "function") {
    throw failure("EAS_INVALID_ARGUMENT", "Invalid storage: expected one of createStorage", {
      operation: "serveStorage",
    });
  }
  const { ipcMain, channel, sessions, limits, access: rules, frames } = checkedOptions(given);
  const access = new Access({ access: rules, frames, sessions });
  const clients = new Clients();
  const ports = new Set();
  const budgets = new WeakMap();

  const recipients = () => [
    ...clients.live().map(({ client, now }) => ({
      client,
      rights: access.of(now),
      push: (number) => pushTo(client.sender.frame, channel, number),
    })),
    ...[...ports].filter(({ client }) => client !== undefined).map((port) => port.recipient()),
  ];
  const feed = new Feed(recipients);
  const server = new Server({ storage, limits, feed });

  function budgetOf(webContents) {
    let budget = budgets.get(webContents);
    if (budget === undefined) {
      budget = new Budget(limits);
      budgets.set(webContents, budget);
    }
    return budget;
  }

  /** The sender of an event, as the server asks for it. */
  const senderFor = (event) => ({
    identify({ id, origin }) {
      const sender = senderOf(event, origin);
      if (sender === undefined) return undefined;
      return {
        client: clients.meet(id, sender),
        rights: access.of(sender),
        budget: budgetOf(sender.webContents),
        leave: () => clients.leave(id, sender),
      };
    },
  });

  const closeChannel = openChannel(
    ipcMain,
    channel,
    {
      answer: (event, message, isSync) => server.answer(message, isSync, senderFor(event)),
      registers: (event) => sessions?.includes(event.sender?.session) ?? false,
    },
    sessions !== undefined,
  );
  const unregister = (sessions ?? []).map(registerPreload);

  // What changes before the storage watches is not seen: clients that came by then look again.
  const watching = Promise.resolve()
    .then(() => storage.watch((event, key) => feed.add(event, key)))
    .then(
      (unwatch) => {
        feed.start();
        return unwatch;
      },
      (error) => {
        feed.start();
        process.emitWarning(
          `[electron-async-storage] The served storage cannot be watched, and clients see changes late: ${error?.message}`,
          { type: "StorageWarning", code: "EAS_NOT_WATCHED" },
        );
      },
    );

  let isClosed = false;
  return {
    preloadPath,

    clients: () =>
      isClosed
        ? []
        : clients
            .live()
            .filter(({ now }) => !access.of(now).scope.read.isEmpty)
            .map(({ client: { id }, now: { origin, webContents } }) => ({
              id,
              origin,
              webContentsId: webContents.id,
            })),

    connect(port, options) {
      if (isClosed) throw failure("EAS_CLOSED", "The server is closed", { operation: "connect" });
      const client = new PortClient(port, options, server);
      ports.add(client);
      client.start(() => ports.delete(client));
    },

    dispose() {
      if (isClosed) return;
      isClosed = true;
      for (const takeAway of unregister) takeAway();
      closeChannel();
      feed.close();
      for (const { client } of clients.live()) pushTo(client.sender.frame, channel, CLOSED);
      for (const port of ports) port.close();
      ports.clear();
      watching.then((unwatch) => unwatch?.()).catch(() => {});
    },
  };
}

exports.serveStorage = serveStorage;
