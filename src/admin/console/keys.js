// The page of the API keys. audit.js has its second tab.
import { get, messageOf, post, remove } from './api.js';
import { audit } from './audit.js';
import { h, say, show } from './dom.js';
import { time } from './format.js';
import { table } from './table.js';
import { actionButton, confirm, copyButton, named, tabs } from './widgets.js';

/** @import { Column, Key, Page } from './types.d.ts' */

/**
 * @param {Element} place
 * @param {Page} page
 */
async function keys(place, page) {
  const { key_name: mine } = await get('/session');
  const made = h('div', { 'aria-live': 'polite' });
  const said = h('p', { class: 'problem', role: 'alert', hidden: true });
  const name = h('input', {
    id: 'key-name',
    required: true,
    maxlength: 255,
    autocomplete: 'off',
    placeholder: 'Owner or purpose',
  });
  const button = h('button', { class: 'main' }, 'Create key');
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
    { title: 'Created', class: 'hide-narrow', cell: (key) => time(key.created_at) },
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

  /** @param {Event} event */
  async function create(event) {
    event.preventDefault();
    button.disabled = true;
    said.hidden = true;
    try {
      const key = await post('/keys', { name: name.value });
      madeId = key.id;
      show(
        made,
        h(
          'div',
          { class: 'warning' },
          h(
            'p',
            null,
            `This is the API key “${key.name}”. Copy it now: it will not be shown again. ` +
              'Anyone with this key has full access.',
          ),
          h(
            'div',
            { class: 'row' },
            h('span', { class: 'url' }, key.key),
            copyButton(key.key, 'Copy', { class: 'main' }),
            h('button', { type: 'button', onclick: () => show(made) }, 'Done'),
          ),
        ),
      );
      name.value = '';
      await load();
    } catch (error) {
      said.textContent = messageOf(error);
      said.hidden = false;
    } finally {
      button.disabled = false;
    }
  }

  await load();
  show(
    place,
    h(
      'form',
      { class: 'row', onsubmit: create },
      h('label', { for: 'key-name' }, 'Name'),
      name,
      button,
    ),
    said,
    made,
    h('p'),
    list.element,
  );
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
