// Finds the place at which a text stops being JSON (RFC 8259). JSON.parse() decides whether it is
// JSON, but browsers name the place in different ways, or not at all.

const BLANKS = /[ \t\n\r]*/y;
const TOKEN =
  /[{}[\],:]|"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * The words for each state, which say what can come next. "item" follows “[”, "member" follows
 * “{”, and "name" follows the comma of an object.
 */
const names = {
  value: 'a value',
  item: 'a value or “]”',
  member: 'a name in double quotes or “}”',
  name: 'a name in double quotes',
  colon: '“:”',
  next: '“,” or the end of the list or object',
  end: 'the end of the text',
};

/** @typedef {keyof typeof names} State */

/**
 * The state after a token, or null if it must not come. `open` has the brackets that are open.
 *
 * @param {State} state
 * @param {string} token
 * @param {string[]} open
 * @returns {State | null}
 */
function after(state, token, open) {
  const isClosing =
    (token === '}' && open.at(-1) === '{' && ['member', 'next'].includes(state)) ||
    (token === ']' && open.at(-1) === '[' && ['item', 'next'].includes(state));
  if (isClosing) open.pop();
  if (isClosing) return open.length > 0 ? 'next' : 'end';
  if (state === 'colon') return token === ':' ? 'value' : null;
  if (state === 'next' && token === ',') return open.at(-1) === '{' ? 'name' : 'value';
  if (state === 'member' || state === 'name') return token.startsWith('"') ? 'colon' : null;
  if ((state !== 'value' && state !== 'item') || /^[}\],:]/.test(token)) return null;
  if (token !== '{' && token !== '[') return open.length > 0 ? 'next' : 'end';
  open.push(token);
  return token === '{' ? 'member' : 'item';
}

/**
 * @param {RegExp} pattern
 * @param {string} text
 * @param {number} at
 */
function match(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

/**
 * The first fault of a text that is not JSON: its offset, and what is wrong there.
 *
 * @param {string} text
 */
function find(text) {
  /** @type {State} */
  let state = 'value';
  /** @type {string[]} */
  const open = [];
  for (let at = 0; ;) {
    at += match(BLANKS, text, at).length;
    const token = match(TOKEN, text, at);
    /** @type {State | null} */
    const next = token ? after(state, token, open) : null;
    if (!next) {
      const isText = text[at] === '"' && !token;
      return {
        at,
        what: isText
          ? 'the text in quotes does not end, or has a line break or an unknown escape'
          : `expected ${names[state]}`,
      };
    }
    state = next;
    at += token.length;
  }
}

/**
 * Describes the fault of the text, as in "line 2, column 5: expected a value". Returns null if it
 * is JSON. Columns count characters from 1.
 *
 * @param {string} text
 */
export function jsonFault(text) {
  try {
    JSON.parse(text);
    return null;
  } catch {
    const { at, what } = find(text);
    const lines = text.slice(0, at).split('\n');
    return `line ${lines.length}, column ${[...(lines.at(-1) ?? '')].length + 1}: ${what}`;
  }
}
