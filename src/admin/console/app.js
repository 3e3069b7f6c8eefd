// The entry point, which index.html loads: opens the page that belongs to the address, and shows
// the sign-in form if there is no session.
import { get, hasStatus, isAway, messageOf, remove, whenSignedOut } from './api.js';
import { credentialPage } from './credential.js';
import { credentialsPage } from './credentials.js';
import { byId, h, say, set, show } from './dom.js';
import { fleetPage } from './fleet.js';
import { fleetsPage } from './fleets.js';
import { keysPage } from './keys.js';
import { found, lost, startPage } from './live.js';
import { stopWatchingMachine, watchMachine } from './machine.js';
import { isUnsaved, openHere, startNavigation } from './navigate.js';
import { newFleetPage } from './new_fleet.js';
import { runPage } from './run.js';
import { runsPage } from './runs.js';
import { signInAgain, signInPage } from './sign_in.js';
import { vesselPage } from './vessel.js';
import { link, problem } from './widgets.js';

/** @import { Child, Page } from './types.d.ts' */

/** @type {[RegExp, (main: Element, page: Page) => Promise<void>][]} */
const routes = [
  [/^\/$/, fleetsPage],
  [/^\/runs$/, runsPage],
  [/^\/credentials$/, credentialsPage],
  [/^\/credentials\/([^/]+)\/([A-Z][A-Z0-9_]*\.[A-Z][A-Z0-9_]*)$/, credentialPage],
  [/^\/keys(?:\/(audit))?$/, keysPage],
  [/^\/fleets\/new$/, newFleetPage],
  [/^\/fleets\/([^/]+)(?:\/(triggers|definition))?$/, fleetPage],
  [/^\/runs\/([^/]+)\/vessels\/([^/]+)$/, vesselPage],
  [/^\/runs\/([^/]+)(?:\/(parameters))?$/, runPage],
];

const RETRY_MS = 2000;
const main = byId('main');
const top = byId('top');

/* ---- pages ---- */

let leave = () => {};
/** The number of pages opened so far. A page with a smaller number is no longer open. */
let turn = 0;

const allFleets = () => h('p', null, link('/', 'All fleets'));

/**
 * Leaves the open page and returns the Page that the next one gets.
 *
 * @param {string[]} parts
 */
function begin(parts) {
  const mine = ++turn;
  /** @type {(() => void)[]} */
  const ends = [];
  leave();
  startPage();
  leave = () => ends.forEach((end) => end());
  return {
    parts,
    isOpen: () => mine === turn,
    /** @param {() => void} end */
    onLeave(end) {
      if (mine === turn) ends.push(end);
      else end();
    },
  };
}

/**
 * Marks the part of the console that the page belongs to.
 *
 * @param {string} path
 */
function markPart(path) {
  const [, part] = path.split('/');
  for (const anchor of top.querySelectorAll('a:not(.brand)')) {
    const isHere = (anchor.getAttribute('href')?.slice(1) || 'fleets') === (part || 'fleets');
    set(anchor, { 'aria-current': isHere && 'page' });
  }
}

/**
 * The page in the place of one that does not exist or cannot be shown.
 *
 * @param {string} title
 * @param {...Child} children
 */
function showInstead(title, ...children) {
  document.title = `${title} · webhookd`;
  show(main, h('h1', null, title), ...children, allFleets());
}

/** @param {unknown} error */
function showProblem(error) {
  const title = hasStatus(error, 404) ? 'Page not found' : 'The page could not be loaded';
  showInstead(title, problem(error));
}

/** Opens the page that belongs to the address. Resolves to whether it did. */
async function open() {
  const path = location.pathname.replace(/(.)\/+$/, '$1');
  markPart(path);
  const [pattern, openPage] = routes.find((route) => route[0].test(path)) ?? [];
  const page = begin(pattern?.exec(path)?.slice(1) ?? []);
  if (!openPage) {
    showInstead('Page not found');
    return true;
  }
  const before = { title: document.title, nodes: [...main.childNodes] };
  try {
    await openPage(main, page);
    return page.isOpen();
  } catch (error) {
    if (!page.isOpen() || hasStatus(error, 401)) return false;
    if (isAway(error)) keepAndRetry(before, page);
    else showProblem(error);
    return false;
  }
}

/**
 * Shows the page before again, and opens the wanted one when webhookd is back.
 *
 * @param {{title: string, nodes: Node[]}} before
 * @param {Page} page
 */
function keepAndRetry({ title, nodes }, page) {
  document.title = title;
  show(main, nodes);
  lost('The page that you asked for opens when the connection returns.', 0);
  const timer = setInterval(async () => {
    const isBack = await get('/session').then(
      () => true,
      (error) => !isAway(error),
    );
    if (isBack && page.isOpen()) openHere();
  }, RETRY_MS);
  page.onLeave(() => {
    clearInterval(timer);
    found();
  });
}

/** @param {string} keyName */
function showHeader(keyName) {
  watchMachine();
  show(
    top,
    h(
      'div',
      null,
      h('a', { class: 'brand', href: '/' }, 'webhookd'),
      link('/', 'Fleets'),
      link('/runs', 'Runs'),
      link('/credentials', 'Credentials'),
      link('/keys', 'Keys'),
      h(
        'span',
        { class: 'who' },
        h('span', { class: 'soft clip hide-narrow', title: keyName }, keyName),
        h('button', { type: 'button', onclick: signOut }, 'Sign out'),
      ),
    ),
  );
}

/* ---- the session ---- */

const otherTabs = new BroadcastChannel('webhookd');
const tellOtherTabs = () => otherTabs.postMessage('signed in');
let isOut = false;
/**
 * Closes the sign-in dialog. null unless that dialog is open.
 *
 * @type {((keyName: string) => void) | null}
 */
let closeDialog = null;

async function signOut() {
  try {
    await remove('/session');
  } catch (error) {
    if (!hasStatus(error, 401)) return say(messageOf(error), 'error');
  }
  otherTabs.postMessage('signed out');
  askToSignIn();
}

/** @param {string} keyName */
function whenSignedIn(keyName) {
  isOut = false;
  showHeader(keyName);
  openHere();
}

/** Asks for a key in a dialog. The unsaved text behind it is kept. */
async function askInDialog() {
  const keyName = await signInAgain(tellOtherTabs, (close) => {
    closeDialog = close;
  });
  closeDialog = null;
  if (!keyName) return;
  if (!isUnsaved()) return whenSignedIn(keyName);
  isOut = false;
  showHeader(keyName);
}

function askToSignIn() {
  isOut = true;
  if (closeDialog) return;
  if (isUnsaved()) {
    askInDialog();
    return;
  }
  begin([]);
  stopWatchingMachine();
  show(top);
  show(byId('said'));
  signInPage(main, (keyName) => {
    tellOtherTabs();
    whenSignedIn(keyName);
  });
}

otherTabs.addEventListener('message', async ({ data }) => {
  if (data === 'signed out') return askToSignIn();
  const session = isOut && (await get('/session').catch(() => null));
  if (session) (closeDialog ?? whenSignedIn)(session.key_name);
});

whenSignedOut(askToSignIn);
startNavigation(open);

async function begins() {
  try {
    const session = await get('/session');
    found();
    whenSignedIn(session.key_name);
  } catch (error) {
    if (hasStatus(error, 401)) return askToSignIn();
    if (!isAway(error)) return showProblem(error);
    show(main, h('h1', null, 'webhookd'));
    lost('The console opens when the connection returns.', 0);
    setTimeout(begins, RETRY_MS);
  }
}
begins();
