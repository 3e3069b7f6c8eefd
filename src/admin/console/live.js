// News of runs. One stream for the whole page, while somebody listens; it comes back by itself and catches up.
import { address } from './api.js';

const listeners = new Set();
let source = null;

function tell(change) {
  for (const listener of listeners) listener(change);
}

/** Calls back with {run_id, fleet_id, status, at}, or with null: look at everything anew. Returns what ends it. */
export function watchRuns(listener) {
  listeners.add(listener);
  if (!source) {
    source = new EventSource(address('/events'));
    source.addEventListener('run', (event) => tell(JSON.parse(event.data)));
    source.addEventListener('missed', () => tell(null));
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && source) {
      source.close();
      source = null;
    }
  };
}

/** Gathers calls for a moment: many changes are one look. */
export function gather(callback, ms = 250) {
  let timer = 0;
  return () => {
    if (!timer) timer = setTimeout(() => { timer = 0; callback(); }, ms);
  };
}
