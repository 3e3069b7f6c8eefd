// The dialogs that set, replace and remove a credential. Its value is in one text area, from which
// it goes to webhookd and nowhere else, and which is emptied when the dialog closes.
import { ApiError, get, messageOf, put, remove } from './api.js';
import { h, set, show } from './dom.js';
import { size } from './format.js';
import { isPart } from './references.js';
import { confirm, dialog, link } from './widgets.js';

/** @import { Child, CredentialUser, Page } from './types.d.ts' */
/** @typedef {HTMLInputElement | HTMLTextAreaElement} Field */

const MAX_BYTES = 64 * 1024;
const NOT_STORED = 'Nothing was stored: correct what is marked above.';

/** @type {(orgId: string, name: string) => `/orgs/${string}/credentials/${string}/${string}`} */
const pathOf = (orgId, name) => {
  const [group, item] = name.split('.');
  return `/orgs/${orgId}/credentials/${group}/${item}`;
};

/* ---- fields, each with a place for what is wrong with it ---- */

/**
 * @param {string} label
 * @param {Field} input
 * @param {(text: string) => string | null} faultOf what is wrong with the text, or null
 */
function checked(label, input, faultOf) {
  const fault = h('p', { id: `${input.id}-fault`, class: 'refused', role: 'status' });
  /** @param {string | null} text */
  function showFault(text) {
    show(fault, text);
    set(input, { 'aria-invalid': text && 'true' });
  }
  set(input, { 'aria-describedby': fault.id });
  input.addEventListener('input', () => showFault(null));
  return {
    element: h('div', null, h('label', { for: input.id }, label), input, fault),
    input,
    showFault,
    /** Shows and returns what is wrong. */
    check() {
      const text = faultOf(input.value);
      showFault(text);
      return text;
    },
  };
}

/** @typedef {ReturnType<typeof checked>} Checked */

/** @param {'Group' | 'Item'} label */
function partField(label) {
  const input = h('input', {
    id: `credential-${label.toLowerCase()}`,
    autocomplete: 'off',
    autocapitalize: 'characters',
    spellcheck: 'false',
    placeholder: label === 'Group' ? 'DB' : 'PASSWORD',
  });
  const fault = 'Begin with a capital letter; use at most 63 capital letters, digits and “_”.';
  return checked(label, input, (text) => (isPart(text) ? null : fault));
}

/**
 * Returns why webhookd would refuse the value. It drops a line end after the value.
 *
 * @param {string} text
 */
function faultOfValue(text) {
  const value = text.replace(/\n$/, '');
  const bytes = new TextEncoder().encode(value).length;
  if (bytes === 0) return 'The value is empty.';
  if (bytes > MAX_BYTES) return `A value has at most 64 KiB; this one has ${size(bytes)}.`;
  return value.includes('\0') ? 'The value must not contain NUL characters.' : null;
}

/** A value can have several lines, so the field is a text area. Its style hides the characters. */
function valueField() {
  const area = h('textarea', {
    id: 'credential-value',
    class: 'secret',
    rows: 4,
    autocomplete: 'off',
    autocapitalize: 'off',
    autocorrect: 'off',
    spellcheck: 'false',
    'data-1p-ignore': '',
    'data-lpignore': 'true',
  });
  return checked('Value', area, faultOfValue);
}

/** @param {Field} area */
function showSwitch(area) {
  const box = h('input', { type: 'checkbox', id: 'credential-show' });
  box.addEventListener('change', () => area.classList.toggle('secret', !box.checked));
  return h('label', { for: box.id }, box, ' Show the value');
}

/* ---- setting ---- */

/**
 * Stores the value. A refusal is shown at the field that it is about.
 *
 * @param {string} orgId
 * @param {string} name
 * @param {Record<string, Checked>} fields by the names that the API has for them
 */
async function store(orgId, name, fields) {
  const { input } = fields.value;
  try {
    await put(pathOf(orgId, name), input.value, 'application/octet-stream');
  } catch (error) {
    const field = error instanceof ApiError && error.field ? fields[error.field] : undefined;
    if (!field) throw error;
    field.showFault(messageOf(error));
    field.input.focus();
    throw new Error(NOT_STORED, { cause: error });
  }
  input.value = '';
}

