// The page of the API keys. audit.js has its second tab.
import { get, messageOf, remove } from './api.js';
import { audit } from './audit.js';
import { h, say, show } from './dom.js';
import { time } from './format.js';
import { newKey, newKeyForm } from './new_key.js';
import { table } from './table.js';
import { actionButton, confirm, named, tabs } from './widgets.js';

/** @import { Column, Key, Page } from './types.d.ts' */

/** @type {Record<Key['role'], string>} */
const roles = { owner: 'Owner', trigger: 'Trigger' };

/** @type {Record<Key['state'], string>} */
const states = {
  active: '',
  expired: 'Expired',
  fleet_deleted: 'Fleet deleted',
  org_deleted: 'Organization deleted',
  uncertain: 'webhookd’s clock is wrong',
};

/** @param {Key} key */
function role({ role: name, state, org_id, fleet_id, org_name, project_name, fleet_name }) {
  const only =
    (fleet_id && `${org_name}/${project_name}/${fleet_name}`) || (org_id && `all of ${org_name}`);
  const text = `${roles[name]}${only ? `: ${only}` : ''}`;
  const path = fleet_id && state !== 'fleet_deleted' ? `/fleets/${fleet_id}` : undefined;
  if (state === 'active') return named(text, path);
  return h(
    'span',
    { class: 'names' },
    h('span', { class: 'wrong' }, `${states[state]} · `),
    named(text, path),
  );
}

/**
 * @param {Element} place
 * @param {Page} page
 */
async function keys(place, page) {
  const { key_name: mine } = await get('/session');
  const made = h('div', { 'aria-live': 'polite' });
  const said = h('p', { class: 'problem', role: 'alert', hidden: true });
  let madeId = '';

  /** @param {Key} key */
  async function revoke(key) {
    const effect =
      key.name === mine
        ? 'This is your own key. You and everyone else who uses it will be signed out immediately.'
        : 'Everyone who uses this key will be signed out immediately. Requests with it will fail.';
    if (!(await confirm(`Revoke ${key.name}?`, effect, 'Revoke'))) return;
    await remove(`/keys/${key.id}`);
    said.hidden = true;
    if (key.id === madeId) show(made);
    say(`${key.name} was revoked`);
    await load();
  }

  /** @type {Column<Key>[]} */
  const columns = [
    {
      title: 'Key',
      class: 'rest',
      cell: (key) => named(key.name === mine ? `${key.name} (yours)` : key.name),
    },
    { title: 'Role', class: 'role', cell: role },
    { title: 'Created', class: 'hide-narrow', cell: (key) => time(key.created_at) },
    { title: 'Expires', class: 'hide-narrow', cell: (key) => time(key.expires_at, 'never') },
    { title: 'Last used', cell: (key) => time(key.last_used_at, 'never') },
    {
      title: 'Action',
      class: 'last',
      cell: (key) =>
        actionButton('Revoke', () => revoke(key), {
          class: 'danger',
          'aria-label': `Revoke ${key.name}`,
        }),
    },
  ];
  const list = table('API keys', columns, (key) => key.id);

  async function load() {
    const { keys: all } = await get('/keys');
    if (page.isOpen()) list.draw(all);
  }

  const form = newKeyForm({
    created: async (key) => {
      madeId = key.id;
      said.hidden = true;
      show(
        made,
        newKey(key, () => show(made)),
      );
      await load();
    },
    failed: (error) => {
      said.textContent = messageOf(error);
      said.hidden = false;
    },
  });
  await load();
  show(place, form, said, made, h('p'), list.element);
}

/**
 * @param {Element} main
 * @param {Page} page
 */
export async function keysPage(main, page) {
  const [tab = 'keys'] = page.parts;
  const place = h('section', { class: 'card' }, '…');
  document.title = `${tab === 'keys' ? 'API keys' : 'Audit log'} · webhookd`;
  show(
    main,
    h('h1', null, tab === 'keys' ? 'API keys' : 'Audit log'),
    tabs(
      [
        ['keys', '/keys', 'API keys'],
        ['audit', '/keys/audit', 'Audit log'],
      ],
      tab,
    ),
    place,
  );
  await (tab === 'keys' ? keys : audit)(place, page);
}
