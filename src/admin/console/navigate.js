// Moves from page to page without reloading the console, and asks before unsaved text is lost.
// app.js opens the page that belongs to an address. Everything else calls go() or is a link.
import { byId, show } from './dom.js';
import { confirm } from './widgets.js';

let openPage = () => {};
/** The address of the open page. The browser changes its own address before `popstate`. */
let openAddress = '';

/** Whether the page has an editor with text that was not applied (editor.js marks it). */
export const isUnsaved = () => document.querySelector('[data-unsaved]') !== null;

async function mayLeave() {
  if (!isUnsaved()) return true;
  return confirm('Leave without applying?', 'The text that you entered will be lost.', 'Leave');
}

/** Opens the page that belongs to the browser's address. */
export function openHere() {
  openAddress = location.pathname + location.search;
  openPage();
}

/**
 * Opens the page at `path`, scrolled to its top, unless the user chooses to stay.
 *
 * @param {string} path
 */
export async function go(path) {
  if (!(await mayLeave())) return;
  history.pushState(null, '', path);
  openHere();
  byId('main').focus({ preventScroll: true });
  scrollTo(0, 0);
}

/**
 * Handles a plain click on a link within the console. The browser handles all other clicks.
 *
 * @param {MouseEvent} event
 */
function whenClicked(event) {
  const anchor = event.target instanceof Element && event.target.closest('a[href]');
  if (!anchor) return;
  const href = anchor.getAttribute('href');
  const isPlain =
    !event.defaultPrevented &&
    event.button === 0 &&
    !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!href || !isPlain) return;
  if (!href.startsWith('/') || href.startsWith('/api/') || anchor.hasAttribute('download')) return;
  event.preventDefault();
  show(byId('said')); // removes the messages of the page before
  go(href);
}

/** Handles Back and Forward: the browser has already changed its address. */
async function whenMoved() {
  if (!isUnsaved()) return openHere();
  history.pushState(null, '', openAddress);
  if (!(await mayLeave())) return;
  for (const editor of document.querySelectorAll('[data-unsaved]'))
    editor.removeAttribute('data-unsaved');
  history.back();
}

/**
 * Starts handling links, Back and Forward. `open` opens the page that belongs to the address.
 *
 * @param {() => void} open
 */
export function startNavigation(open) {
  openPage = open;
  document.addEventListener('click', whenClicked);
  addEventListener('popstate', whenMoved);
  addEventListener('beforeunload', (event) => {
    if (isUnsaved()) event.preventDefault();
  });
}
