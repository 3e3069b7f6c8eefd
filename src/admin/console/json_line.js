// Finds the line of a member or an element of a JSON text.

const TOKEN = /[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/g;

/**
 * A bracket that is open: `step` is the name or the index of what is being read in it.
 *
 * @typedef {{isList: boolean, step: string | number, expectsName: boolean}} Frame
 */

/**
 * Returns the line, from 1, of what a path names, as in `vessel_overrides[0].name`, or of the
 * nearest that there is around it. The text must be JSON.
 *
 * @param {string} text
 * @param {string} path
 */
export function jsonLine(text, path) {
  const wanted = path.split(/[.[\]]+/).filter(Boolean);
  /** @type {Frame[]} */
  const open = [];
  let depth = 0;
  let offset = 0;

  /** @param {number} at */
  function note(at) {
    const isOnPath = open.every(({ step }, i) => String(step) === wanted[i]);
    if (!isOnPath || open.length <= depth) return;
    depth = open.length;
    offset = at;
  }

  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const top = open.at(-1);
    if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ',' && top) {
      if (top.isList) top.step = Number(top.step) + 1;
      top.expectsName = !top.isList;
    } else if (top?.expectsName) {
      top.step = JSON.parse(token);
      top.expectsName = false;
      note(index);
    } else if (token !== ':') {
      if (top?.isList) note(index);
      const isList = token === '[';
      if (isList || token === '{')
        open.push({ isList, step: isList ? 0 : '', expectsName: !isList });
    }
  }
  return text.slice(0, offset).split('\n').length;
}
