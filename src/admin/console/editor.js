// An editor for fleet files, with line numbers and errors at their lines, and the form that applies
// a file.
import { ApiError, put } from './api.js';
import { h, keyed, say, set, show } from './dom.js';
import { actionButton } from './widgets.js';

/** @import { Applied, Checked, Child, Problem, WouldApply } from './types.d.ts' */

const TYPE = 'application/yaml';
const FEWEST_ROWS = 6;
const MOST_ROWS = 33;

/**
 * A text area with line numbers. Tab indents, except at the very beginning of the text, where it
 * moves the focus on as usual.
 *
 * @param {string} text
 * @param {{label?: string, readOnly?: boolean, autofocus?: boolean}} [options]
 */
export function editor(text, { label = 'Fleet file', readOnly = false, autofocus = false } = {}) {
  const numbers = h('pre', { class: 'numbers', 'aria-hidden': 'true' });
  const area = h('textarea', {
    value: text,
    spellcheck: 'false',
    autocomplete: 'off',
    'aria-label': label,
    wrap: 'off',
    readonly: readOnly,
    autofocus,
  });
  /**
   * Error messages by line.
   *
   * @type {Map<number | null, string>}
   */
  let bad = new Map();

  function number() {
    const count = area.value.split('\n').length;
    keyed(
      numbers,
      Array.from({ length: count }, (_, i) => ({ line: i + 1, message: bad.get(i + 1) })),
      ({ line }) => line,
      ({ line }) => h('span', null, String(line)),
      (element, { message }) => set(element, { class: message && 'bad', title: message }),
    );
    area.rows = Math.min(Math.max(count, FEWEST_ROWS), MOST_ROWS) + 1;
  }

  area.addEventListener('input', () => {
    bad = new Map();
    number();
    if (!readOnly) area.toggleAttribute('data-unsaved', area.value !== text);
  });
  area.addEventListener('scroll', () => {
    numbers.scrollTop = area.scrollTop;
  });
  area.addEventListener('keydown', (event) => {
    if (event.key !== 'Tab' || readOnly || event.shiftKey || event.ctrlKey || event.altKey) return;
    if (area.selectionStart === 0 && area.selectionEnd === 0) return;
    event.preventDefault();
    area.setRangeText('  ', area.selectionStart, area.selectionEnd, 'end');
    area.dispatchEvent(new Event('input'));
  });
  number();
  return {
    element: h('div', { class: 'editor' }, numbers, area),
    get text() {
      return area.value;
    },
    set text(value) {
      area.value = value;
      area.dispatchEvent(new Event('input'));
    },
    focus() {
      area.setSelectionRange(0, 0);
      area.focus({ preventScroll: true });
      area.scrollTop = 0;
    },
    saved() {
      area.removeAttribute('data-unsaved');
    },
    /** @param {Problem[]} problems */
    mark(problems) {
      bad = new Map(
        problems.map(({ line, path, message }) => [line, path ? `${path}: ${message}` : message]),
      );
      number();
    },
    /** @param {number} line */
    goTo(line) {
      const lines = area.value.split('\n');
      const at = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
      area.focus();
      area.setSelectionRange(at, at + (lines[line - 1]?.length ?? 0));
      area.scrollTop = (area.scrollHeight / lines.length) * Math.max(0, line - 5);
    },
  };
}

/** @param {WouldApply} would */
function wouldBe({ outcome, version }) {
  if (outcome === 'created') return 'Applying this file would create a new fleet.';
  return outcome === 'updated'
    ? `Applying this file would create v${version}.`
    : 'The fleet already has this definition.';
}

/**
 * Shows the outcome of applying a file.
 *
 * @param {Applied} applied
 */
export function sayApplied({ fleet, outcome, version }) {
  const words = {
    created: 'created',
    updated: `v${version} applied`,
    unchanged: 'no changes',
  };
  say(`${fleet.name}: ${words[outcome]}`);
}

/**
 * A list item for an error, with a button that goes to its line if it has one.
 *
 * @param {Problem} problem
 * @param {(line: number) => void} goTo
 */
function errorItem({ message, path, line }, goTo) {
  if (!line) return h('li', null, path, ' ', message);
  const onclick = () => goTo(line);
  const where = path ? `line ${line}, ${path}` : `line ${line}`;
  return h('li', null, h('button', { type: 'button', class: 'id', onclick }, where), ' ', message);
}

/**
 * The errors in a text, each with a button that goes to its line if it has one.
 *
 * @param {Problem[]} errors
 * @param {string} effect what that means
 * @param {(line: number) => void} goTo
 */
export const errorList = (errors, effect, goTo) =>
  h(
    'div',
    { class: 'problem' },
    h('strong', null, `${errors.length === 1 ? '1 error' : `${errors.length} errors`}; ${effect}.`),
    h(
      'ul',
      null,
      errors.map((one) => errorItem(one, goTo)),
    ),
  );

/**
 * An editor with Check and Apply buttons, for a file of the project that `projectId` returns.
 * `mayApply` decides whether to apply the file, given what that would do. `done` gets the answer.
 * `more` holds further buttons.
 *
 * @param {string} text
 * @param {() => string} projectId
 * @param {(applied: Applied) => void} done
 * @param {{mayApply: (would: WouldApply) => boolean | Promise<boolean>, more?: Child}} options
 */
export function applyForm(text, projectId, done, { mayApply, more = null }) {
  const edit = editor(text);
  const said = h('div', { role: 'alert' });

  const check = () => put(`/projects/${projectId()}/fleets?check=1`, edit.text, TYPE);
  const apply = () => put(`/projects/${projectId()}/fleets`, edit.text, TYPE);

  /**
   * @param {Applied | Checked} answer
   * @param {Child} [result]
   */
  const showNotes = ({ notes }, result = null) =>
    show(
      said,
      notes.map(({ message, line }) =>
        h('p', { class: 'warning' }, message, line ? ` (line ${line})` : null),
      ),
      result,
    );

  async function runCheck() {
    const checked = await check();
    const result = `No errors. ${wouldBe(checked.would)} Nothing was changed.`;
    showNotes(checked, h('p', { class: 'soft' }, result));
  }

  async function runApply() {
    if (!(await mayApply((await check()).would))) return;
    const applied = await apply();
    showNotes(applied);
    edit.saved();
    done(applied);
  }

  /** @param {Problem[]} errors */
  function showErrors(errors) {
    edit.mark(errors);
    show(
      said,
      errorList(errors, 'nothing was changed', (line) => edit.goTo(line)),
    );
  }

  /** @param {() => Promise<void>} send */
  async function run(send) {
    show(said);
    edit.mark([]);
    try {
      await send();
    } catch (error) {
      if (!(error instanceof ApiError) || error.errors.length === 0) throw error;
      showErrors(error.errors);
    }
  }

  const buttons = h(
    'div',
    { class: 'row actions' },
    actionButton('Apply', () => run(runApply), { class: 'main' }),
    actionButton('Check', () => run(runCheck)),
    more,
  );
  return { edit, element: h('div', null, edit.element, buttons, said) };
}
