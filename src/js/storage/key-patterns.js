// Patterns of keys: `*` stands for one segment, `**` for one or more.

/** A test of normalised keys; undefined for a pattern with a `*` inside a segment. */
export function keyPattern(pattern) {
  const parts = pattern.split(":");
  if (parts.some((part) => part.includes("*") && part !== "*" && part !== "**")) return undefined;
  return (key) => fits(parts, key.split(":"));
}

// Each `**` is tried from its shortest on, going back to the last one only: what stands before it fits in any case.
function fits(parts, segments) {
  let part = 0;
  let segment = 0;
  let afterMany = -1;
  let nextStart = 0;
  while (segment < segments.length) {
    if (parts[part] === "**") {
      part += 1;
      segment += 1;
      afterMany = part;
      nextStart = segment;
    } else if (part < parts.length && (parts[part] === "*" || parts[part] === segments[segment])) {
      part += 1;
      segment += 1;
    } else if (afterMany !== -1) {
      nextStart += 1;
      part = afterMany;
      segment = nextStart;
    } else return false;
  }
  return part === parts.length;
}
