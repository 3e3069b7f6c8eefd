// The page of the API keys, with a second tab for the audit log, which lists who changed what.
import { get, messageOf, post, remove } from './api.js';
import { h, say, show } from './dom.js';
import { time } from './format.js';
import { table } from './table.js';
import { actionButton, confirm, copyButton, empty, link, none, tabs } from './widgets.js';

/** @import { AuditEntry, Column, Key, Page } from './types.d.ts' */

/* ---- keys ---- */

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
    placeholder: 'whose it is, or what for',
  });
  const button = h('button', { class: 'main' }, 'Create key');

  /** @param {Key} key */
  async function revoke(key) {
    const effect =
      key.name === mine
        ? 'It is yours: you are signed out, as is everybody else who has it.'
        : 'Whoever has it is signed out at once, and their requests are refused.';
    if (!(await confirm(`Revoke ${key.name}?`, effect, 'Revoke'))) return;
    await remove(`/keys/${key.id}`);
    say(`${key.name} is revoked`);
    await load();
  }

  /** @type {Column<Key>[]} */
  const columns = [
    {
      title: 'Key',
      cell: (key) => [key.name, key.name === mine && h('span', { class: 'soft' }, ' (yours)')],
    },
    { title: 'Made', cell: (key) => time(key.created_at) },
    { title: 'Last used', cell: (key) => time(key.last_used_at, 'never') },
    {
      title: '',
      class: 'last',
      cell: (key) =>
        actionButton('Revoke', () => revoke(key), {
          class: 'danger',
          'aria-label': `Revoke ${key.name}`,
        }),
    },
  ];
  const list = table(columns, (key) => key.id);

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
      show(
        made,
        h(
          'div',
          { class: 'warning' },
          h(
            'p',
            null,
            `The key of ${key.name}. It is shown this once: whoever has it may do everything here.`,
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

/* ---- the audit log ---- */

/** @type {Record<string, string>} */
const words = {
  'org.create': 'made the organization',
  'org.delete': 'deleted the organization',
  'project.create': 'made the project',
  'project.delete': 'deleted the project',
  'fleet.apply': 'applied the fleet',
  'fleet.delete': 'deleted the fleet',
  'webhook.create': 'added the webhook of',
  'webhook.replace': 'replaced the webhook of',
  'webhook.remove': 'removed the webhook of',
  'run.start': 'started a fleet run of',
  'run.stop': 'stopped a fleet run of',
  'key.create': 'made the key',
  'key.revoke': 'revoked the key',
  backup: 'made a backup',
};

/** @param {AuditEntry} entry */
function subject({ action, subject_id: id, subject: name }) {
  if (!name) return none();
  if (/^run\./.test(action)) return link(`/runs/${id}`, name);
  return /^(fleet\.apply|webhook\.)/.test(action) ? link(`/fleets/${id}`, name) : name;
}

/** @type {Column<AuditEntry>[]} */
const entryColumns = [
  { title: 'When', cell: (entry) => time(entry.at) },
  { title: 'Who', cell: (entry) => entry.who.replace(/^key /, '') },
  { title: 'From', cell: (entry) => entry.source ?? 'this machine' },
  { title: 'Did', cell: (entry) => words[entry.action] ?? entry.action },
  { title: 'To', cell: subject },
  { title: '', cell: (entry) => entry.detail },
];

/**
 * @param {Element} place
 * @param {Page} page
 */
async function audit(place, page) {
  const list = table(entryColumns, (entry) => entry.number);
  const more = h('div', { class: 'row' });
  /** @type {AuditEntry[]} */
  let entries = [];
  /** @type {number | null} */
  let before = null;

  async function load() {
    const found = await get(`/audit?limit=50${before ? `&before=${before}` : ''}`);
    if (!page.isOpen()) return;
    entries = entries.concat(found.entries);
    before = found.next_before;
    list.draw(entries);
    show(more, before !== null && older);
  }

  const older = actionButton('Older', load);
  await load();
  show(
    place,
    entries.length === 0
      ? empty(
          'Nothing has been changed yet',
          h('p', null, 'Every change, by whom and from where, will be here.'),
        )
      : [list.element, h('p'), more],
  );
}

/**
 * @param {Element} main
 * @param {Page} page
 */
export async function keysPage(main, page) {
  const [tab = 'keys'] = page.parts;
  const place = h('section', { class: 'card' }, '…');
  document.title = `${tab === 'keys' ? 'Keys' : 'Audit log'} · webhookd`;
  show(
    main,
    h('h1', null, tab === 'keys' ? 'Keys' : 'Audit log'),
    tabs(
      [
        ['keys', '/keys', 'Keys'],
        ['audit', '/keys/audit', 'Audit log'],
      ],
      tab,
    ),
    place,
  );
  await (tab === 'keys' ? keys : audit)(place, page);
}
