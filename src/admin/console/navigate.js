// Moves from page to page without reloading the console, and asks before unsaved text is lost.
// app.js opens the page that belongs to an address. Everything else calls go() or is a link.
import { byId, show } from './dom.js';
import { confirm } from './widgets.js';

/** @type {() => Promise<boolean>} */
let openPage = async () => false;
/** The address of the open page. The browser changes its own address before `popstate`. */
let openAddress = '';
/** A scroll position is kept when it has not changed for this time: browsers limit such changes. */
const SETTLED_MS = 150;

/** Whether the page has an editor with text that was not applied (editor.js marks it). */
export const isUnsaved = () => document.querySelector('[data-unsaved]') !== null;

async function mayLeave() {
  if (!isUnsaved()) return true;
  return confirm('Leave without applying?', 'The text that you entered will be lost.', 'Leave');
}

/* ---- what an entry of the browser's history keeps ---- */

/**
 * Remembers a value in the present entry of the history, for kept().
 *
 * @param {string} name
 * @param {unknown} value
 */
export const keep = (name, value) => history.replaceState({ ...history.state, [name]: value }, '');

/**
 * The value that keep() remembered when this entry of the history was last open, or undefined.
 *
 * @param {string} name
 */
export const kept = (name) => history.state?.[name];

/**
 * Changes the address of the open page without opening it again.
 *
 * @param {string} address
 */
export function rename(address) {
  history.replaceState(history.state, '', address);
  openAddress = location.pathname + location.search;
}

let keeping = 0;
/** Whether the page of this entry has been opened: until then, scrolling is not the reader's. */
let isShown = false;

function whenScrolled() {
  clearTimeout(keeping);
  if (!isShown) return;
  keeping = setTimeout(() => keep('scrollY', scrollY), SETTLED_MS);
}

/** Opens the page that belongs to the browser's address, scrolled to where the reader left it. */
export async function openHere() {
  const here = location.pathname + location.search;
  const top = kept('scrollY') ?? 0;
  clearTimeout(keeping);
  openAddress = here;
  isShown = false;
  const isOpen = await openPage();
  if (!isOpen || openAddress !== here) return;
  scrollTo(0, top);
  isShown = true;
}

/**
 * Opens the page at `path`, scrolled to its top, unless the user chooses to stay.
 *
 * @param {string} path
 */
export async function go(path) {
  if (!(await mayLeave())) return;
  clearTimeout(keeping);
  if (isShown) keep('scrollY', scrollY);
  history.pushState(null, '', path);
  byId('main').focus({ preventScroll: true });
  await openHere();
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
  if (location.pathname + location.search === openAddress) return; // only the part after # differs
  if (!isUnsaved()) return openHere();
  history.pushState(null, '', openAddress);
  if (!(await mayLeave())) return;
  for (const editor of document.querySelectorAll('[data-unsaved]'))
    editor.removeAttribute('data-unsaved');
  history.back();
}

/**
 * Starts handling links, Back and Forward. `open` opens the page that belongs to the address, and
 * resolves to whether it did.
 *
 * @param {() => Promise<boolean>} open
 */
export function startNavigation(open) {
  openPage = open;
  history.scrollRestoration = 'manual';
  addEventListener('scroll', whenScrolled, { passive: true });
  document.addEventListener('click', whenClicked);
  addEventListener('popstate', whenMoved);
  addEventListener('beforeunload', (event) => {
    if (isUnsaved()) event.preventDefault();
  });
}
