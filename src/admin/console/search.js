// The search field of the output: Enter goes to the next match, Shift+Enter to the previous one.
import { h, show } from './dom.js';

/** @import { Lines } from './lines.js' */

/**
 * `whenUsed` runs whenever the search text changes, unless it is empty.
 *
 * @param {Lines} lines
 * @param {() => void} whenUsed
 */
export function lineSearch(lines, whenUsed) {
  const field = h('input', {
    type: 'search',
    placeholder: 'Search the output',
    'aria-label': 'Search the output',
  });
  const told = h('span', { class: 'soft', role: 'status' });

  function matches() {
    const at = lines.hits.indexOf(lines.current);
    const all = lines.hits.length;
    if (at >= 0) return `match ${at + 1} of ${all}`;
    if (all === 0) return 'no matches';
    return all === 1 ? '1 match' : `${all} matches`;
  }

  const tell = () => show(told, field.value && matches());

  /** @param {number} by */
  function step(by) {
    const { hits } = lines;
    const last = hits.indexOf(lines.current);
    const at = last === -1 && by < 0 ? hits.length - 1 : (last + by + hits.length) % hits.length;
    if (hits.length > 0) lines.goTo(hits[at]);
    tell();
  }

  field.addEventListener('input', () => {
    lines.look(field.value);
    if (field.value) whenUsed();
    step(1);
  });
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    step(event.shiftKey ? -1 : 1);
  });
  return { field, told, tell };
}
