// What console.log shows of storages and drivers: one line each, without secrets.

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

// A name of an option whose value nobody is to see.
const SECRET = /key|secret|pass|token|credential|auth|salt|cookie|private|pin$/i;
const URL_PASSWORD = /(:\/\/)[^/@\s]*@/g;
const MOST_DEPTH = 3;
const MOST_ITEMS = 10;

/** Has `object` shown as what `text` gives, or as the value that it gives for `inspect`. */
export function showAs(object, show) {
  return Object.defineProperty(object, INSPECT, {
    value: (_depth, options, inspect) => show(options, inspect),
    enumerable: false,
    configurable: true,
  });
}

export function driverText(driver) {
  const { name, options } = driver;
  const title = typeof name === "string" && name !== "" ? name : "custom";
  const shown = isShown(options) ? optionsText(options, 0) : "";
  return shown === "" ? title : `${title} { ${shown} }`;
}

export function storageText(mounts) {
  const lines = mounts.map(
    ({ base, driver }) => `Storage ${base || "(root)"} → ${driverText(driver)}`,
  );
  return lines.reverse().join("\n");
}

const isShown = (options) =>
  options !== null && typeof options === "object" && !Array.isArray(options);

function optionsText(options, depth) {
  return Object.keys(options)
    .filter((name) => options[name] !== undefined && !SECRET.test(name))
    .map((name) => `${nameText(name)}: ${valueText(options[name], depth)}`)
    .join(", ");
}

const nameText = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

// An object of a class may hold anything, such as the password of a client: its class says enough.
function valueText(value, depth) {
  if (typeof value === "string") return JSON.stringify(value.replace(URL_PASSWORD, "$1"));
  if (typeof value === "function") return "[Function]";
  if (typeof value === "bigint") return `${value}n`;
  if (value === null || typeof value !== "object") return String(value);
  if (depth === MOST_DEPTH) return "…";
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST_ITEMS).map((item) => valueText(item, depth + 1));
    return `[${value.length > MOST_ITEMS ? [...items, "…"].join(", ") : items.join(", ")}]`;
  }
  if (value instanceof RegExp) return String(value);
  if (typeof value.getItem === "function") return driverText(value);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return `[${value.constructor?.name || "object"}]`;
  }
  const text = optionsText(value, depth + 1);
  return text === "" ? "{}" : `{ ${text} }`;
}
