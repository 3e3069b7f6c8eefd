// Searching lines: Enter goes on to the next one, Shift+Enter back.
import { h, show } from './dom.js';

/** For Lines; hears of it when somebody begins to search. */
export function lineSearch(lines, whenUsed) {
  const field = h('input', {
    type: 'search',
    placeholder: 'Search the output',
    'aria-label': 'Search the output',
  });
  const told = h('span', { class: 'soft', role: 'status' });

  function tell() {
    const at = lines.hits.indexOf(lines.current);
    const all = lines.hits.length;
    show(
      told,
      field.value &&
        (at >= 0
          ? `match ${at + 1} of ${all}`
          : all === 0
            ? 'no match'
            : all === 1
              ? '1 match'
              : `${all} matches`),
    );
  }

  function step(by) {
    const { hits } = lines,
      last = hits.indexOf(lines.current);
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
