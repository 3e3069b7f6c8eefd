// The page of a credential: when it was changed and used, and by which fleets.
import { get } from './api.js';
import { removeCredential, setCredential, userList } from './credential_dialogs.js';
import { h, say, show } from './dom.js';
import { callerName, time } from './format.js';
import { gather, watchRuns } from './live.js';
import { go, openHere } from './navigate.js';
import { referenceTo } from './references.js';
import { actionButton, copyButton, crumbs, drawFacts, empty, link, named } from './widgets.js';

/** @import { Credential, CredentialUser, Org, Page } from './types.d.ts' */

const NEWS_MS = 250;
/** Runs change no more than when a credential was last used. */
const EVERY_MS = 5000;

/** @param {Credential} credential */
const factsOf = ({
  changed_at: changedAt,
  changed_by: by,
  created_at: at,
  last_used_at: used,
}) => ({
  changed: ['changed ', time(changedAt), ' by ', h('b', null, callerName(by))],
  created: ['created ', time(at)],
  used: used ? ['last used ', time(used)] : 'never used',
});

/** @param {CredentialUser[]} fleets */
function usersOf(fleets) {
  const count = fleets.length === 1 ? '1 fleet' : `${fleets.length} fleets`;
  if (fleets.length === 0)
    return [h('h2', null, 'Used by no fleet'), h('p', { class: 'soft' }, 'It can be removed.')];
  return [h('h2', null, `Used by ${count}`), userList(fleets)];
}

/** @param {string} name */
const howToRefer = (name) => [
  h('h2', null, 'Reference'),
  h(
    'div',
    { class: 'row' },
    h('code', { class: 'url' }, referenceTo(name)),
    copyButton(referenceTo(name)),
  ),
  h(
    'p',
    { class: 'soft' },
    'Write this in a fleet file, in an argument or in the value of an environment variable. ' +
      'Each attempt of the vessel gets the value that is stored when it starts. ' +
      'Nobody can read the value back.',
  ),
];

/**
 * @param {Org[]} orgs
 * @param {string} orgId
 */
const crumbsOf = (orgs, orgId) =>
  crumbs(
    link(`/credentials?org=${orgId}`, 'Credentials'),
    ...orgs.filter(({ id }) => id === orgId && orgs.length > 1).map(({ name }) => named(name)),
  );

/**
 * @param {Element} main
 * @param {Page} page
 * @param {Element} path
 */
function showMissing(main, page, path) {
  const [orgId, name] = page.parts;

  async function setIt() {
    if (!(await setCredential(page, { orgId, name, title: `Set ${name}` }))) return;
    say(`${name} was stored`);
    openHere();
  }
  show(
    main,
    path,
    h('h1', null, name),
    empty(
      `Credential ${name} does not exist`,
      h('p', null, 'A vessel that refers to it is not started.'),
      h('button', { type: 'button', class: 'main', onclick: setIt }, 'Set credential'),
    ),
  );
}

/**
 * @param {Element} main
 * @param {Page} page
 */
export async function credentialPage(main, page) {
  const [orgId, name] = page.parts;
  const path = /** @type {const} */ (`/orgs/${orgId}/credentials`);
  const facts = h('div', { class: 'facts' });
  const find = async () =>
    (await get(path)).credentials.find((credential) => credential.name === name);
  const [{ orgs }, found] = await Promise.all([get('/orgs'), find()]);
  document.title = `${name} · webhookd`;
  if (!page.isOpen()) return;
  if (!found) return showMissing(main, page, crumbsOf(orgs, orgId));
  const { fleets } = await get(`${path}/${name.replace('.', '/')}/used`);
  if (!page.isOpen()) return;

  async function load() {
    const fresh = await find();
    if (fresh && page.isOpen()) drawFacts(facts, factsOf(fresh));
  }

  async function replace() {
    const isDone = await setCredential(page, {
      orgId,
      name,
      title: `Replace ${name}`,
      doIt: 'Replace',
      text:
        'The next attempt of a vessel uses the new value. ' +
        'Attempts that have started keep the old one.',
    });
    if (!isDone) return;
    say(`${name} was replaced: the next attempt uses the new value`);
    await load();
  }

  async function removeIt() {
    if (!(await removeCredential(page, orgId, name))) return;
    say(`${name} was removed`);
    go(`/credentials?org=${orgId}`);
  }

  drawFacts(facts, factsOf(found));
  show(
    main,
    crumbsOf(orgs, orgId),
    h(
      'div',
      { class: 'row between' },
      h('h1', null, name),
      h(
        'div',
        { class: 'row' },
        actionButton('Replace', replace, { class: 'main' }),
        actionButton('Remove', removeIt, { class: 'danger' }),
      ),
    ),
    facts,
    h('section', { class: 'card' }, howToRefer(name)),
    h('section', { class: 'card' }, usersOf(fleets)),
  );
  page.onLeave(watchRuns(gather(() => page.isOpen() && load(), NEWS_MS, EVERY_MS)));
}
