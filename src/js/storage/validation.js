// Values against the schemas of a storage.

import { normalizeKey } from "../keys.js";
import { ignore, isThenable } from "../thenables.js";

const MOST_ISSUES_SHOWN = 3;

function issueText({ message, path }) {
  const place = (path ?? [])
    .map((segment) =>
      String(typeof segment === "object" && segment !== null ? segment.key : segment),
    )
    .join(".");
  return place === "" ? message : `${place}: ${message}`;
}

function issuesText(issues) {
  const texts = issues.slice(0, MOST_ISSUES_SHOWN).map(issueText);
  return issues.length > texts.length ? `${texts.join("; ")}; …` : texts.join("; ");
}

function failure(what, place, issues) {
  const { key: given, operation, index } = place;
  const key = normalizeKey(given);
  const item = index === undefined ? "" : `item ${index} of the batch, `;
  const error = new Error(
    `[electron-async-storage] ${what} does not pass the schema of ${item}key ${JSON.stringify(key)}: ${issuesText(issues)}`,
  );
  const about = { code: "EAS_INVALID_VALUE", operation, key, issues };
  return Object.assign(error, about, index === undefined ? undefined : { index });
}

export function needsPromise(what, { key, operation }) {
  const name = normalizeKey(key);
  return Object.assign(
    new Error(
      `[electron-async-storage] ${what} of key ${JSON.stringify(name)} is asynchronous, and ${operation} cannot wait for it. Use the Promise form, or make it synchronous.`,
    ),
    { code: "EAS_SYNC_UNSUPPORTED", operation, key: name },
  );
}

// Goes on with what may be a Promise; a Sync call cannot.
function next(result, what, place, goOn) {
  if (!isThenable(result)) return goOn(result);
  if (place.isSync) {
    result.then(ignore, ignore);
    throw needsPromise(what, place);
  }
  const settled = Promise.resolve(result).then(goOn);
  // Its caller hears of it, unless another part of the same call has failed before.
  settled.catch(ignore);
  return settled;
}

export function validation(rules) {
  const { onInvalid, schemaOf, defaultOf } = rules;

  function replacement(value, issues, place) {
    if (typeof onInvalid === "function") {
      const given = onInvalid(value, issues, normalizeKey(place.key));
      return next(given, "What `onInvalid` gives for the value", place, (own) => own ?? null);
    }
    if (onInvalid === "keep") return value;
    if (onInvalid === "default") return defaultOf(place.key) ?? null;
    throw failure("What is stored", place, issues);
  }

  return {
    /** Whether a value may be written: throws, or gives a Promise where the schema does. */
    check(value, place) {
      const schema = value === undefined ? undefined : schemaOf(place.key);
      if (schema === undefined) return undefined;
      return next(schema["~standard"].validate(value), "The schema", place, ({ issues }) => {
        if (issues) throw failure("The value", place, issues);
      });
    },
    /** What a read gives for a stored value; undefined, for none, stays. May be a Promise. */
    output(value, place) {
      const schema = value === undefined ? undefined : schemaOf(place.key);
      if (schema === undefined) return value;
      return next(schema["~standard"].validate(value), "The schema", place, (result) =>
        result.issues ? replacement(value, result.issues, place) : (result.value ?? null),
      );
    },
  };
}
