// Runs the rows of the goals and says how each came out.

import { Missing } from "./missing.mjs";
import { digits } from "./table.mjs";

export async function measureRow(row, budget) {
  try {
    const result = await row.measure(budget);
    const value = row.absolute ? result.ours : result.ratio;
    const reached = row.absolute ? value <= row.goal : value >= row.goal;
    if (row.goal === undefined) return { ...row, result, value, state: "reported" };
    return { ...row, result, value, state: reached ? "reached" : "missed" };
  } catch (error) {
    if (error instanceof Missing) return { ...row, state: "missing", detail: error.message };
    return { ...row, state: "broken", detail: error.stack ?? String(error) };
  }
}

const MARKS = { reached: "✓", missed: "✗", reported: "–", missing: "missing", broken: "BROKEN" };

const HEAD = ["operation", "against", "goal", "ratio", "middle half", "ours", "theirs", "mark"];
export const NUMBER_COLUMNS = [2, 3, 4, 5, 6];

export const goalText = ({ absolute, goal, unit }) =>
  goal === undefined ? "–" : absolute ? `≤ ${goal} ${unit}` : `${goal}`;

export function valueText({ absolute, value, unit }) {
  if (value === undefined) return "–";
  return absolute ? `${digits(value)} ${unit}` : digits(value);
}

function cells(row) {
  const { ours, peer, peerFailure, unit, spread } = row.result ?? {};
  const amount = (number) => (number === undefined ? "–" : `${digits(number)} ${unit}`);
  return [
    row.operation,
    row.against,
    goalText(row),
    valueText(row),
    spread ? spread.map(digits).join("–") : "–",
    amount(ours),
    peerFailure ? `fails: ${peerFailure}` : amount(peer),
    MARKS[row.state],
  ];
}

export const goalRows = (rows) => [HEAD, ...rows.map(cells)];

export const summary = (rows) => {
  const count = (state) => rows.filter((row) => row.state === state).length;
  const withGoal = rows.filter(({ goal }) => goal !== undefined).length;
  const parts = [`${count("reached")} of ${withGoal} goals reached`];
  for (const state of ["missing", "broken"]) {
    if (count(state) > 0) parts.push(`${count(state)} ${state}`);
  }
  return parts.join(", ");
};
