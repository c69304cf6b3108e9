// The other party of a test: a process that does what it is told over its IPC channel. A request is
// `[id, name, ...args]`, its answer `[id, error, result]`; what happens meanwhile is `[0, topic, data]`.

const fs = require("node:fs");
const { setTimeout: pause } = require("node:timers/promises");
const { join } = require("node:path");
const { createHash } = require("node:crypto");
const { runInThisContext } = require("node:vm");
const { Worker } = require("node:worker_threads");

const root = join(__dirname, "..", "..", "..");
const { createStorage } = require(root);

let storage;
let unwatch;
let stopped = false;

process.on("warning", (warning) =>
  notify("warning", { code: warning.code, text: warning.message }),
);

function notify(topic, data) {
  if (process.connected) process.send([0, topic, data]);
}

/** A value that tells by itself whether it is whole. */
function sealed(writer, number, length) {
  const body = `${writer}.${number}.`.padEnd(length, "é");
  return { writer, number, body, seal: createHash("sha1").update(body).digest("hex") };
}

function isWhole(value) {
  return (
    typeof value?.body === "string" &&
    value.seal === createHash("sha1").update(value.body).digest("hex")
  );
}

const LENGTHS = [1, 50, 4096, 70_000, 300_000];

const commands = {
  open(name, options) {
    storage = createStorage({ driver: require(join(root, "drivers", name))(options) });
  },
  call: (method, ...args) => storage[method](...args),
  fs: (method, ...args) => fs[method](...args),
  async watch() {
    unwatch = await storage.watch((event, key) => notify("event", `${event} ${key}`));
  },
  /** Stops watching when a key changes. */
  async watchUntil(last) {
    const stop = await storage.watch((_event, key) => {
      if (key !== last) return;
      process.exitCode = 7;
      void stop();
    });
  },
  unwatch: () => unwatch(),
  dispose: () => storage.dispose(),
  exit(code) {
    process.exit(code);
  },
  async watchAndThrow(message) {
    await storage.watch(() => {
      throw new Error(message);
    });
  },
  /** Gives up the rights of the superuser for those of `nobody`. */
  becomeNobody() {
    process.setgroups([]);
    process.setgid(65534);
    process.setuid(65534);
  },
  stop() {
    stopped = true;
  },

  /** Many changes at once, made as another program makes them. */
  fill(base, prefix, count) {
    fs.mkdirSync(base, { recursive: true });
    for (let number = 0; number < count; number++) {
      fs.writeFileSync(join(base, `${prefix}${number}`), "1");
    }
  },

  /** As `fill`, with files that are whole when they take their names. */
  moveIn(draft, base, prefix, count) {
    fs.mkdirSync(base, { recursive: true });
    for (let number = 0; number < count; number++) {
      fs.writeFileSync(draft, "1");
      fs.renameSync(draft, join(base, `${prefix}${number}`));
    }
  },

  /** Writes a file in place, piece after piece without a pause. */
  writePieces(path, count) {
    const file = fs.openSync(path, "w");
    for (let piece = 0; piece < count; piece++) fs.writeSync(file, "piece");
    fs.closeSync(file);
  },

  /** Makes and removes a folder within one turn. */
  comeAndGoFolder(path) {
    fs.mkdirSync(path);
    fs.rmdirSync(path);
  },

  /** Writes values of all sizes to shared keys until it is told to stop. */
  async writeAll(writer, keys) {
    let number = 0;
    while (!stopped) {
      for (const key of keys) {
        const value = sealed(writer, number, LENGTHS[number % LENGTHS.length]);
        if (number % 2) storage.setItemSync(key, value);
        else await storage.setItem(key, value);
        number++;
      }
      // Messages are read between rounds.
      await pause();
    }
    return number;
  },
  /** Reads them until it is told to stop; gives how many it read and each that was not whole. */
  async readAll(keys, { lists = true } = {}) {
    let reads = 0;
    const torn = [];
    while (!stopped) {
      for (const key of keys) {
        const value = reads % 2 ? storage.getItemSync(key) : await storage.getItem(key);
        if (!isWhole(value)) torn.push([key, value]);
        reads++;
      }
      const listed = lists ? (await storage.getKeys()).sort() : [...keys].sort();
      if (listed.join() !== [...keys].sort().join()) torn.push(["getKeys", listed]);
      await pause();
    }
    return { reads, torn };
  },
  seal: (key, length) => storage.setItem(key, sealed("seal", 0, length)),
  /** Writes one big value after another. */
  async writeBig(key, length) {
    while (!stopped) {
      await storage.setItem(key, "x".repeat(length));
      await pause();
    }
  },
  /** Sets and removes a key of a folder, the last one often, until it is told to stop. */
  async comeAndGo(key) {
    let rounds = 0;
    while (!stopped) {
      if (rounds % 2) {
        storage.setItemSync(key, rounds);
        storage.removeItemSync(key);
      } else {
        await storage.setItem(key, rounds);
        await storage.removeItem(key);
      }
      rounds++;
      await pause();
    }
    return rounds;
  },
  /** Sets a key of the same folder and sees whether it is there. */
  async comeAndStay(key) {
    let rounds = 0;
    while (!stopped) {
      await storage.setItem(key, rounds);
      const found = await storage.getItem(key);
      if (found !== rounds) throw new Error(`wrote ${rounds}, read ${found}`);
      await storage.removeItem(key);
      rounds++;
      await pause();
    }
    return rounds;
  },
  /** Writes keys and ends in the way that a line of JavaScript tells. */
  writeAndEnd(keys, end) {
    for (const key of keys) storage.setItemSync(key, 1);
    runInThisContext(`(process) => { ${end} }`)(process);
  },
  /** Asks for writes, awaits none of them and ends. */
  askAndEnd(count, end) {
    for (let number = 0; number < count; number++) void storage.setItem(`k${number}`, number);
    runInThisContext(`(process) => { ${end} }`)(process);
  },
  /** Lets a worker thread write and exit; gives its exit code. */
  workerThatWrites(base) {
    const program = `
      const { createStorage } = require(${JSON.stringify(root)});
      const driver = require(${JSON.stringify(join(root, "drivers", "fs"))})({
        base: ${JSON.stringify(base)},
      });
      createStorage({ driver }).setItemSync("w", 1);
      process.exit(3);
    `;
    const worker = new Worker(program, { eval: true });
    return new Promise((resolve, reject) => {
      worker.on("error", reject);
      worker.on("exit", resolve);
    });
  },
  /** Sets many items at once. */
  async setMany(count) {
    const items = Array.from({ length: count }, (_, index) => ({
      key: `k:${index}`,
      value: index,
    }));
    await storage.setItems(items);
    const found = await storage.getItems(items.map(({ key }) => key));
    return found.filter(({ value }, index) => value !== index).length;
  },
};

function plain(error) {
  const { message, code, driver, operation, key } = error;
  return { message, code, driver, operation, key };
}

process.on("message", async ([id, name, ...args]) => {
  let answer;
  try {
    answer = [id, null, await commands[name](...args)];
  } catch (error) {
    answer = [id, plain(error)];
  }
  // The other side may be letting go just now.
  if (process.connected) process.send(answer, () => {});
});
