const uncurry = Function.prototype.bind.bind(Function.prototype.call);
export const { stringify, parse } = JSON;
export const { isArray } = Array;
export const { getPrototypeOf, keys: keysOf, create, defineProperty } = Object;
export const { isView } = ArrayBuffer;
export const { isFinite: isFiniteNumber, isNaN: isNaNNumber } = Number;
export const ArrayType = Array;
export const DateType = Date;
export const MapType = Map;
export const SetType = Set;
export const RegExpType = RegExp;
export const ErrorType = Error;
export const RangeErrorType = RangeError;
export const URLType = typeof URL === "function" ? URL : undefined;
export const toBigInt = BigInt;
export const objectPrototype = Object.prototype;
/** @type {(prototype: object, name: PropertyKey) => (self: any) => any} */
const getterOf = (prototype, name) =>
  uncurry(Object.getOwnPropertyDescriptor(prototype, name)?.get);
export const hasOwn = uncurry(objectPrototype.hasOwnProperty);
export const tagOf = uncurry(objectPrototype.toString);
export const timeOf = uncurry(Date.prototype.getTime);
export const utcTime = Date.UTC;
export const isoText = uncurry(Date.prototype.toISOString);
export const regExpText = uncurry(RegExp.prototype.toString);
export const regExpSource = getterOf(RegExp.prototype, "source");
export const bigIntText = uncurry(BigInt.prototype.toString);
export const mapGet = uncurry(Map.prototype.get);
export const mapSet = uncurry(Map.prototype.set);
export const mapSize = getterOf(Map.prototype, "size");
export const mapEach = uncurry(Map.prototype.forEach);
export const mapClear = uncurry(Map.prototype.clear);
export const setAdd = uncurry(Set.prototype.add);
export const setSize = getterOf(Set.prototype, "size");
export const setEach = uncurry(Set.prototype.forEach);
export const sort = uncurry(Array.prototype.sort);
export const join = uncurry(Array.prototype.join);
export const codeAt = uncurry(String.prototype.charCodeAt);
export const indexOf = uncurry(String.prototype.indexOf);
export const lastIndexOf = uncurry(String.prototype.lastIndexOf);
export const slice = uncurry(String.prototype.slice);
export const includes = uncurry(String.prototype.includes);
const typedArrayPrototype = getPrototypeOf(Int8Array.prototype);
export const typedArrayName = getterOf(typedArrayPrototype, Symbol.toStringTag);
export const joinTyped = uncurry(typedArrayPrototype.join);
export const typedArrayLength = getterOf(typedArrayPrototype, "length");
export const typedArrayTypes = Object.assign(create(null), {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
});
export const { floor } = Math;
export const arrayPrototype = Array.prototype;
export const datePrototype = Date.prototype;
export const setPrototype = Set.prototype;
export const mapPrototype = Map.prototype;
export const { species } = Symbol;
export const setHas = uncurry(Set.prototype.has);
export const sliceArray = uncurry(Array.prototype.slice);
export const setInt32 = uncurry(DataView.prototype.setInt32);
export const { toStringTag } = Symbol;
export const { captureStackTrace } = Error;
export const stringOf = uncurry(String.prototype.toString);
export const numberOf = uncurry(Number.prototype.valueOf);
export const booleanOf = uncurry(Boolean.prototype.valueOf);
export const Uint8ArrayType = Uint8Array;
const TextEncoderType = typeof TextEncoder === "function" ? TextEncoder : undefined;
export const encoder = TextEncoderType && new TextEncoderType();
export const encodeInto = TextEncoderType && uncurry(TextEncoderType.prototype.encodeInto);