/**
 * Asks for a value, and for a name unless there is one, and stores the value. `taken` are names
 * that may not be chosen. Resolves to the name, or to undefined if nothing was stored.
 *
 * @param {Page} page
 * @param {object} options
 * @param {string} options.orgId
 * @param {string} options.title
 * @param {string} [options.doIt] the label of the button
 * @param {string} [options.text] stands above the fields
 * @param {string} [options.name]
 * @param {string[]} [options.taken]
 * @returns {Promise<string | undefined>}
 */
export async function setCredential(page, { orgId, title, doIt = 'Set', text, name, taken = [] }) {
  const value = valueField();
  const parts = name ? null : { group: partField('Group'), item: partField('Item') };
  /** @type {Record<string, Checked>} */
  const fields = { ...parts, value };
  const nameOf = () => name ?? `${fields.group.input.value}.${fields.item.input.value}`;

  async function act() {
    const wrong = Object.values(fields).filter((field) => field.check());
    if (wrong.length === 0 && taken.includes(nameOf())) {
      fields.item.showFault(`${nameOf()} exists already. Its page can replace it.`);
      wrong.push(fields.item);
    }
    if (wrong.length > 0) {
      wrong[0].input.focus();
      throw new Error(NOT_STORED);
    }
    await store(orgId, nameOf(), fields);
    return nameOf();
  }

  /** @type {(close: (name?: string) => void) => Child} */
  function body(close) {
    page.onLeave(() => close());
    set(Object.values(fields)[0].input, { autofocus: true });
    return [
      text && h('p', null, text),
      parts && h('div', { class: 'parts' }, parts.group.element, parts.item.element),
      value.element,
      showSwitch(value.input),
      h('p', { class: 'soft' }, 'The value may have several lines. Nobody can read it back.'),
    ];
  }

  const buttons = [{ label: doIt, class: 'main', act }];
  const stored = await dialog({ title, body, buttons });
  value.input.value = '';
  return stored;
}

/* ---- who uses it ---- */

/**
 * The fleets and vessels that refer to a credential. `whenFollowed` is called when a link is.
 *
 * @param {CredentialUser[]} fleets
 * @param {() => void} [whenFollowed]
 */
export const userList = (fleets, whenFollowed = () => {}) =>
  h(
    'ul',
    { class: 'users' },
    fleets.map(({ id, name, project_name: project, vessels }) => {
      const anchor = link(`/fleets/${id}/definition`, `${project}/${name}`);
      set(anchor, { onclick: whenFollowed });
      return h(
        'li',
        null,
        anchor,
        vessels.length === 1 ? ', vessel ' : ', vessels ',
        vessels.map((vessel, i) => [i > 0 && ', ', h('b', null, vessel)]),
      );
    }),
  );

/* ---- removing ---- */

/**
 * Asks whether to remove a credential that is in use: first shows by what, then asks again.
 *
 * @param {Page} page
 * @param {string} name
 * @param {CredentialUser[]} fleets
 */
async function confirmForce(page, name, fleets) {
  const isWanted = await dialog({
    title: `${name} is in use`,
    /** @type {(close: (isWanted: boolean) => void) => Child} */
    body(close) {
      page.onLeave(() => close(false));
      return [
        h(
          'p',
          null,
          'These vessels refer to it and fail when it is gone. Change the fleets first:',
        ),
        userList(fleets, () => close(false)),
      ];
    },
    buttons: [{ label: 'Remove by force…', class: 'danger', act: () => true }],
  });
  if (!isWanted) return false;
  const count = fleets.flatMap(({ vessels }) => vessels).length;
  return confirm(
    `Remove ${name} by force?`,
    `${count === 1 ? '1 vessel fails' : `${count} vessels fail`} from the next attempt on. ` +
      'The value cannot be restored.',
    'Remove by force',
  );
}

/**
 * Removes a credential if the user confirms it. Resolves to whether it is gone.
 *
 * @param {Page} page
 * @param {string} orgId
 * @param {string} name
 */
export async function removeCredential(page, orgId, name) {
  const path = pathOf(orgId, name);
  const { fleets } = await get(`${path}/used`);
  if (!page.isOpen()) return false;
  if (fleets.length > 0) {
    if (!(await confirmForce(page, name, fleets))) return false;
    await remove(`${path}?force=1`);
    return true;
  }
  const effect = 'No fleet uses it. The value cannot be restored.';
  if (!(await confirm(`Remove ${name}?`, effect, 'Remove'))) return false;
  await remove(path);
  return true;
}
