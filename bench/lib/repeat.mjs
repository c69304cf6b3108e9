/**
 * A function that evaluates `expression` as often as it is told. The expression sees `subject`, all
 * `keys` and `values`, and the `key` and `value` of its turn, which go round. The last result is
 * returned, so that no engine may leave the work out.
 *
 * Each call compiles a function of its own: closures of one source share V8's call feedback, and the
 * second side of a pair would run with what V8 learnt from the first.
 */
export const repeat = (expression, { subject, keys = [""], values = [undefined] }) =>
  compileRepeat(expression)(subject, keys, values);

/** The functions of `repeat` for one subject after the other. */
export function compileRepeat(expression) {
  const body = `"use strict";
    let at = 0;
    return ${/\bawait\b/.test(expression) ? "async " : ""}(count) => {
      let result;
      for (let i = 0; i < count; i++) {
        const key = keys[at];
        const value = values[at % values.length];
        at = at + 1 === keys.length ? 0 : at + 1;
        result = ${expression};
      }
      return result;
    };`;
  return new Function("subject", "keys", "values", body);
}
