// Live changes of runs: one stream for the whole page, open while there are listeners. A lost
// stream is reopened, and its listeners then catch up.
import { address, get } from './api.js';
import { byId, h, show } from './dom.js';
import { clockNow } from './format.js';

/** @import { RunChange } from './types.d.ts' */
/** @typedef {(change: RunChange | null) => void} Listener */

const RETRY_MS = 3000;
/** A shorter silence may just be a restart of webhookd or a change of network. */
const AWAY_MS = 2000;
const GATHER_MS = 250;

/** @type {Set<Listener>} */
const listeners = new Set();
/** @type {EventSource | null} */
let source = null;
let timer = 0;
let awayTimer = 0;

/** @type {Listener} */
function tell(change) {
  for (const listener of listeners) listener(change);
}

/**
 * Says that webhookd is away, since when, and what follows. found() removes that.
 *
 * @param {string} [follows]
 * @param {number} [ms] from now
 */
export function lost(
  follows = 'This page may be out of date; it updates when the connection returns.',
  ms = AWAY_MS,
) {
  if (awayTimer) return;
  const note = `No connection to webhookd since ${clockNow()}. ${follows}`;
  awayTimer = setTimeout(() => show(byId('away'), h('p', null, note)), ms);
}

export function found() {
  clearTimeout(awayTimer);
  awayTimer = 0;
  show(byId('away'));
}

function close() {
  source?.close();
  source = null;
  clearTimeout(timer);
}

/**
 * Opens the stream again after an answer that is not a stream. EventSource gives up after such an
 * answer, but not after a lost connection. Reads the session first: a 401 leads to signing in.
 */
async function reopen() {
  close();
  await get('/session').catch(() => {});
  if (listeners.size > 0 && !source) timer = setTimeout(open, RETRY_MS);
}

function open() {
  if (source || listeners.size === 0 || document.hidden) return;
  source = new EventSource(address('/events'));
  source.addEventListener('run', (event) => tell(JSON.parse(event.data)));
  source.addEventListener('missed', () => tell(null));
  source.addEventListener('open', () => {
    found();
    tell(null); // for what happened between the page and the stream
  });
  source.addEventListener('error', () => {
    lost();
    if (source?.readyState === EventSource.CLOSED) reopen();
  });
}

// A browser opens at most six connections to a host for all its tabs: a hidden tab must hold none.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) return open();
  close();
  found();
});

/**
 * Calls the listener with each change, or with null when it must read everything again. Returns the
 * function that ends this.
 *
 * @param {Listener} listener
 */
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

/**
 * Returns a function that requests a call of `callback`. Many requests within `ms` cause one call,
 * and `callback` never runs twice at the same time.
 *
 * @param {() => unknown} callback
 * @param {number} [ms]
 */
export function gather(callback, ms = GATHER_MS) {
  let isWaiting = false;
  let isWanted = false;

  async function run() {
    isWanted = false;
    try {
      await callback();
    } catch {
      // The next change tries again.
    }
    isWaiting = false;
    if (isWanted) wanted();
  }

  function wanted() {
    isWanted = isWaiting;
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(run, ms);
  }
  return wanted;
}
