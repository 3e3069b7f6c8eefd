// The dialog that starts a run by hand, with a body and headers.
import { startRun } from './api.js';
import { h, isSame, say, set, show } from './dom.js';
import { jsonFault } from './json_fault.js';
import { go } from './navigate.js';
import { dialog } from './widgets.js';

/** @import { Fleet } from './types.d.ts' */

/**
 * The contents of the dialog.
 *
 * @typedef {{body: string, type: string, headers: [string, string][]}} Draft
 */

const TYPED_MS = 300;
/** @type {Draft} */
const NO_DRAFT = { body: '{\n  \n}', type: 'application/json', headers: [] };

/**
 * Drafts that were not sent, by fleet id.
 *
 * @type {Map<string, Draft>}
 */
const drafts = new Map();

/* ---- headers ---- */

/**
 * Fields for names and values, a row for each header.
 *
 * @param {[string, string][]} before
 * @param {() => void} whenChanged
 */
function headerRows(before, whenChanged) {
  const rows = h('div', { class: 'header-rows' });

  /**
   * @param {string} name
   * @param {string} value
   */
  function add(name, value) {
    const row = h(
      'div',
      { class: 'row', role: 'group', 'aria-label': 'Header' },
      h('input', { value: name, placeholder: 'Name', 'aria-label': 'Name', spellcheck: 'false' }),
      h('input', { value, placeholder: 'Value', 'aria-label': 'Value', spellcheck: 'false' }),
      h('button', { type: 'button', 'aria-label': 'Remove header', onclick: remove }, '✕'),
    );
    function remove() {
      row.remove();
      adding.focus();
      whenChanged();
    }
    rows.append(row);
    return row;
  }

  const adding = h(
    'button',
    { type: 'button', onclick: () => add('', '').querySelector('input')?.focus() },
    'Add header',
  );
  for (const [name, value] of before) add(name, value);
  rows.addEventListener('input', whenChanged);
  return {
    elements: [rows, adding],
    /** Without the rows that are empty. */
    values: () =>
      [...rows.children]
        .map((row) => {
          const [name, value] = [...row.querySelectorAll('input')].map((one) => one.value.trim());
          return /** @type {[string, string]} */ ([name, value]);
        })
        .filter(([name, value]) => name || value),
  };
}

/** @param {Draft} draft */
function isJson({ type, headers }) {
  const own = headers.find(([name]) => name.toLowerCase() === 'content-type');
  return /^[^;]*[/+]json *(;|$)/i.test((own?.[1] ?? type).trim());
}

/* ---- the dialog ---- */

/**
 * The fields of the dialog. While they differ from `before`, their text counts as unsaved.
 *
 * @param {Draft} before
 */
function createFields(before) {
  const fault = h('p', { id: 'json-fault', class: 'refused', role: 'status' });
  const area = h(
    'textarea',
    {
      rows: 10,
      'aria-label': 'Body',
      'aria-describedby': fault.id,
      spellcheck: 'false',
      autofocus: true,
    },
    before.body,
  );
  const type = h('input', { value: before.type, 'aria-label': 'Content type' });
  const rows = headerRows(before.headers, whenChanged);
  let typing = 0;

  /** @returns {Draft} */
  const draft = () => ({ body: area.value, type: type.value, headers: rows.values() });
  const isChanged = () => !isSame(draft(), before);
  const faultOf = () => (isJson(draft()) ? jsonFault(area.value) : null);

  function check() {
    const found = faultOf();
    show(fault, found && `Not JSON: ${found}`);
    set(area, { 'aria-invalid': found && 'true' });
  }

  function whenChanged() {
    clearTimeout(typing);
    typing = setTimeout(check, TYPED_MS);
    area.toggleAttribute('data-unsaved', isChanged());
  }

  area.addEventListener('input', whenChanged);
  type.addEventListener('input', whenChanged);
  return {
    elements: [
      h('label', null, 'Content type ', type),
      h('p', { class: 'soft' }, 'Headers'),
      rows.elements,
      area,
      fault,
    ],
    draft,
    isChanged,
    /** Throws if the content type says that the body is JSON, and it is not. */
    mustBeJson() {
      const found = faultOf();
      check();
      if (!found) return;
      throw new Error(`The body is not JSON: ${found}. Correct it, or change the content type.`);
    },
  };
}

/**
 * Asks for a body and headers, starts a run with them and opens the run.
 *
 * @param {Fleet} fleet
 */
export async function runWithBody(fleet) {
  const fields = createFields(drafts.get(fleet.id) ?? NO_DRAFT);
  async function act() {
    fields.mustBeJson();
    const { body, type, headers } = fields.draft();
    return startRun(fleet.id, body, type || 'application/octet-stream', headers);
  }
  const run = await dialog({
    title: `Run ${fleet.name} with a body`,
    body: () => fields.elements,
    buttons: [{ label: 'Run now', class: 'main', act }],
  });
  if (run) {
    drafts.delete(fleet.id);
    go(`/runs/${run.id}`);
  } else if (fields.isChanged()) {
    drafts.set(fleet.id, fields.draft());
    say('The text is kept: “Run with body…” shows it again');
  }
}
