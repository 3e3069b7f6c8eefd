// What changed between two texts, line by line.
import { h } from './dom.js';

const MOST_CELLS = 4e6; /* of the table; beyond it the middle is shown as replaced */

/** [' ' | '-' | '+', line] in order. */
export function diff(before, after) {
  const a = before.split('\n'),
    b = after.split('\n');
  let head = 0,
    tail = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  )
    tail++;
  const x = a.slice(head, a.length - tail),
    y = b.slice(head, b.length - tail);
  return [
    ...a.slice(0, head).map((line) => [' ', line]),
    ...middle(x, y),
    ...a.slice(a.length - tail).map((line) => [' ', line]),
  ];
}

/** By the longest common subsequence. */
function middle(x, y) {
  if (x.length * y.length > MOST_CELLS)
    return [...x.map((line) => ['-', line]), ...y.map((line) => ['+', line])];
  const width = y.length + 1,
    longest = new Uint32Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i--)
    for (let j = y.length - 1; j >= 0; j--)
      longest[i * width + j] =
        x[i] === y[j]
          ? longest[(i + 1) * width + j + 1] + 1
          : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
  const lines = [];
  let i = 0,
    j = 0;
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      lines.push([' ', x[i++]]);
      j++;
    } else if (
      i < x.length &&
      (j === y.length || longest[(i + 1) * width + j] >= longest[i * width + j + 1])
    )
      lines.push(['-', x[i++]]);
    else lines.push(['+', y[j++]]);
  }
  return lines;
}

const names = { '-': 'removed', '+': 'added', ' ': null };

export function diffView(before, after) {
  const lines = diff(before, after);
  if (lines.every(([kind]) => kind === ' ')) return h('p', { class: 'soft' }, 'They are the same.');
  return h(
    'pre',
    { class: 'block diff', tabindex: '0', 'aria-label': 'Differences' },
    lines.map(([kind, line]) => h('span', { class: names[kind] }, `${kind} ${line}`)),
  );
}
