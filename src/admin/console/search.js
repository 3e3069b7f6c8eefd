// Searching lines: Enter goes on to the next one, Shift+Enter back.
import { h, show } from './dom.js';

/** For the lines in place. Whoever adds one has it marked; hears of it when somebody begins to search. */
export function lineSearch(place, whenUsed) {
  const field = h('input', { type: 'search', placeholder: 'Search the output', 'aria-label': 'Search the output' });
  const told = h('span', { class: 'soft', role: 'status' });
  let current = null;

  function mark(line) {
    const words = field.value.toLowerCase();
    line.classList.toggle('hit', words !== '' && line.lastChild.textContent.toLowerCase().includes(words));
  }

  function go(step) {
    const hits = [...place.querySelectorAll('.hit')], last = hits.indexOf(current);
    const at = last === -1 && step < 0 ? hits.length - 1 : (last + step + hits.length) % hits.length;
    current?.classList.remove('current');
    current = hits[at] ?? null;
    current?.classList.add('current');
    current?.scrollIntoView({ block: 'nearest' });
    show(told, field.value && (current ? `match ${at + 1} of ${hits.length}` : 'no match'));
  }

  field.addEventListener('input', () => {
    for (const line of place.children) mark(line);
    if (field.value) whenUsed();
    current?.classList.remove('current');
    current = null;
    go(1);
  });
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    go(event.shiftKey ? -1 : 1);
  });
  return { field, told, mark };
}
