// Finds the page of each address, opens it, and asks people to sign in. index.html loads it.
import { whenSignedOut, get, remove } from './api.js';
import { h, say, show } from './dom.js';
import { newFleetPage } from './definition.js';
import { fleetPage } from './fleet.js';
import { fleetsPage } from './fleets.js';
import { keysPage } from './keys.js';
import { isUnsaved, openHere, startNavigation } from './navigate.js';
import { runPage } from './run.js';
import { runsPage } from './runs.js';
import { signInAgain, signInPage } from './sign_in.js';
import { vesselPage } from './vessel.js';
import { problem } from './widgets.js';

const routes = [
  [/^\/$/, fleetsPage],
  [/^\/runs$/, runsPage],
  [/^\/keys(?:\/(audit))?$/, keysPage],
  [/^\/fleets\/new$/, newFleetPage],
  [/^\/fleets\/([^/]+)(?:\/(triggers|definition))?$/, fleetPage],
  [/^\/runs\/([^/]+)\/vessels\/([^/]+)$/, vesselPage],
  [/^\/runs\/([^/]+)(?:\/(parameters))?$/, runPage],
];

const otherTabs = new BroadcastChannel('webhookd');
const main = document.getElementById('main');
const top = document.getElementById('top');
let leave = () => {};
let turn = 0;

/**
 * Opens the page of the address. A page is a function of its element and of three things: the parts
 * of the path, whether the page is still open, and what to call when it is left.
 */
async function open() {
  const mine = ++turn;
  leave();
  leave = () => {};
  const path = location.pathname.replace(/(.)\/+$/, '$1');
  for (const [pattern, page] of routes) {
    const match = path.match(pattern);
    if (!match) continue;
    const ends = [];
    leave = () => ends.forEach((end) => end());
    try {
      await page(main, {
        onLeave: (end) => {
          if (mine === turn) ends.push(end);
          else end();
        },
        isOpen: () => mine === turn,
        parts: match.slice(1),
      });
    } catch (error) {
      if (mine !== turn || error.status === 401) return;
      document.title = 'webhookd';
      show(main, problem(error), h('p', null, h('a', { href: '/' }, 'All fleets')));
    }
    return;
  }
  document.title = 'No such page · webhookd';
  show(
    main,
    h('h1', null, 'There is no such page'),
    h('p', null, h('a', { href: '/' }, 'All fleets')),
  );
}

function frame(keyName) {
  show(
    top,
    h(
      'div',
      null,
      h('a', { class: 'brand', href: '/' }, 'webhookd'),
      h('a', { href: '/' }, 'Fleets'),
      h('a', { href: '/runs' }, 'Runs'),
      h('a', { href: '/keys' }, 'Keys'),
      h('span', { class: 'grow' }),
      h('span', { class: 'soft hide-narrow' }, keyName),
      h('button', { type: 'button', onclick: signOut }, 'Sign out'),
    ),
  );
}

async function signOut() {
  try {
    await remove('/session');
  } catch (error) {
    if (error.status !== 401) return say(error.message, 'error');
  }
  otherTabs.postMessage('signed out');
  askToSignIn();
}

let isOut = false;
/** Closes the dialog that asks for a key, while it is open. */
let closeDialog = null;
const tellOtherTabs = () => otherTabs.postMessage('signed in');

function signedIn(keyName) {
  isOut = false;
  frame(keyName);
  openHere();
}

otherTabs.addEventListener('message', async ({ data }) => {
  if (data === 'signed out') askToSignIn();
  else if (isOut)
    get('/session').then(
      (session) => (closeDialog ?? signedIn)(session.key_name),
      () => {},
    );
});

/** Over what is being written, which is still there afterwards. */
async function askInDialog() {
  const keyName = await signInAgain(tellOtherTabs, (close) => {
    closeDialog = close;
  });
  closeDialog = null;
  if (!isUnsaved()) return signedIn(keyName);
  isOut = false;
  frame(keyName);
}

function askToSignIn() {
  isOut = true;
  if (closeDialog) return;
  if (isUnsaved()) return askInDialog();
  turn++;
  leave();
  leave = () => {};
  show(top);
  show(document.getElementById('said'));
  signInPage(main, (keyName) => {
    tellOtherTabs();
    signedIn(keyName);
  });
}

whenSignedOut(askToSignIn);
startNavigation(open);

try {
  frame((await get('/session')).key_name);
  openHere();
} catch (error) {
  if (error.status === 401) askToSignIn();
  else show(main, problem(error));
}
