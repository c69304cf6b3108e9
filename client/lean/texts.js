// JSON texts of strings and property names, none of which is kept. In the place of src/js/codec/texts.js.

export const quote = JSON.stringify;

/** A name as the first, or a later, of its object. */
export const textsOfName = (name) => ({ first: `{${quote(name)}:`, next: `,${quote(name)}:` });
