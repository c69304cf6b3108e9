// The drivers that the guide prints, adapted no more than their types and this Node ask for.

import crypto from "node:crypto";
import type { Driver } from "../../../index.js";
import { defineDriver } from "../package.js";
import type { RedisClient, RedisOptions } from "./redis.js";

/** The guide's `new Redis(…)` is a call, so that a test chooses the client. */
export const redisDriver = (connect: (options: RedisOptions) => RedisClient) =>
  defineDriver<RedisOptions>((options) => {
    const redis = connect({
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
        const keys = await (this as unknown as Driver).getKeys(base, {});
        if (keys.length > 0) {
          await redis.del(...keys);
        }
      },
      async dispose() {
        await redis.quit();
      },
    };
  });

/** Node has no `createCipher` any more: the key is derived, and GCM keeps its tag. */
export const encryptionDriver = defineDriver<{
  driver: Driver;
  secretKey: string;
  algorithm?: crypto.CipherGCMTypes;
}>((options) => {
  const { driver, secretKey, algorithm = "aes-256-gcm" } = options;
  const secret = crypto.scryptSync(secretKey, "salt", 32);

  const encrypt = (text: string): string => {
    const iv = crypto.randomBytes(16);
    const cipher = crypto.createCipheriv(algorithm, secret, iv);
    let encrypted = cipher.update(text, "utf8", "hex");
    encrypted += cipher.final("hex");
    return `${iv.toString("hex")}:${cipher.getAuthTag().toString("hex")}:${encrypted}`;
  };
  const decrypt = (encryptedText: string): string => {
    const [ivHex, tagHex, encrypted] = encryptedText.split(":");
    const decipher = crypto.createDecipheriv(algorithm, secret, Buffer.from(ivHex, "hex"));
    decipher.setAuthTag(Buffer.from(tagHex, "hex"));
    let decrypted = decipher.update(encrypted, "hex", "utf8");
    decrypted += decipher.final("utf8");
    return decrypted;
  };

  return {
    name: `encrypted-${driver.name || "unknown"}`,
    flags: driver.flags,
    async hasItem(key, opts) {
      return driver.hasItem(key, opts);
    },
    async getItem(key, opts) {
      const encrypted = await driver.getItem(key, opts);
      return encrypted ? decrypt(encrypted as string) : null;
    },
    async setItem(key, value, opts) {
      if (!driver.setItem) return;
      const encrypted = encrypt(value);
      return driver.setItem(key, encrypted, opts);
    },
    removeItem: driver.removeItem?.bind(driver),
    getKeys: driver.getKeys.bind(driver),
    clear: driver.clear?.bind(driver),
    dispose: driver.dispose?.bind(driver),
  };
});

/** As printed: it has no `hasItem` and no `getKeys`, which its type would ask for. */
export const multiRegionDriver = defineDriver<{
  regions: Record<string, Driver>;
  defaultRegion: string;
  replicationStrategy?: "sync" | "async" | "none";
}>((options) => {
  const { regions, replicationStrategy = "async" } = options;

  const getRegionForKey = (key: string): string => {
    const hash = key.split("").reduce((a, b) => {
      const sum = (a << 5) - a + b.charCodeAt(0);
      return sum & sum;
    }, 0);
    const regionNames = Object.keys(regions);
    return regionNames[Math.abs(hash) % regionNames.length];
  };

  const driver: Partial<Driver> = {
    name: "multi-region",
    async getItem(key, opts) {
      const region = getRegionForKey(key);
      return regions[region].getItem(key, opts);
    },
    async setItem(key, value, opts) {
      const region = getRegionForKey(key);
      await regions[region].setItem?.(key, value, opts);
      if (replicationStrategy === "sync") {
        await Promise.all(
          Object.entries(regions)
            .filter(([name]) => name !== region)
            .map(([, other]) => other.setItem?.(key, value, opts)),
        );
      } else if (replicationStrategy === "async") {
        Promise.all(
          Object.entries(regions)
            .filter(([name]) => name !== region)
            .map(([, other]) => other.setItem?.(key, value, opts)),
        ).catch(console.error);
      }
    },
  };
  return driver as Driver;
});

/** As printed, `.catch` on what the built-in driver's `setItem` gives included. */
export const cachingDriver = defineDriver<{
  primary: Driver;
  cache: Driver;
  cacheTTL?: number;
  cachePrefix?: string;
}>((options) => {
  const { primary, cache, cacheTTL = 300000, cachePrefix = "cache:" } = options;
  const getCacheKey = (key: string) => cachePrefix + key;

  const driver: Partial<Driver> = {
    name: `cached-${primary.name || "unknown"}`,
    async getItem(key, opts) {
      const cacheKey = getCacheKey(key);
      const found = await cache.getItem(cacheKey, opts);
      if (found !== null) {
        return found;
      }
      const value = await primary.getItem(key, opts);
      if (value !== null) {
        const cached = cache.setItem?.(cacheKey, value as string, { ...opts, ttl: cacheTTL });
        (cached as Promise<void>).catch(console.error);
      }
      return value;
    },
    async setItem(key, value, opts) {
      await primary.setItem?.(key, value, opts);
      const cacheKey = getCacheKey(key);
      await cache.setItem?.(cacheKey, value, { ...opts, ttl: cacheTTL });
    },
    async removeItem(key, opts) {
      await Promise.all([
        primary.removeItem?.(key, opts),
        cache.removeItem?.(getCacheKey(key), opts),
      ]);
    },
  };
  return driver as Driver;
});
