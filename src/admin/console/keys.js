// Who may sign in and call the API, and who changed what.
import { get, post, remove } from './api.js';
import { h, say, show } from './dom.js';
import { time } from './format.js';
import { actionButton, confirm, copyButton, empty, link, tabs } from './widgets.js';

const table = (titles, body) =>
  h(
    'div',
    { class: 'table' },
    h(
      'table',
      null,
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          titles.map((title) => h('th', null, title)),
        ),
      ),
      body,
    ),
  );
const none = () => h('span', { class: 'none' }, '–');

/* ---- keys ---- */

async function keys(place, page) {
  const { key_name: mine } = await get('/session');
  const body = h('tbody'),
    made = h('div', { 'aria-live': 'polite' }),
    said = h('p', { class: 'problem', role: 'alert', hidden: true });
  const name = h('input', {
    id: 'key-name',
    required: true,
    maxlength: 255,
    autocomplete: 'off',
    placeholder: 'whose it is, or what for',
  });
  const button = h('button', { class: 'main' }, 'Create key');

  const row = (key) =>
    h(
      'tr',
      null,
      h('td', null, key.name, key.name === mine && h('span', { class: 'soft' }, ' (yours)')),
      h('td', null, time(key.created_at)),
      h('td', null, time(key.last_used_at, 'never')),
      h(
        'td',
        { class: 'last' },
        actionButton(
          'Revoke',
          async () => {
            if (
              !(await confirm(
                `Revoke ${key.name}?`,
                key.name === mine
                  ? 'It is yours: you are signed out, as is everybody else who has it.'
                  : 'Whoever has it is signed out at once, and their calls are refused.',
                'Revoke',
              ))
            )
              return;
            await remove(`/keys/${key.id}`);
            say(`${key.name} is revoked`);
            await load();
          },
          { class: 'danger', 'aria-label': `Revoke ${key.name}` },
        ),
      ),
    );

  async function load() {
    const { keys: all } = await get('/keys');
    if (page.isOpen()) show(body, all.map(row));
  }

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
      said.textContent = error.message;
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
    table(['Key', 'Made', 'Last used', ''], body),
  );
}

/* ---- the audit log ---- */

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
  'run.start': 'started a run of',
  'run.stop': 'stopped a run of',
  'key.create': 'made the key',
  'key.revoke': 'revoked the key',
  backup: 'made a backup',
};

function subject({ action, subject_id: id, subject: name }) {
  if (!name) return none();
  if (/^run\./.test(action)) return link(`/runs/${id}`, name);
  return /^(fleet\.apply|webhook\.)/.test(action) ? link(`/fleets/${id}`, name) : name;
}

const entryRow = (entry) =>
  h(
    'tr',
    null,
    h('td', null, time(entry.at)),
    h('td', null, entry.who.replace(/^key /, '')),
    h('td', null, entry.source ?? 'this machine'),
    h('td', null, words[entry.action] ?? entry.action),
    h('td', null, subject(entry)),
    h('td', null, entry.detail ?? ''),
  );

async function audit(place, page) {
  const body = h('tbody'),
    more = h('div', { class: 'row' });
  let before = null;

  async function load() {
    const { entries, next_before: next } = await get(
      `/audit?limit=50${before ? `&before=${before}` : ''}`,
    );
    if (!page.isOpen()) return;
    body.append(...entries.map(entryRow));
    before = next;
    show(more, next && actionButton('Older', load));
  }

  await load();
  show(
    place,
    body.childElementCount === 0
      ? empty(
          'Nothing has been changed yet',
          h('p', null, 'Every change, by whom and from where, will be here.'),
        )
      : [table(['When', 'Who', 'From', 'Did', 'To', ''], body), h('p'), more],
  );
}

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
