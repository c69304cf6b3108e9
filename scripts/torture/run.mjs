// `npm run torture -- [--minutes N] [--rounds N] [--only a,b] [--seed S] [--from ROUND]`: makes the attacks
// in turn. What is drawn at random follows from the seed, which is printed.

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { attacks } from "./attacks.mjs";
import { Outcome, table } from "./outcome.mjs";

const { values: given } = parseArgs({
  options: {
    minutes: { type: "string" },
    rounds: { type: "string" },
    only: { type: "string" },
    seed: { type: "string" },
    from: { type: "string" },
  },
});

function wrong(message) {
  console.error(message);
  process.exit(2);
}

function numberOf(name, least) {
  if (given[name] === undefined) return undefined;
  const number = Number(given[name]);
  if (!(number >= least)) wrong(`--${name} ${given[name]}: expected a number of at least ${least}`);
  return number;
}

const rounds = numberOf("rounds", 1) ?? Number.POSITIVE_INFINITY;
const minutes = numberOf("minutes", 0.01) ?? (Number.isFinite(rounds) ? 60 : 2);
const from = numberOf("from", 0) ?? 0;
const seed = given.seed ?? randomBytes(6).toString("hex");
const names = given.only?.split(",") ?? attacks.map(({ name }) => name);
for (const name of names) {
  if (!attacks.some((attack) => attack.name === name)) {
    wrong(`--only ${name}: there is ${attacks.map((attack) => attack.name).join(", ")}`);
  }
}
const chosen = attacks.filter(({ name }) => names.includes(name));

console.log(
  `seed ${seed}; the same again: npm run torture -- --seed ${seed} --only ATTACK --from ROUND`,
);

const end = Date.now() + minutes * 60_000;
const outcomes = [];
for (const [index, attack] of chosen.entries()) {
  const outcome = new Outcome();
  const shares = chosen.slice(index).reduce((sum, { share = 1 }) => sum + share, 0);
  const now = Date.now();
  const task = {
    attack: attack.name,
    seed,
    from,
    // JSON has no Infinity, and children get their task as JSON.
    rounds: Math.min(rounds, Number.MAX_SAFE_INTEGER),
    deadlineMs: now + (Math.max(0, end - now) * (attack.share ?? 1)) / shares,
  };
  console.log(`\n=== ${attack.name}: ${attack.title}`);
  try {
    await attack.run(task, outcome);
    if (!outcome.skipped && outcome.rounds === 0) outcome.loss("not one round was finished");
  } catch (error) {
    outcome.loss(`the attack itself failed: ${error.stack}`);
  }
  for (const note of outcome.notes) console.log(note);
  for (const loss of outcome.losses) console.error(`LOSS ${loss}`);
  if (outcome.lossCount > outcome.losses.length) {
    console.error(`and ${outcome.lossCount - outcome.losses.length} more`);
  }
  const seconds = ((Date.now() - now) / 1000).toFixed(1);
  console.log(
    outcome.skipped ? `skipped: ${outcome.skipped}` : `${outcome.rounds} rounds, ${seconds} s`,
  );
  outcomes.push([attack.name, outcome]);
}

console.log(`\n${table(outcomes)}`);
const losses = outcomes.reduce((sum, [, { lossCount }]) => sum + lossCount, 0);
console.log(losses === 0 ? "\nNothing was lost." : `\n${losses} losses; seed ${seed}`);
if (losses > 0) process.exitCode = 1;
