// Going from page to page without loading the console anew, and the question before unsaved text is
// lost. app.js opens the page of an address. Everything else calls go(), or is a link.
import { byId, show } from './dom.js';
import { confirm } from './widgets.js';

let openPage = () => {};
/** Of the page that is open: the browser's own changes before `popstate`. */
let openAddress = '';

/** Whether the page has an editor with text that was not applied (editor.js marks it). */
export const isUnsaved = () => document.querySelector('[data-unsaved]') !== null;

async function mayLeave() {
  if (!isUnsaved()) return true;
  return confirm('Leave without applying?', 'What you have written here is lost then.', 'Leave');
}

/** Opens the page of the address that the browser shows. */
export function openHere() {
  openAddress = location.pathname + location.search;
  openPage();
}

/**
 * Opens the page of `path`, at its top, unless the reader decides to stay.
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
 * A plain click on a link within the console. All others are the browser's.
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
  show(byId('said')); // messages of the page before
  go(href);
}

/** Back and forward: the browser has changed its address already. */
async function whenMoved() {
  if (!isUnsaved()) return openHere();
  history.pushState(null, '', openAddress);
  if (!(await mayLeave())) return;
  for (const editor of document.querySelectorAll('[data-unsaved]'))
    editor.removeAttribute('data-unsaved');
  history.back();
}

/**
 * From now on `open` opens each page.
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
