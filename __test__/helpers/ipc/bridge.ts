// `contextBridge`: functions become proxies, Promises are passed on, plain objects are copied without their
// prototype's properties, an error keeps its message alone. After electron_api_context_bridge.cc.

type Realm = {
  Error: ErrorConstructor;
  Promise: PromiseConstructor;
  Object: ObjectConstructor;
  Array: ArrayConstructor;
};

const tagOf = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1);

/** A value as the realm `to` gets it. */
export function across(value: any, to: Realm, from: Realm): any {
  if (typeof value === "function") {
    return (...args: unknown[]) => {
      try {
        return across(value(...args.map((arg) => across(arg, from, to))), to, from);
      } catch (error) {
        throw across(error, to, from);
      }
    };
  }
  if (typeof value === "symbol") throw new to.Error("An object could not be cloned.");
  if (value === null || typeof value !== "object") return value;
  switch (tagOf(value)) {
    case "Promise":
      return new to.Promise((resolve, reject) => {
        value.then(
          (result: unknown) => resolve(across(result, to, from)),
          (error: unknown) => reject(across(error, to, from)),
        );
      });
    case "Error":
      return new to.Error(value.message);
    case "Array": {
      const copy = new to.Array(value.length);
      for (let index = 0; index < value.length; index++)
        copy[index] = across(value[index], to, from);
      return copy;
    }
    case "Object": {
      const copy: any = new to.Object();
      for (const name of Object.keys(value)) {
        Object.defineProperty(copy, name, {
          value: across(value[name], to, from),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return copy;
    }
    default:
      return structuredClone(value);
  }
}
