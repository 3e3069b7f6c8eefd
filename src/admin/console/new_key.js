// The form that creates an API key, and the key afterwards. keys.js calls this.
import { get, post } from './api.js';
import { h } from './dom.js';
import { copyButton, drawOptions, select } from './widgets.js';

/** @import { KeyOrder, NewKey, Option } from './types.d.ts' */

const DAY_S = 86400;

/** @type {Option[]} */
const roles = [
  ['owner', 'Owner: everything'],
  ['trigger', 'Trigger: only starts runs'],
];

/** @type {Option[]} By the number of days. */
const spans = [
  ['', 'Never expires'],
  ['1', 'Expires in a day'],
  ['7', 'Expires in 7 days'],
  ['30', 'Expires in 30 days'],
  ['90', 'Expires in 90 days'],
  ['365', 'Expires in a year'],
];

/**
 * Offers everything to which a trigger key can be bound. A choice is "fleet_id ID" or "org_id ID".
 *
 * @param {HTMLSelectElement} field
 */
async function offerBindings(field) {
  const [{ orgs }, { fleets }] = await Promise.all([get('/orgs'), get('/fleets')]);
  drawOptions(field, [
    ['', 'All fleets'],
    ...orgs.map(({ id, name }) => /** @type {Option} */ ([`org_id ${id}`, `All of ${name}`])),
    ...fleets.map(
      ({ id, org_name: org, project_name: project, name }) =>
        /** @type {Option} */ ([`fleet_id ${id}`, `${org}/${project}/${name}`]),
    ),
  ]);
}

/**
 * @param {object} callbacks
 * @param {(key: NewKey) => unknown} callbacks.created
 * @param {(error: unknown) => void} callbacks.failed
 */
export function newKeyForm({ created, failed }) {
  const name = h('input', {
    id: 'key-name',
    required: true,
    maxlength: 255,
    autocomplete: 'off',
    placeholder: 'Owner or purpose',
  });
  const role = select('Role', roles);
  const binding = select('Fleets', [['', 'All fleets']]);
  const expires = select('Expiry', spans);
  const button = h('button', { class: 'main' }, 'Create key');
  binding.hidden = true;

  role.addEventListener('change', () => {
    binding.hidden = role.value !== 'trigger';
    if (!binding.hidden) offerBindings(binding).catch(failed);
  });

  function order() {
    /** @type {KeyOrder} */
    const wanted = { name: name.value, role: role.value };
    const [field, id] = binding.value.split(' ');
    if (!binding.hidden && field === 'fleet_id') wanted.fleet_id = id;
    if (!binding.hidden && field === 'org_id') wanted.org_id = id;
    if (expires.value) wanted.expires_in_s = Number(expires.value) * DAY_S;
    return wanted;
  }

  /** @param {Event} event */
  async function create(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      const key = await post('/keys', order());
      name.value = '';
      await created(key);
    } catch (error) {
      failed(error);
    } finally {
      button.disabled = false;
    }
  }

  return h(
    'form',
    { class: 'row new-key', onsubmit: create },
    h('label', { for: 'key-name' }, 'Name'),
    name,
    role,
    binding,
    expires,
    button,
  );
}

/** @param {NewKey} key */
function power({ role, fleet_name: fleet, org_name: org }) {
  if (role === 'owner') return 'has full access';
  if (fleet) return `can start runs of ${fleet}`;
  return org ? `can start runs of the fleets of ${org}` : 'can start runs of all fleets';
}

/**
 * A new key, for the only time that it is shown.
 *
 * @param {NewKey} key
 * @param {() => void} done
 */
export const newKey = (key, done) =>
  h(
    'div',
    { class: 'warning' },
    h(
      'p',
      null,
      `This is the API key “${key.name}”. Copy it now: it will not be shown again. ` +
        `Anyone with this key ${power(key)}.`,
    ),
    h(
      'div',
      { class: 'row' },
      h('span', { class: 'url' }, key.key),
      copyButton(key.key, 'Copy', { class: 'main' }),
      h('button', { type: 'button', onclick: done }, 'Done'),
    ),
  );
