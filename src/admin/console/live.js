// News of runs. One stream for the whole page, while somebody listens; it comes back by itself and catches up.
import { address, get } from './api.js';
import { h, show } from './dom.js';
import { clockNow } from './format.js';

const RETRY_MS = 3000;
const AWAY_MS = 2000; /* less is no news: a restart, a network that changes */
const listeners = new Set();
let source = null,
  timer = 0,
  awayTimer = 0;

function tell(change) {
  for (const listener of listeners) listener(change);
}

/** Whoever looks at a page that stands still is told that it does, and since when; until it is found() again. */
export function lost() {
  if (awayTimer) return;
  const since = clockNow();
  awayTimer = setTimeout(
    () =>
      show(
        document.getElementById('away'),
        h(
          'p',
          null,
          `No news from webhookd since ${since}: this page may be out of date. It catches up by itself.`,
        ),
      ),
    AWAY_MS,
  );
}

export function found() {
  clearTimeout(awayTimer);
  awayTimer = 0;
  show(document.getElementById('away'));
}

function close() {
  source?.close();
  source = null;
  clearTimeout(timer);
}

/** An answer that is none ends it for good, which a lost connection does not: is somebody still signed in, and is webhookd there again? */
async function reopen() {
  close();
  await get('/session').catch(() => {}); /* 401 leads to the page to sign in on */
  if (listeners.size > 0 && !source) timer = setTimeout(open, RETRY_MS);
}

/* A browser opens six connections to a host, for all its tabs together: one that nobody looks at holds none. */
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) return open();
  close();
  found();
});

function open() {
  if (source || listeners.size === 0 || document.hidden) return;
  source = new EventSource(address('/events'));
  source.addEventListener('run', (event) => tell(JSON.parse(event.data)));
  source.addEventListener('missed', () => tell(null));
  source.addEventListener('open', () => {
    found();
    tell(null);
  }); /* what came between the page and the stream */
  source.addEventListener('error', () => {
    lost();
    if (source?.readyState === EventSource.CLOSED) reopen();
  });
}

/** Calls back with {run_id, fleet_id, status, at}, or with null: look at everything anew. Returns what ends it. */
export function watchRuns(listener) {
  listeners.add(listener);
  open();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    close();
    found();
  };
}

/** Gathers calls for a moment: many changes are one look, and there is one look at a time. */
export function gather(callback, ms = 250) {
  let waits = false,
    isWanted = false;
  return function wanted() {
    if (waits) {
      isWanted = true;
      return;
    }
    waits = true;
    setTimeout(async () => {
      isWanted = false;
      await Promise.resolve(callback()).catch(() => {});
      waits = false;
      if (isWanted) wanted();
    }, ms);
  };
}
