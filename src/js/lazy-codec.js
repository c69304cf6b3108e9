// The codec, compiled when it is first used: a program whose values are all plain starts sooner.

import * as builtins from "./builtins.js";

let codec;

function loaded() {
  if (codec === undefined) {
    const loading = {};
    core.evaluateCodec()(loading, builtins);
    codec = loading;
  }
  return codec;
}

export const pack = (value, rules, operation, key, index) =>
  loaded().pack(value, rules, operation, key, index);
export const encode = (value) => loaded().encode(value);
export const decode = (text) => loaded().decode(text);
