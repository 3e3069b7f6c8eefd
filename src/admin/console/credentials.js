// The page of an organization's credentials. credential.js is the page of one of them.
import { ApiError, get, messageOf } from './api.js';
import { setCredential } from './credential_dialogs.js';
import { h, say, set, show } from './dom.js';
import { fromAddress, toAddress } from './fields.js';
import { callerName, time } from './format.js';
import { gather, watchRuns } from './live.js';
import { go } from './navigate.js';
import { credentialPath } from './references.js';
import { table } from './table.js';
import { empty, named, select } from './widgets.js';

/** @import { Column, Credential, Option, Org, Page } from './types.d.ts' */

const NEWS_MS = 250;
/** Runs change no more than when a credential was last used. */
const EVERY_MS = 5000;

/** @type {(orgId: () => string) => Column<Credential>[]} */
const columnsOf = (orgId) => [
  {
    title: 'Credential',
    class: 'rest',
    cell: ({ name }) => named(name, credentialPath(orgId(), name)),
  },
  { title: 'Changed', cell: ({ changed_at: at }) => time(at) },
  {
    title: 'Changed by',
    class: 'name hide-narrow',
    cell: ({ changed_by: who }) => named(callerName(who)),
  },
  { title: 'Last used', cell: ({ last_used_at: at }) => time(at, 'never') },
];

const noCredentialYet = () =>
  empty(
    'No credentials yet',
    h(
      'p',
      null,
      'A credential is a secret value, such as a password or a private key. It is stored sealed, ' +
        'and nobody can read it back.',
    ),
    h(
      'p',
      null,
      'A fleet file refers to it in an argument or in the value of an environment variable:',
    ),
    h('code', null, '{ name: PGPASSWORD, value: "#{DB.PASSWORD}" }'),
  );

/**
 * The select element for the organization. The address says which one is chosen, otherwise it is
 * the first.
 *
 * @param {Org[]} orgs
 */
function chooseOrg(orgs) {
  const field = select(
    'Organization',
    orgs.map(({ id, name }) => /** @type {Option} */ ([id, name])),
  );
  const wanted = new URLSearchParams(location.search).get('org');
  fromAddress({ org: field });
  if (wanted && !field.value) throw new ApiError(404, 'This organization does not exist.');
  if (!wanted) field.value = orgs[0].id;
  set(field, { hidden: orgs.length < 2 });
  return field;
}

/**
 * @param {Element} main
 * @param {Page} page
 */
export async function credentialsPage(main, page) {
  document.title = 'Credentials · webhookd';
  const { orgs } = await get('/orgs');
  if (!page.isOpen()) return;
  if (orgs.length === 0) {
    const hint = h('p', null, 'A credential belongs to an organization.');
    show(main, h('h1', null, 'Credentials'), empty('No organization yet', hint));
    return;
  }
  const choose = chooseOrg(orgs);
  const orgId = () => choose.value;
  const list = table('Credentials', columnsOf(orgId), ({ name }) => credentialPath(orgId(), name));
  set(list.element, { class: 'table card' });
  const emptiness = noCredentialYet();
  const place = h('div');
  /** @type {Credential[]} */
  let credentials = [];

  async function load() {
    const wanted = orgId();
    const { credentials: fresh } = await get(`/orgs/${wanted}/credentials`);
    if (!page.isOpen() || wanted !== orgId()) return;
    credentials = fresh;
    list.draw(credentials);
    show(place, credentials.length > 0 ? list.element : emptiness);
  }

  async function setNew() {
    const org = orgs.find(({ id }) => id === orgId());
    if (!org) return;
    const name = await setCredential(page, {
      orgId: org.id,
      title: orgs.length > 1 ? `Set a credential of ${org.name}` : 'Set a credential',
      taken: credentials.map((one) => one.name),
    });
    if (!name) return;
    say(`${name} was stored`);
    go(credentialPath(org.id, name));
  }

  choose.addEventListener('change', () => {
    toAddress({ org: choose });
    load().catch((error) => say(messageOf(error), 'error'));
  });
  await load();
  if (!page.isOpen()) return;
  const button = h('button', { type: 'button', class: 'main', onclick: setNew }, 'Set credential');
  show(
    main,
    h(
      'div',
      { class: 'row between' },
      h('h1', null, 'Credentials'),
      h('div', { class: 'row filters' }, choose, button),
    ),
    place,
  );
  page.onLeave(watchRuns(gather(() => page.isOpen() && load(), NEWS_MS, EVERY_MS)));
}
