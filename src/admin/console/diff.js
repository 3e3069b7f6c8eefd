// Compares two texts line by line. definition.js calls this.
import { h } from './dom.js';
import { scrollable } from './widgets.js';

/** @typedef {[' ' | '-' | '+', string]} Line */

/**
 * The largest table of middle(), in cells. Beyond it, all lines between the common head and tail
 * count as replaced.
 */
const MOST_CELLS = 4e6;

/** @type {(lines: string[]) => Line[]} */
const same = (lines) => lines.map((line) => [' ', line]);
/** @type {(lines: string[]) => Line[]} */
const removed = (lines) => lines.map((line) => ['-', line]);
/** @type {(lines: string[]) => Line[]} */
const added = (lines) => lines.map((line) => ['+', line]);

/**
 * Compares the lines between the common head and tail, by their longest common subsequence.
 *
 * @param {string[]} before
 * @param {string[]} after
 */
function middle(before, after) {
  if (before.length * after.length > MOST_CELLS) return [...removed(before), ...added(after)];
  const width = after.length + 1;
  const longest = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      longest[i * width + j] =
        before[i] === after[j]
          ? longest[(i + 1) * width + j + 1] + 1
          : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
  /** @type {Line[]} */
  const lines = [];
  let i = 0;
  let j = 0;
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      lines.push([' ', before[i++]]);
      j++;
    } else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
      lines.push(['-', before[i++]]);
    } else {
      lines.push(['+', after[j++]]);
    }
  }
  return [...lines, ...removed(before.slice(i)), ...added(after.slice(j))];
}

/**
 * Returns the lines of both texts in order, each marked as unchanged, removed or added.
 *
 * @param {string} before
 * @param {string} after
 */
export function diff(before, after) {
  const a = before.split('\n');
  const b = after.split('\n');
  let head = 0;
  let tail = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  const most = Math.min(a.length, b.length) - head;
  while (tail < most && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  return [
    ...same(a.slice(0, head)),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...same(a.slice(a.length - tail)),
  ];
}

const names = { '-': 'removed', '+': 'added', ' ': null };

/**
 * @param {string} before
 * @param {string} after
 */
export function diffView(before, after) {
  const lines = diff(before, after);
  if (lines.every(([kind]) => kind === ' '))
    return h('p', { class: 'soft' }, 'The two versions are identical.');
  return scrollable(
    h(
      'pre',
      { class: 'block diff' },
      lines.map(([kind, line]) => h('span', { class: names[kind] }, `${kind} ${line}`)),
    ),
    'Differences',
  );
}
