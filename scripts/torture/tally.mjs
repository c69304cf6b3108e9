// What counters may hold after all, judged from the logs of those that counted.

/** The steps of all actors, by key. */
export class Tally {
  #keys = new Map();
  /** What the logs call a loss. */
  losses = [];
  /** By reason, how many steps found another one before them. */
  refusals = new Map();

  #of(key) {
    let steps = this.#keys.get(key);
    if (!steps) {
      steps = { begun: 0, refused: 0, values: new Set() };
      this.#keys.set(key, steps);
    }
    return steps;
  }

  /** Takes in the log of one actor. A last line that a kill cut off is none. */
  add(text) {
    for (const line of text.split("\n").slice(0, -1)) {
      const [what, key, value] = line.split(" ");
      if (what === "begin") this.#of(key).begun += 1;
      else if (what === "done") this.#done(key, Number(value));
      else if (what === "refused") {
        this.#of(key).refused += 1;
        this.refusals.set(value, (this.refusals.get(value) ?? 0) + 1);
      } else if (what === "loss") this.losses.push(line.slice("loss ".length));
    }
  }

  #done(key, value) {
    const { values } = this.#of(key);
    if (values.has(value)) this.losses.push(`${key} was made ${value} twice: an update is lost`);
    values.add(value);
  }

  get keys() {
    return [...this.#keys.keys()];
  }

  /** How many steps were reported done. */
  get done() {
    return [...this.#keys.values()].reduce((sum, { values }) => sum + values.size, 0);
  }

  /** What is wrong with the value of a counter; empty when nothing is. */
  judge(key, value) {
    const { begun, refused, values } = this.#of(key);
    const is = value ?? 0;
    const most = begun - refused;
    if (is >= values.size && is <= most) return "";
    return `${key} is ${value}: ${values.size} were reported done, ${most} may have been made`;
  }
}
