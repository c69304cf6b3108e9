// What a key may hold after its writer was killed, judged from what the writer reported.

/** The text of a value; it follows from the number of the write, so that a part of it shows. */
export function bodyOf(key, number, size) {
  const unit = `${key}#${number};`;
  return unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
}

export function selfProving(key, number, size) {
  return { key, number, size, body: bodyOf(key, number, size) };
}

/** What is wrong with a value that a key holds, by itself; empty for a whole one. */
export function faultIn(key, value) {
  if (typeof value !== "object" || value === null) return `is ${JSON.stringify(value)}`;
  if (value.key !== key) return `is the value of ${JSON.stringify(value.key)}`;
  if (value.body !== bodyOf(key, value.number, value.size)) {
    return `is part of write ${value.number}: ${value.body?.length} of ${value.size} characters`;
  }
  return "";
}

/** The writes of one base, in the order in which they were begun; those of one key never overlap. */
export class History {
  /** By key: what it held at first, each write that was begun, and the last one that has to last. */
  #keys = new Map();

  #of(key) {
    let state = this.#keys.get(key);
    if (!state) {
      state = { begun: new Map([[0, "remove"]]), lasting: 0 };
      this.#keys.set(key, state);
    }
    return state;
  }

  /** A write was begun; `kind` is `"set"` or `"remove"`. Numbers of a key grow. */
  begin(key, number, kind) {
    this.#of(key).begun.set(number, kind);
  }

  /** From now on nothing older than this write may be seen. */
  mustLast(key, number) {
    const state = this.#of(key);
    state.lasting = Math.max(state.lasting, number);
  }

  get keys() {
    return [...this.#keys.keys()];
  }

  /** How many writes were under way, or done without having to last. */
  get open() {
    let count = 0;
    for (const { begun, lasting } of this.#keys.values()) {
      for (const number of begun.keys()) if (number > lasting) count += 1;
    }
    return count;
  }

  /** What is wrong with what was found; empty when nothing is. It is then what the key holds. */
  judge(key, value) {
    const { begun, lasting } = this.#of(key);
    if (value === null) {
      const removals = [...begun].filter(
        ([number, kind]) => kind === "remove" && number >= lasting,
      );
      if (removals.length === 0) return `${key} is gone; write ${lasting} was reported done`;
      this.#keys.set(key, { begun: new Map([[removals[0][0], "remove"]]), lasting });
      return "";
    }
    const fault = faultIn(key, value);
    if (fault) return `${key} ${fault}`;
    if (begun.get(value.number) !== "set") return `${key} holds write ${value.number}, never begun`;
    if (value.number < lasting) {
      return `${key} holds write ${value.number}; write ${lasting} was reported done`;
    }
    this.#keys.set(key, {
      begun: new Map([[value.number, "set"]]),
      lasting: value.number,
    });
    return "";
  }
}
