// Live changes of runs: one stream for the whole page, open while there are listeners. It begins
// after the first answer that the page has read, so nothing is missed and nothing is read twice. A
// lost stream is reopened and continues where it was.
import { address, checkSession, whenAnswered } from './api.js';
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
/** The id of the last event that the page knows of; "" if it has read nothing yet. */
let position = '';

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

/** @param {string} id as webhookd numbers its events: the start of webhookd, and a number */
const numberOf = (id) => Number(id.split('-')[1]);

/** Forgets what the page before has read: the next answer begins a new page. */
export function startPage() {
  if (!source) position = '';
}

// The earliest answer of a page counts: another one may have been on its way for longer.
whenAnswered((id) => {
  if (!source && (!position || numberOf(id) < numberOf(position))) position = id;
});

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
  await checkSession();
  if (listeners.size > 0 && !source) timer = setTimeout(open, RETRY_MS);
}

function open() {
  if (source || listeners.size === 0 || document.hidden) return;
  const after = position ? `?after=${encodeURIComponent(position)}` : '';
  source = new EventSource(address(`/events${after}`));
  source.addEventListener('run', (event) => {
    position = event.lastEventId;
    tell(JSON.parse(event.data));
  });
  source.addEventListener('missed', (event) => {
    position = event.lastEventId;
    tell(null);
  });
  source.addEventListener('open', found);
  source.addEventListener('error', () => {
    lost();
    if (source?.readyState === EventSource.CLOSED) reopen();
    else checkSession(); // EventSource itself waits before it tries again
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
 * Returns a function that requests a call of `callback`. Many requests within `ms` cause one call.
 * Calls begin at least `everyMs` apart, and `callback` never runs twice at the same time.
 *
 * @param {() => unknown} callback
 * @param {number} [ms]
 * @param {number} [everyMs]
 */
export function gather(callback, ms = GATHER_MS, everyMs = ms) {
  let isWaiting = false;
  let isWanted = false;
  let calledAt = -Infinity;

  async function run() {
    isWanted = false;
    calledAt = performance.now();
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
    setTimeout(run, Math.max(ms, calledAt + everyMs - performance.now()));
  }
  return wanted;
}
