// Clients of Redis with the methods that the guide's driver calls: one over a Map, one over a socket.

import { connect, type Socket } from "node:net";

export interface RedisOptions {
  host: string;
  port?: number;
  password?: string;
  db?: number;
}

export interface RedisClient {
  exists(key: string): Promise<number>;
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
  setex(key: string, seconds: number, value: string): Promise<unknown>;
  del(...keys: string[]): Promise<number>;
  keys(pattern: string): Promise<string[]>;
  quit(): Promise<unknown>;
}

/** Keeps everything in a Map, as a server of its own would. */
export class MapRedis implements RedisClient {
  data = new Map<string, { value: string; seconds?: number }>();
  isOpen = true;
  constructor(readonly options: RedisOptions) {}
  async exists(key: string) {
    return this.data.has(key) ? 1 : 0;
  }
  async get(key: string) {
    return this.data.get(key)?.value ?? null;
  }
  async set(key: string, value: string) {
    this.data.set(key, { value });
  }
  async setex(key: string, seconds: number, value: string) {
    this.data.set(key, { value, seconds });
  }
  async del(...keys: string[]) {
    return keys.filter((key) => this.data.delete(key)).length;
  }
  async keys(pattern: string) {
    return [...this.data.keys()].filter((key) => key.startsWith(pattern.slice(0, -1)));
  }
  async quit() {
    this.isOpen = false;
  }
}

type Reply = string | number | null | Error | Reply[];

/** Speaks to a server in its own protocol, one answer to a question, in their order. */
export class SocketRedis implements RedisClient {
  private readonly socket: Socket;
  private readonly waiting: { resolve(reply: any): void; reject(error: Error): void }[] = [];
  private received = Buffer.alloc(0);

  constructor({ host, port = 6379 }: RedisOptions) {
    this.socket = connect(port, host);
    this.socket.on("data", (data) => this.receive(data));
    this.socket.on("error", (error) => this.fail(error));
    this.socket.on("close", () => this.fail(new Error("the connection is closed")));
  }

  exists = (key: string) => this.ask("EXISTS", key);
  get = (key: string) => this.ask("GET", key);
  set = (key: string, value: string) => this.ask("SET", key, value);
  setex = (key: string, seconds: number, value: string) =>
    this.ask("SETEX", key, String(seconds), value);
  del = (...keys: string[]) => this.ask("DEL", ...keys);
  keys = (pattern: string) => this.ask("KEYS", pattern);
  quit = () => this.ask("QUIT");
  ttl = (key: string): Promise<number> => this.ask("TTL", key);

  private ask(...words: string[]): Promise<any> {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.socket.write(`*${words.length}\r\n${parts.join("")}`);
    });
  }

  private fail(error: Error) {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  private receive(data: Buffer) {
    this.received = Buffer.concat([this.received, data]);
    for (;;) {
      const parsed = parse(this.received, 0);
      if (parsed === undefined) return;
      this.received = this.received.subarray(parsed.end);
      const asked = this.waiting.shift();
      if (parsed.reply instanceof Error) asked?.reject(parsed.reply);
      else asked?.resolve(parsed.reply);
    }
  }
}

/** The reply that begins at a place, and where it ends; nothing while a part of it is missing. */
function parse(data: Buffer, start: number): { reply: Reply; end: number } | undefined {
  const lineEnd = data.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const line = data.toString("utf8", start + 1, lineEnd);
  let end = lineEnd + 2;
  switch (String.fromCharCode(data[start])) {
    case "+":
      return { reply: line, end };
    case "-":
      return { reply: new Error(line), end };
    case ":":
      return { reply: Number(line), end };
    case "$": {
      const length = Number(line);
      if (length < 0) return { reply: null, end };
      if (data.length < end + length + 2) return undefined;
      return { reply: data.toString("utf8", end, end + length), end: end + length + 2 };
    }
    default: {
      const items: Reply[] = [];
      for (let count = Number(line); count > 0; count -= 1) {
        const item = parse(data, end);
        if (item === undefined) return undefined;
        items.push(item.reply);
        end = item.end;
      }
      return { reply: items, end };
    }
  }
}
