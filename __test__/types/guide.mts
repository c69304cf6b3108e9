// The code of the driver guide, as close to its print as strict mode and the current Node types let it be.

import crypto from "node:crypto";
import { promises as fsp, type Stats } from "node:fs";
import path from "node:path";
import { createStorage, type Driver, type Storage } from "electron-async-storage";
import fsDriver from "electron-async-storage/drivers/fs";
import fsLiteDriver from "electron-async-storage/drivers/fs-lite";
import memoryDriver from "electron-async-storage/drivers/memory";
import queueDriver from "electron-async-storage/drivers/queue";
import { createError, defineDriver } from "electron-async-storage/drivers/utils";
import { expectTypeOf } from "expect-type";

// Memory driver
{
  const storage = createStorage({ driver: memoryDriver() });
  await storage.setItem("user:profile", { name: "John" });
  const profile = await storage.getItem("user:profile");
  storage.setItemSync("config:theme", "dark");
  const theme = storage.getItemSync("config:theme");
  const map = storage.getMount().driver.getInstance();
  console.log(profile, theme, map.size);
}

// The memory driver, written with defineDriver
export const mapDriver = defineDriver<void, Map<string, any>>(() => {
  const data = new Map<string, any>();
  return {
    name: "memory",
    getInstance: () => data,
    hasItem(key) {
      return data.has(key);
    },
    getItem(key) {
      return data.get(key) ?? null;
    },
    setItem(key, value) {
      data.set(key, value);
    },
    removeItem(key) {
      data.delete(key);
    },
    getKeys() {
      return [...data.keys()];
    },
    clear() {
      data.clear();
    },
    dispose() {
      data.clear();
    },
    getItemRaw(key) {
      return data.get(key) ?? null;
    },
    setItemRaw(key, value) {
      data.set(key, value);
    },
    hasItemSync(key) {
      return data.has(key);
    },
    getItemSync(key) {
      return data.get(key) ?? null;
    },
    setItemSync(key, value) {
      data.set(key, value);
    },
    removeItemSync(key) {
      data.delete(key);
    },
    getKeysSync() {
      return [...data.keys()];
    },
    clearSync() {
      data.clear();
    },
    getItemRawSync(key) {
      return data.get(key) ?? null;
    },
    setItemRawSync(key, value) {
      data.set(key, value);
    },
  };
});
createStorage({ driver: mapDriver() });

// fs driver
{
  const app = { getPath: (name: string) => name };
  const storage = createStorage({
    driver: fsDriver({
      base: path.join(app.getPath("userData"), "app-storage"),
      ignore: ["**/temp/**", "**/*.tmp", "**/logs/**/*.log"],
      watchOptions: {
        ignored: /(^|[/\\])\../,
        persistent: true,
        ignorePermissionErrors: true,
      },
    }),
  });
  const unwatch = await storage.watch((event, key) => {
    if (key.startsWith("config:")) {
      console.log(`Configuration ${event}: ${key}`);
    }
  });
  await unwatch();
  const meta = await storage.getMeta("app-settings.json");
  console.log(`Last modified: ${meta.mtime}`);
  console.log(`File size: ${meta.size} bytes`);
  console.log((await storage.getMeta("app-settings.json")).mtime);
  const shallowKeys = await storage.getKeys("config", { maxDepth: 1 });
  expectTypeOf(shallowKeys).toEqualTypeOf<string[]>();
  await storage.setItems([
    { key: "config:theme", value: "dark" },
    { key: "config:lang", value: "en" },
    { key: "config:debug", value: false },
  ]);
}

// The fs driver's highlights, with the three methods that the guide leaves out there
export const statDriver = defineDriver((options: { base?: string } = {}) => {
  const base = path.resolve(options.base ?? "");
  return {
    name: "fs",
    flags: { maxDepth: true },
    async hasItem() {
      return false;
    },
    async getItem() {
      return null;
    },
    async getKeys() {
      return [];
    },
    async getMeta(key) {
      if (key.includes("..")) {
        throw createError("fs", `Invalid key: ${JSON.stringify(key)}`);
      }
      const { atime, mtime, size, birthtime, ctime } = await fsp
        .stat(path.join(base, key))
        .catch(() => ({}) as Stats);
      return { atime, mtime, size, birthtime, ctime };
    },
    async watch(callback) {
      callback("update", "key");
      callback("remove", "key");
      return () => Promise.resolve();
    },
  };
});
statDriver({});

// fs-lite driver
{
  const storage = createStorage({
    driver: fsLiteDriver({
      base: "./data",
      ignore: (path) => path.includes("temp") || path.endsWith(".tmp"),
    }),
  });
  await storage.setItem("config", { theme: "dark" });
  const config = await storage.getItem("config");
  console.log(config.theme);
}

