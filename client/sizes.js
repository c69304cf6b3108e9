// Sizes as the main process counts them.

/** Bytes of a text in UTF-8, or of a raw value. Half a pair of surrogates counts as half of one. */
export function byteLength(value) {
  if (typeof value !== "string") return value?.byteLength ?? 0;
  let bytes = value.length;
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
