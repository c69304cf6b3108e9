// Values to stored text and back, in the format of superjson 2: `{"json":…}` with `"meta"` only when JSON
// alone cannot tell. Nothing here names the addon, so that a page of a renderer can have it too.
//
// - `encode(value)`: the text to store. Throws `EAS_INVALID_VALUE` for what cannot be stored.
// - `decode(text)`: a new value. Throws for a text that holds none.
// - `pack(value)`: as `encode`, in the form that the native core takes: the inside of a plain envelope,
//   which saves putting it together and taking it apart, or NUL and a whole text with annotations.
//
// Objects of the classes in these modules live for one call. Each class keeps one for good: a full
// collection that finds none drops the hidden class, and with it the optimised code of all that uses it.

export { decode } from "./decode.js";
export { encode, pack } from "./encode.js";