// Queue driver
{
  const loggingStorage = createStorage({
    driver: queueDriver({
      driver: fsDriver({ base: "./logs" }),
      batchSize: 1000,
      flushInterval: 5000,
      mergeUpdates: true,
    }),
  });
  const queueContext = loggingStorage.getMount().driver.getInstance();
  console.log("Queue size:", queueContext.queue.size);
  console.log("Is flushing:", queueContext.flushing);
}

// A custom driver
interface Redis {
  exists(key: string): Promise<number>;
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
  setex(key: string, seconds: number, value: string): Promise<void>;
  del(...keys: string[]): Promise<void>;
  keys(pattern: string): Promise<string[]>;
  quit(): Promise<void>;
}
interface RedisDriverOptions {
  host: string;
  port?: number;
  password?: string;
  db?: number;
}
declare const Redis: new (options: {
  host: string;
  port: number;
  password: string | undefined;
  db: number;
}) => Redis;
export const redisDriver = defineDriver<RedisDriverOptions>((options) => {
  const redis = new Redis({
    host: options.host,
    port: options.port || 6379,
    password: options.password,
    db: options.db || 0,
  });
  return {
    name: "redis",
    options,
    async hasItem(key) {
      const result = await redis.exists(key);
      return result === 1;
    },
    async getItem(key) {
      const value = await redis.get(key);
      return value;
    },
    async setItem(key, value, opts) {
      if (opts.ttl) {
        await redis.setex(key, Math.floor(opts.ttl / 1000), value);
      } else {
        await redis.set(key, value);
      }
    },
    async removeItem(key) {
      await redis.del(key);
    },
    async getKeys(base) {
      const pattern = base ? `${base}*` : "*";
      return redis.keys(pattern);
    },
    async clear(base) {
      const keys = await this.getKeys(base);
      if (keys.length > 0) {
        await redis.del(...keys);
      }
    },
    async dispose() {
      await redis.quit();
    },
  };
});

// The testing template
{
  const storage: Storage = createStorage({ driver: redisDriver({ host: "localhost" }) });
  await storage.setItem("complex", {
    date: new Date(),
    set: new Set([1, 2, 3]),
    map: new Map([["key", "value"]]),
  });
  const retrieved = await storage.getItem("complex");
  console.log(retrieved.date, retrieved.set, retrieved.map);
  const results = await storage.getItems(["key1", "key2"]);
  console.log(results[0].value, results[1].value);
  await storage.clear();
  await storage.dispose();
}

// The encryption wrapper. A Driver's getItem gives a StorageValue, so the text is tested for.
interface EncryptionDriverOptions {
  driver: Driver;
  secretKey: string;
  algorithm?: string;
}
export const encryptionDriver = defineDriver<EncryptionDriverOptions>((options) => {
  const { driver, secretKey, algorithm = "aes-256-cbc" } = options;
  const iv = crypto.randomBytes(16);
  const encrypt = (text: string): string => {
    const cipher = crypto.createCipheriv(algorithm, secretKey, iv);
    return cipher.update(text, "utf8", "hex") + cipher.final("hex");
  };
  const decrypt = (text: string): string => {
    const decipher = crypto.createDecipheriv(algorithm, secretKey, iv);
    return decipher.update(text, "hex", "utf8") + decipher.final("utf8");
  };
  return {
    name: `encrypted-${driver.name || "unknown"}`,
    flags: driver.flags,
    async hasItem(key, opts) {
      return driver.hasItem(key, opts);
    },
    async getItem(key, opts) {
      const encrypted = await driver.getItem(key, opts);
      return typeof encrypted === "string" ? decrypt(encrypted) : null;
    },
    async setItem(key, value, opts) {
      if (!driver.setItem) return;
      const encrypted = encrypt(value);
      return driver.setItem(key, encrypted, opts);
    },
    getKeys: driver.getKeys.bind(driver),
    removeItem: async (key, opts) => driver.removeItem?.(key, opts),
    clear: async (base, opts) => driver.clear?.(base, opts),
    dispose: async () => driver.dispose?.(),
  };
});
encryptionDriver({ driver: memoryDriver(), secretKey: "x" });

// The caching wrapper over built-in drivers, whose writes are Promises
export function cachedRead(cache: ReturnType<typeof memoryDriver>, primary: Driver) {
  return async (key: string) => {
    const value = await primary.getItem(key, {});
    if (typeof value === "string") {
      cache.setItem?.(`cache:${key}`, value, { ttl: 300_000 }).catch(console.error);
    }
    return value;
  };
}
