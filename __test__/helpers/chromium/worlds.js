// Run in real Chromium at the start of each document: `electron` for a preload in an isolated world, with a
// loopback server as its main process, and the bridge between that world and the page's. Events cross the
// worlds of a document synchronously, as calls of `contextBridge` do.

/** @type {any} */
const world = globalThis;

/** A module that may require what it is given, and nothing else. */
world.runModule = (source, modules) => {
  const module = { exports: {} };
  const require = (id) => {
    if (id in modules) return modules[id];
    throw new Error(`module not found: ${id}`);
  };
  new Function("require", "module", "exports", source)(require, module, module.exports);
  return module.exports;
};

/** Functions of one side that the other may call. */
world.connectWorlds = (codec, mine, theirs) => {
  const functions = new Map();
  const settlers = new Map();
  let lastId = 0;

  const pack = (value) => {
    const id = `${mine}${++lastId}`;
    if (typeof value === "function") {
      functions.set(id, value);
      return { $function: id };
    }
    if (value instanceof Promise) {
      value.then(
        (result) => call("settle", id, true, result),
        (error) => call("settle", id, false, String(error)),
      );
      return { $promise: id };
    }
    if (Array.isArray(value)) return value.map(pack);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, pack(item)]));
  };
  const unpack = (value) => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(unpack);
    if (value.$function) return (...args) => call(value.$function, ...args);
    if (value.$promise) {
      return new Promise((resolve, reject) => settlers.set(value.$promise, { resolve, reject }));
    }
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, unpack(item)]));
  };

  let answer;
  const call = (name, ...args) => {
    const detail = codec.stringify({ name, args: args.map(pack) });
    document.dispatchEvent(new CustomEvent(`to-${theirs}`, { detail }));
    const { result, error } = codec.parse(answer);
    if (error !== undefined) throw new Error(error);
    return unpack(result);
  };
  functions.set("settle", (id, isDone, value) => {
    const { resolve, reject } = settlers.get(id) ?? {};
    settlers.delete(id);
    if (isDone) resolve?.(value);
    else reject?.(new Error(value));
  });
  document.addEventListener(`answer-${mine}`, (event) => {
    answer = event.detail;
  });
  document.addEventListener(`to-${mine}`, (event) => {
    const { name, args } = codec.parse(event.detail);
    let detail;
    try {
      detail = codec.stringify({ result: pack(functions.get(name)(...unpack(args))) });
    } catch (error) {
      detail = codec.stringify({ error: String(error.message) });
    }
    document.dispatchEvent(new CustomEvent(`answer-${theirs}`, { detail }));
  });
  return { call, functions };
};

/** `electron` of a preload. */
world.makeElectron = (codec, server) => {
  const document = crypto.randomUUID();
  const listeners = [];
  const post = (kind, isAsync, args) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${server}/${kind}?document=${document}`, isAsync);
    request.setRequestHeader("content-type", "text/plain");
    const read = () => {
      const { result, error } = codec.parse(request.responseText);
      if (error !== undefined) throw new Error(error);
      return result;
    };
    if (!isAsync) {
      request.send(codec.stringify(args));
      return read();
    }
    return new Promise((resolve, reject) => {
      request.onload = () => {
        try {
          resolve(read());
        } catch (error) {
          reject(error);
        }
      };
      request.onerror = () => reject(new Error("the server is gone"));
      request.send(codec.stringify(args));
    });
  };
  const pushes = new EventSource(`${server}/pushes?document=${document}`);
  pushes.onmessage = ({ data }) => {
    const { channel, args } = codec.parse(data);
    for (const [name, listener] of listeners) if (name === channel) listener({}, ...args);
  };
  const { call, functions } = world.connectWorlds(codec, "preload", "page");
  return {
    ipcRenderer: {
      invoke: (...args) => post("invoke", true, args),
      sendSync: (...args) => post("sync", false, args),
      on: (channel, listener) => listeners.push([channel, listener]),
    },
    contextBridge: {
      exposeInMainWorld: (name, api) => call("expose", name, api),
    },
    functions,
  };
};
