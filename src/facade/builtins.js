// What the codec uses of the engine, taken when the addon is loaded: before other code can replace it, and
// before the codec is there.
(function takeBuiltins() {
  "use strict";

  const uncurry = Function.prototype.bind.bind(Function.prototype.call);
  const { stringify, parse } = JSON;
  const { isArray } = Array;
  const { getPrototypeOf, keys: keysOf, create, defineProperty } = Object;
  const { isView } = ArrayBuffer;
  const { isFinite: isFiniteNumber, isNaN: isNaNNumber } = Number;
  const ArrayType = Array;
  const DateType = Date;
  const MapType = Map;
  const SetType = Set;
  const RegExpType = RegExp;
  const ErrorType = Error;
  const RangeErrorType = RangeError;
  const URLType = typeof URL === "function" ? URL : undefined;
  const toBigInt = BigInt;
  const objectPrototype = Object.prototype;
  const getterOf = (prototype, name) =>
    uncurry(Object.getOwnPropertyDescriptor(prototype, name).get);
  const hasOwn = uncurry(objectPrototype.hasOwnProperty);
  const tagOf = uncurry(objectPrototype.toString);
  const timeOf = uncurry(Date.prototype.getTime);
  const utcTime = Date.UTC;
  const isoText = uncurry(Date.prototype.toISOString);
  const regExpText = uncurry(RegExp.prototype.toString);
  const regExpSource = getterOf(RegExp.prototype, "source");
  const bigIntText = uncurry(BigInt.prototype.toString);
  const mapGet = uncurry(Map.prototype.get);
  const mapSet = uncurry(Map.prototype.set);
  const mapSize = getterOf(Map.prototype, "size");
  const mapEach = uncurry(Map.prototype.forEach);
  const mapClear = uncurry(Map.prototype.clear);
  const setAdd = uncurry(Set.prototype.add);
  const setSize = getterOf(Set.prototype, "size");
  const setEach = uncurry(Set.prototype.forEach);
  const sort = uncurry(Array.prototype.sort);
  const join = uncurry(Array.prototype.join);
  const codeAt = uncurry(String.prototype.charCodeAt);
  const indexOf = uncurry(String.prototype.indexOf);
  const lastIndexOf = uncurry(String.prototype.lastIndexOf);
  const slice = uncurry(String.prototype.slice);
  const includes = uncurry(String.prototype.includes);
  const typedArrayPrototype = getPrototypeOf(Int8Array.prototype);
  const typedArrayName = getterOf(typedArrayPrototype, Symbol.toStringTag);
  const joinTyped = uncurry(typedArrayPrototype.join);
  const typedArrayLength = getterOf(typedArrayPrototype, "length");
  const typedArrayTypes = Object.assign(create(null), {
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

  return {
    stringify,
    parse,
    isArray,
    getPrototypeOf,
    keysOf,
    create,
    defineProperty,
    isView,
    isFiniteNumber,
    isNaNNumber,
    ArrayType,
    DateType,
    MapType,
    SetType,
    RegExpType,
    ErrorType,
    RangeErrorType,
    URLType,
    toBigInt,
    objectPrototype,
    hasOwn,
    tagOf,
    timeOf,
    utcTime,
    isoText,
    regExpText,
    regExpSource,
    bigIntText,
    mapGet,
    mapSet,
    mapSize,
    mapEach,
    mapClear,
    setAdd,
    setSize,
    setEach,
    sort,
    join,
    codeAt,
    indexOf,
    lastIndexOf,
    slice,
    includes,
    typedArrayName,
    joinTyped,
    typedArrayLength,
    typedArrayTypes,
  };
});
